package rendezvous

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestSecureID is the table of BEP 42.
func TestSecureID(t *testing.T) {
	for _, c := range []struct {
		addr string
		last byte
		id   string
	}{
		{"124.31.75.21", 1, "5fbfbf"},
		{"21.75.31.124", 86, "5a3ce9"},
		{"65.23.51.170", 22, "a5d432"},
		{"84.124.73.14", 65, "1b0321"},
		{"43.213.53.83", 90, "e56f6c"},
	} {
		var id nodeID
		b, _ := hex.DecodeString(c.id)
		copy(id[:], b)
		id[idSize-1] = c.last
		addr := netip.MustParseAddr(c.addr)
		if !secure(id, addr) {
			t.Errorf("%s, %s: not secure", c.addr, c.id)
		}
		id[2] ^= 0x07 // not among the 21 bits
		if !secure(id, addr) {
			t.Errorf("%s: more than 21 bits count", c.addr)
		}
		id[2] ^= 0x08
		if secure(id, addr) {
			t.Errorf("%s: fewer than 21 bits count", c.addr)
		}
	}
}

func TestCallable(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"203.0.113.1:1", "198.51.100.1:6881", true},
		{"203.0.113.1:1", "198.51.100.1:0", false},
		{"203.0.113.1:1", "127.0.0.1:80", false},
		{"203.0.113.1:1", "192.168.1.1:53", false},
		{"203.0.113.1:1", "169.254.1.1:53", false},
		{"203.0.113.1:1", "224.0.0.251:5353", false},
		{"203.0.113.1:1", "255.255.255.255:9", false},
		{"203.0.113.1:1", "0.0.0.0:9", false},
		{"10.0.0.1:1", "192.168.1.1:53", true},
		{"10.0.0.1:1", "127.0.0.1:53", false},
		{"127.0.0.1:1", "127.0.0.1:53", true},
		{"[2001:db8::1]:1", "[2001:db8:1::1]:53", true},
		{"[2001:db8::1]:1", "[fd00::1]:53", false},
		{"[2001:db8::1]:1", "[::1]:53", false},
		{"[2001:db8::1]:1", "[ff02::1]:53", false},
		{"[2001:db8::1]:1", "[::ffff:192.168.1.1]:53", false},
	} {
		if got := callable(netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to)); got != c.want {
			t.Errorf("%s names %s: %v", c.from, c.to, got)
		}
	}
}

// TestOneNetworkIsNotAll: somebody with one network of addresses, all nearest to a place,
// is two of the nodes that count, and ids that follow from addresses count besides.
func TestOneNetworkIsNotAll(t *testing.T) {
	c := newCandidates(nodeID{})
	take := func(i byte, addr string) {
		x := c.insert(node{nodeID{i}, netip.MustParseAddrPort(addr)})
		x.state = answered
	}
	for i := range byte(40) {
		take(i, fmt.Sprintf("203.0.113.%d:6881", i+1))
	}
	for i := range byte(40) {
		take(100+i, fmt.Sprintf("198.51.%d.1:6881", i))
	}
	var id nodeID
	b, _ := hex.DecodeString("a5d432")
	copy(id[:], b)
	id[idSize-1] = 22
	c.insert(node{id, netip.MustParseAddrPort("65.23.51.170:6881")}).state = answered
	got := c.closest(closestNodes, closestSecure)
	one := 0
	for _, x := range got {
		if network(x.addr.Addr()) == netip.MustParsePrefix("203.0.113.0/24") {
			one++
		}
	}
	if len(got) != closestNodes+1 || one != perNetwork || !got[closestNodes].secure {
		t.Errorf("%d nodes count, %d of one network", len(got), one)
	}
}

// TestCandidatesBounded: whatever is named, and however often.
func TestCandidatesBounded(t *testing.T) {
	c := newCandidates(nodeID{})
	for i := range 5 * maxCandidates {
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 1)
		c.add(node{nodeID{byte(i), byte(i >> 8)}, addr})
		c.add(node{nodeID{1}, addr})
	}
	if len(c.near) > maxCandidates {
		t.Errorf("%d candidates", len(c.near))
	}
	for i := range c.near[1:] {
		if nearer(c.target, c.near[i+1].id, c.near[i].id) {
			t.Fatal("not in order")
		}
	}
}

