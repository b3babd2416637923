package rendezvous_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"kith/internal/identity"
	"kith/internal/rendezvous"
	"kith/internal/wire"
)

// A liar is a hostile node: it answers pings like any other, and gets and puts as its
// kind does.
type liar struct {
	kind string
	addr netip.AddrPort
	id   krpc.ID
	net  *network

	mu    sync.Mutex // guards first and calls
	first map[krpc.ID]krpc.MsgArgs
	calls int
}

func (w *network) lie(t testing.TB, kind string, id krpc.ID) *liar {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{kind: kind, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(), id: id, net: w, first: map[krpc.ID]krpc.MsgArgs{}}
	w.mu.Lock()
	w.liars = append(w.liars, l)
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var q krpc.Msg
			if bencode.Unmarshal(b[:n], &q) != nil || q.A == nil {
				continue
			}
			for _, answer := range l.answers(q) {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return l
}

func (l *liar) answers(q krpc.Msg) [][]byte {
	token := "token"
	r := krpc.Return{ID: l.id, Token: &token}
	m := krpc.Msg{T: q.T, Y: "r", R: &r}
	if q.Q == "ping" {
		r.Token = nil
		return [][]byte{bencode.MustMarshal(m)}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if q.Q == "put" {
		if target := krpc.ID(sha1.Sum(q.A.K[:])); l.first[target].Seq == nil {
			l.first[target] = *q.A
		}
		return [][]byte{bencode.MustMarshal(m)}
	}
	switch l.kind {
	case "drops":
		return nil
	case "forges":
		// Another's key, the greatest number, a box of the right size.
		key := ed25519.NewKeyFromSeed(make([]byte, 32))
		p := bep44.Put{V: bytes.Repeat([]byte{7}, 636), K: (*[32]byte)(key.Public().(ed25519.PublicKey)), Seq: 1 << 40}
		p.Sign(key)
		seq := p.Seq
		r.V, r.K, r.Sig, r.Seq = bencode.MustMarshal(p.V), *p.K, p.Sig, &seq
	case "spoils":
		if a, ok := l.first[q.A.Target]; ok {
			v := []byte(a.V.(string))
			v[300] ^= 1
			r.V, r.K, r.Sig, r.Seq = bencode.MustMarshal(v), a.K, a.Sig, a.Seq
		}
	case "gives old":
		if a, ok := l.first[q.A.Target]; ok {
			r.V, r.K, r.Sig, r.Seq = bencode.MustMarshal(a.V), a.K, a.Sig, a.Seq
		}
	case "names liars":
		l.net.mu.Lock()
		others := slices.Clone(l.net.liars)
		l.net.mu.Unlock()
		for _, other := range others {
			r.Nodes = append(r.Nodes, krpc.NodeInfo{ID: other.id, Addr: krpc.NodeAddr{IP: other.addr.Addr().AsSlice(), Port: int(other.addr.Port())}})
		}
		r.Nodes = r.Nodes[:min(len(r.Nodes), 16)]
	case "slanders":
		// Honest nodes under ids that stand right at the place and are not theirs.
		for i, d := range l.net.nodes[:16] {
			id := q.A.Target
			id[19] ^= byte(i + 1)
			r.Nodes = append(r.Nodes, krpc.NodeInfo{ID: id, Addr: krpc.NodeAddr{IP: d.addr.Addr().AsSlice(), Port: int(d.addr.Port())}})
		}
	case "talks junk":
		var out [][]byte
		for _, junk := range []string{
			"", "d", "de", "i1e", "le", "d1:t4:" + q.T + "1:y1:re", "d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:" + q.T + "1:y1:q",
			"d2:ip1:x1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t4:" + q.T + "1:y1:re",
			"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:nodes25:aaaaaaaaaaaaaaaaaaaaaaaaae1:t4:" + q.T + "1:y1:re",
			"d1:rd2:id20:aaaaaaaaaaaaaaaaaaaa1:v3:abce1:t4:" + q.T + "1:y1:re",
			"d1:rd2:id99999999999:e1:t4:" + q.T + "1:y1:re",
			"d1:eli204e7:unknowne1:t4:" + q.T + "1:y1:ee",
			string(bytes.Repeat([]byte("l"), 60_000)),
		} {
			out = append(out, []byte(junk))
		}
		return out
	}
	return [][]byte{bencode.MustMarshal(m)}
}

func randomID() (id krpc.ID) {
	_, _ = rand.Read(id[:])
	return id
}

// beside is an id nearer to target than chance brings.
func beside(target krpc.ID, i int) krpc.ID {
	id := target
	id[4] ^= byte(i + 1)
	_, _ = rand.Read(id[5:])
	return id
}

// TestHostile: a third of the nodes is of one hostile kind, from before the record is
// put; the newest record is found all the same.
func TestHostile(t *testing.T) {
	for _, kind := range []string{"drops", "forges", "spoils", "gives old", "names liars", "slanders", "talks junk"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := &network{}
			for range 24 {
				w.add(t)
			}
			for range 12 {
				w.lie(t, kind, randomID())
			}
			w.meet()
			ann, s := identity.NewDevice(), rendezvous.NewSecret()
			a := client(t, rendezvous.Config{Bootstrap: w.addrs(3)})
			publish(t, a, s, record(ann, s, noon))
			publish(t, a, s, record(ann, s, noon+60_000))
			if kind == "slanders" {
				w.nearestHold(t)
			}
			b := client(t, rendezvous.Config{Bootstrap: w.addrs(6)[3:]})
			started := time.Now()
			if r := find(t, b, s, noon+120_000); r.Made != noon+60_000 || r.Device() != ann.ID() {
				t.Errorf("found the record of %d", r.Made-noon)
			}
			t.Logf("found after %v, %+v", time.Since(started), b.Traffic())
			calls := 0
			for _, l := range w.liars {
				l.mu.Lock()
				calls += l.calls
				l.mu.Unlock()
			}
			if calls == 0 {
				t.Error("no hostile node was asked anything: this test shows nothing")
			}
		})
	}
}