// TestKnownBounded: nodes that were only named push out none that answered, nor grow
// beyond their bound; who is silent twice is forgotten.
func TestKnownBounded(t *testing.T) {
	var k known
	addr := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 1)
	}
	for i := range 10 {
		k.answered(node{nodeID{byte(i)}, addr(i)})
	}
	for i := range 1000 {
		k.add([]netip.AddrPort{addr(i), addr(i)})
	}
	if len(k.good) != 10 || len(k.given) != maxGiven {
		t.Errorf("%d answered, %d named", len(k.good), len(k.given))
	}
	k.silent([]netip.AddrPort{addr(3), addr(999)})
	if k.at(addr(3)) != 0 || len(k.given) != maxGiven-1 {
		t.Errorf("silent once: at %d, %d named", k.at(addr(3)), len(k.given))
	}
	k.silent([]netip.AddrPort{addr(3)})
	if len(k.good) != 9 {
		t.Errorf("silent twice, and remembered")
	}
	for i := range 1000 {
		k.answered(node{nodeID{byte(i)}, addr(i)})
	}
	if len(k.good) != maxGood || len(k.all()) != maxGood || k.all()[0] != addr(999) {
		t.Errorf("%d answered", len(k.good))
	}
	for range maxItems + 10 {
		k.gaveItem(freshID())
	}
	if len(k.items) > maxItems {
		t.Errorf("%d items remembered", len(k.items))
	}
}