// nearestHold: what was put is at the nodes that are really nearest, liars included.
func (w *network) nearestHold(t *testing.T) {
	puts := map[krpc.ID]map[krpc.ID]bool{} // by target, who has it
	note := func(id krpc.ID, key [32]byte) {
		target := krpc.ID(sha1.Sum(key[:]))
		if puts[target] == nil {
			puts[target] = map[krpc.ID]bool{}
		}
		puts[target][id] = true
	}
	var ids []krpc.ID
	for _, d := range w.nodes {
		ids = append(ids, d.id)
		d.mu.Lock()
		for _, p := range d.puts {
			note(d.id, p.K)
		}
		d.mu.Unlock()
	}
	for _, l := range w.liars {
		ids = append(ids, l.id)
		l.mu.Lock()
		for _, p := range l.first {
			note(l.id, p.K)
		}
		l.mu.Unlock()
	}
	for target, has := range puts {
		slices.SortFunc(ids, func(a, b krpc.ID) int {
			for i := range a {
				a[i], b[i] = a[i]^target[i], b[i]^target[i]
			}
			return bytes.Compare(a[:], b[:])
		})
		held := 0
		for _, id := range ids[:8] {
			if has[id] {
				held++
			}
		}
		if held < 7 {
			t.Errorf("of the 8 nearest %d have it, of all %d", held, len(has))
		}
	}
}