// The messages, spelt by hand (docs/spec/rendezvous.md).
func TestQueryBytes(t *testing.T) {
	self, target := nodeID(bytes.Repeat([]byte("s"), 20)), nodeID(bytes.Repeat([]byte("t"), 20))
	get := query{call: "get", self: self, target: target}
	if got, want := string(get.encode([]byte("1234"))), "d1:ad2:id20:"+string(self[:])+"6:target20:"+string(target[:])+"4:wantl2:n4ee1:q3:get2:roi1e1:t4:12341:y1:qe"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	item := query{call: "put", self: self, put: &put{key: []byte("K"), seq: 7, signature: []byte("S"), token: []byte("T"), value: []byte("1:V")}}
	if got, want := string(item.encode([]byte("1234"))), "d1:ad2:id20:"+string(self[:])+"1:k1:K3:seqi7e3:sig1:S5:token1:T1:v1:Ve1:q3:put2:roi1e1:t4:12341:y1:qe"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

const replyID = "1:rd2:id20:aaaaaaaaaaaaaaaaaaaa"

func TestReply(t *testing.T) {
	node4 := strings.Repeat("n", 20) + "\xcb\x00\x71\x07\x1a\xe1"
	r, err := parseReply([]byte("d2:ip6:abcdef" + replyID + "5:nodes26:" + node4 + "3:seqi9e3:sig1:S5:token1:T1:v3:abce1:t4:12341:v4:LT011:y1:re"))
	if err != nil || string(r.transaction) != "1234" || len(r.nodes) != 1 || r.nodes[0].addr.String() != "203.0.113.7:6881" || r.seq != 9 || string(r.value) != "3:abc" || string(r.token) != "T" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := parseReply([]byte("d1:eli302e3:olde1:t4:12341:y1:ee")); err != nil || r.refused != 302 {
		t.Errorf("an error: %+v, %v", r, err)
	}
	if r, err := parseReply([]byte("d1:e3:bad1:t4:12341:y1:ee")); err != nil || r.refused == 0 {
		t.Errorf("an error without a number: %+v, %v", r, err)
	}
	for _, bad := range []string{
		"", "d", "e", "de", "le", "i1e", "0:", "d1:y1:re", "d1:y1:qe", "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t4:12341:y1:qe",
		"d" + replyID + "e1:t4:12341:y1:re ", "d" + replyID + "e1:t4:12341:y1:r", "d1:rd2:id19:aaaaaaaaaaaaaaaaaaae1:t4:12341:y1:re",
		"d" + replyID + "5:nodes25:aaaaaaaaaaaaaaaaaaaaaaaaae1:t4:12341:y1:re", "d" + replyID + "3:seqi-1ee1:t4:12341:y1:re",
		"d" + replyID + "5:token65:" + strings.Repeat("T", 65) + "e1:t4:12341:y1:re", "d1:rd2:id020:aaaaaaaaaaaaaaaaaaaae1:y1:re",
		"d1:rd2:id99999999999999999999:e1:y1:re", strings.Repeat("l", 2000) + strings.Repeat("e", 2000), strings.Repeat("d1:a", 500),
	} {
		if r, err := parseReply([]byte(bad)); err == nil {
			t.Errorf("%.40q: taken as %+v", bad, r)
		}
	}
}

// FuzzReply: whatever a node says, it is read within its bounds.
func FuzzReply(f *testing.F) {
	f.Add([]byte("d" + replyID + "5:nodes26:nnnnnnnnnnnnnnnnnnnn......3:seqi9e3:sig1:S5:token1:T1:v3:abce1:t4:12341:y1:re"))
	f.Add([]byte("d1:eli302e3:olde1:t4:12341:y1:ee"))
	f.Add([]byte("d1:e3:bad1:t4:12341:y1:ee"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseReply(b)
		if err != nil {
			return
		}
		if len(r.nodes) > 4*maxReplyNodes || len(r.token) > maxToken || r.seq < 0 || r.refused < 0 {
			t.Errorf("%q is read as %+v", b, r)
		}
		if r.value != nil {
			if v, rest, err := item(r.value, maxDepth); err != nil || len(rest) > 0 || !bytes.Equal(v, r.value) {
				t.Errorf("%q has the value %q", b, r.value)
			}
		}
	})
}

// TestBox: a box opens at its place, under its seq and secret, and nowhere else.
func TestBox(t *testing.T) {
	s := NewSecret()
	r := testRecord(s)
	slot := s.Slot(r.Made)
	p := s.place(slot, 1)
	box := p.seal(&r)
	if len(box) != boxSize || len(addText(nil, box)) != 640 {
		t.Errorf("a box of %d bytes", len(box))
	}
	if bytes.Equal(box, p.seal(&r)) {
		t.Error("two boxes are the same")
	}
	if got, err := p.open(s, p.seq(r.Made), box); err != nil || got.Made != r.Made {
		t.Errorf("open: %v", err)
	}
	spoilt := bytes.Clone(box)
	spoilt[100] ^= 1
	other := NewSecret()
	moved := r
	moved.Made += uint64(SlotLength / time.Millisecond)
	forged := r
	forged.Hosts = nil
	for name, open := range map[string]func() (Record, error){
		"another seq":      func() (Record, error) { return p.open(s, p.seq(r.Made)+1, box) },
		"another place":    func() (Record, error) { q := s.place(slot, 2); return q.open(s, q.seq(r.Made), box) },
		"another slot":     func() (Record, error) { q := s.place(slot+1, 1); return q.open(s, q.seq(r.Made), box) },
		"another secret":   func() (Record, error) { return p.open(other, p.seq(r.Made), box) },
		"spoilt":           func() (Record, error) { return p.open(s, p.seq(r.Made), spoilt) },
		"short":            func() (Record, error) { return p.open(s, p.seq(r.Made), box[:boxSize-1]) },
		"empty":            func() (Record, error) { return p.open(s, p.seq(r.Made), nil) },
		"of another time":  func() (Record, error) { return p.open(s, p.seq(moved.Made), p.seal(&moved)) },
		"with other hosts": func() (Record, error) { return p.open(s, p.seq(r.Made), p.seal(&forged)) },
	} {
		if _, err := open(); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// TestNewest: in whatever order records are seen, the one made last counts.
func TestNewest(t *testing.T) {
	for _, order := range [][]uint64{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {3, 3}} {
		var n newest
		for _, made := range order {
			n.take(Record{Made: made})
		}
		if !n.had || n.Made != 3 {
			t.Errorf("of %v that of %d counts", order, n.Made)
		}
	}
}