// TestSybils: hostile nodes come up around a place after they saw a put there, nearer
// to it than any honest node, and name only each other.
func TestSybils(t *testing.T) {
	for _, c := range []struct {
		name   string
		places int
		each   int
	}{{"one place", 1, 40}, {"all places", 3, 8}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := startNetwork(t, 30)
			ann, s := identity.NewDevice(), rendezvous.NewSecret()
			a := client(t, rendezvous.Config{Bootstrap: w.addrs(3)})
			publish(t, a, s, record(ann, s, noon))
			var targets []krpc.ID
			for _, d := range w.holders() {
				d.mu.Lock()
				for _, p := range d.puts {
					if target := krpc.ID(sha1.Sum(p.K[:])); !slices.Contains(targets, target) {
						targets = append(targets, target)
					}
				}
				d.mu.Unlock()
			}
			if len(targets) != rendezvous.Places {
				t.Fatalf("the puts are at %d places", len(targets))
			}
			for i := range c.places {
				for j := range c.each {
					w.lie(t, "names liars", beside(targets[i], j))
				}
			}
			w.meet()
			b := client(t, rendezvous.Config{Bootstrap: w.addrs(6)[3:]})
			started := time.Now()
			if r := find(t, b, s, noon+120_000); r.Made != noon {
				t.Errorf("found the record of %d", r.Made)
			}
			t.Logf("found after %v, %+v", time.Since(started), b.Traffic())
			asked := 0
			for _, l := range w.liars {
				l.mu.Lock()
				if l.calls > 0 {
					asked++
				}
				l.mu.Unlock()
			}
			t.Logf("%d of %d hostile nodes were asked", asked, len(w.liars))
			if asked < 4 {
				t.Error("the hostile nodes were not in the way: this test shows nothing")
			}
			// Whoever publishes anew puts it at them, too, and at others.
			publish(t, a, s, record(ann, s, noon+60_000))
			if r, err := b.Find(context.Background(), s, wire.DeviceID{}, at(noon+120_000)); err != nil || r.Made != noon+60_000 {
				t.Errorf("after publishing anew: %v, of %d", err, r.Made)
			}
		})
	}
}

// TestHalfGone: half of the nodes end without a word; what is left suffices, and what
// is published anew is found by who knows only nodes that are gone, and one that is not.
func TestHalfGone(t *testing.T) {
	w := startNetwork(t, 50)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(3)})
	publish(t, a, s, record(ann, s, noon))
	for i, d := range w.nodes {
		if i%2 == 1 {
			d.server.Close()
		}
	}
	b := client(t, rendezvous.Config{Bootstrap: w.addrs(4)[2:]})
	started := time.Now()
	if r := find(t, b, s, noon); r.Made != noon {
		t.Errorf("found the record of %d", r.Made)
	}
	t.Logf("without publishing anew: found after %v", time.Since(started))
	started = time.Now()
	p := publish(t, a, s, record(ann, s, noon+60_000))
	if p.Places != rendezvous.Places || p.Nodes < 12 {
		t.Errorf("published anew: %+v", p)
	}
	t.Logf("published anew in %v: %+v", time.Since(started), p)
	if r := find(t, b, s, noon+120_000); r.Made != noon+60_000 {
		t.Errorf("after publishing anew: found the record of %d", r.Made)
	}
}

// TestFriendsOwnNetwork: a friend names hostile nodes alone, which name only each other.
// The list is asked too, so the record is found.
func TestFriendsOwnNetwork(t *testing.T) {
	w := startNetwork(t, 24)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	publish(t, client(t, rendezvous.Config{Bootstrap: w.addrs(2)}), s, record(ann, s, noon))
	var named []netip.AddrPort
	for range 16 {
		named = append(named, w.lie(t, "names liars", randomID()).addr)
	}
	b := client(t, rendezvous.Config{Bootstrap: w.addrs(3)[2:]})
	b.Add(named)
	if r := find(t, b, s, noon); r.Made != noon {
		t.Errorf("found the record of %d", r.Made)
	}
	alone := client(t, rendezvous.Config{Bootstrap: []string{}})
	alone.Add(named)
	if _, err := alone.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("by the hostile nodes alone: %v; this test shows nothing", err)
	}
}
