package rendezvous_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"kith/internal/identity"
	"kith/internal/rendezvous"
)

// received takes away what the nodes have received since the last time.
func (w *network) received() (out [][]byte) {
	for _, d := range w.nodes {
		d.mu.Lock()
		out = append(out, d.raw...)
		d.raw = nil
		d.mu.Unlock()
	}
	return out
}

// choices are all bytes of our packets that are neither the protocol's nor the node's own
// token: those by which packets could be joined. It fails if a packet has anything else.
func choices(t *testing.T, packets [][]byte) (out []string, seqs map[int64]bool) {
	t.Helper()
	seqs = map[int64]bool{}
	for _, p := range packets {
		var m krpc.Msg
		if err := bencode.Unmarshal(p, &m); err != nil {
			t.Fatalf("a packet of ours: %v", err)
		}
		if m.Y != "q" {
			continue // answers of one node to another
		}
		if !m.ReadOnly {
			continue // likewise their questions
		}
		if again := bencode.MustMarshal(m); !bytes.Equal(again, p) {
			t.Errorf("a packet has more in it than the DHT knows:\n%q\n%q", p, again)
		}
		out = append(out, string(m.A.ID[:]), m.T+m.T)
		switch m.Q {
		case "put":
			v, _ := m.A.V.(string)
			if len(v) != 636 {
				t.Errorf("a value of %d bytes", len(v))
			}
			out = append(out, string(m.A.K[:]), string(m.A.Sig[:]), v)
			seqs[*m.A.Seq] = true
			m.A.V, m.A.K, m.A.Sig, m.A.Seq, m.A.Token = nil, [32]byte{}, [64]byte{}, nil, ""
		case "get", "find_node":
			out = append(out, string(m.A.Target[:]))
			if len(m.A.Want) != 1 || m.A.Want[0] != "n4" {
				t.Errorf("wants %v", m.A.Want)
			}
			m.A.Target, m.A.Want = krpc.ID{}, nil
		default:
			t.Errorf("a call of %q", m.Q)
		}
		m.A.ID = krpc.ID{}
		if a := *m.A; a.Token != "" || a.Port != nil || a.ImpliedPort || a.NoSeed != 0 || a.Scrape != 0 || a.Cas != 0 || a.Salt != nil || a.InfoHash != (krpc.ID{}) || m.ClientId != "" || m.IP.Port != 0 {
			t.Errorf("a %s says more than it has to: %+v", m.Q, m)
		}
	}
	return out, seqs
}

// windows are all strings of n bytes in what.
func windows(n int, what []string) map[string]bool {
	out := map[string]bool{}
	for _, s := range what {
		for i := 0; i+n <= len(s); i++ {
			out[s[i:i+n]] = true
		}
	}
	return out
}

// TestUnlinkable: what nodes receive for one slot and for another of one secret, and for
// two secrets of one device, has no six bytes in common, nor has one place with another:
// with the same record in all of them, from the same client.
func TestUnlinkable(t *testing.T) {
	w := startNetwork(t, 24)
	ann := identity.NewDevice()
	s1, s2 := rendezvous.NewSecret(), rendezvous.NewSecret()
	c := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	w.received()
	var all []map[string]bool
	var seqs []map[int64]bool
	var once []string
	for _, p := range []struct {
		secret rendezvous.Secret
		made   uint64
	}{{s1, noon}, {s1, noon + 6*hour}, {s2, noon}, {s2, noon + 6*hour}} {
		publish(t, c, p.secret, record(ann, p.secret, p.made))
		got, seq := choices(t, w.received())
		if len(got) < 3*8*5 || len(seq) != rendezvous.Places {
			t.Fatalf("%d things seen, seqs %v", len(got), seq)
		}
		all, seqs = append(all, windows(6, got)), append(seqs, seq)
		once = got
	}
	for i := range all {
		for j := range i {
			for s := range all[i] {
				if all[j][s] {
					t.Errorf("publication %d and %d have %x in common", j, i, s)
				}
			}
			for n := range seqs[i] {
				if seqs[j][n] {
					t.Errorf("publication %d and %d have the seq %d in common", j, i, n)
				}
			}
		}
	}
	// The control: one publication has very much in common with itself.
	if same := windows(6, once); len(same) < 1000 {
		t.Errorf("%d windows in a publication: this test shows nothing", len(same))
	}
}

// TestPlacesApart: three places of one publication have nothing in common either.
func TestPlacesApart(t *testing.T) {
	w := startNetwork(t, 24)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	publish(t, client(t, rendezvous.Config{Bootstrap: w.addrs(2)}), s, record(ann, s, noon))
	byKey := map[[32]byte][]string{}
	for _, d := range w.holders() {
		for _, p := range d.puts {
			byKey[p.K] = append(byKey[p.K], string(p.K[:]), string(p.Sig[:]), p.V.(string), string(p.ID[:]), fmt.Sprint(*p.Seq))
		}
	}
	if len(byKey) != rendezvous.Places {
		t.Fatalf("%d places", len(byKey))
	}
	seen := map[string][32]byte{}
	for k, what := range byKey {
		for s := range windows(6, what) {
			if other, ok := seen[s]; ok && other != k {
				t.Errorf("two places have %x in common", s)
			}
			seen[s] = k
		}
	}
}

// TestCapture: nothing that says who or where is in any packet of a publication and a
// find, in either direction. The control is the record itself, unsealed.
func TestCapture(t *testing.T) {
	w := startNetwork(t, 24)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	var tap tap
	c := client(t, rendezvous.Config{Bootstrap: w.addrs(2), Listen: tap.listen})
	r := record(ann, s, noon)
	publish(t, c, s, r)
	find(t, client(t, rendezvous.Config{Bootstrap: w.addrs(2), Listen: tap.listen}), s, noon)
	id := ann.ID()
	shown := func(packets [][]byte) (out []string) {
		for name, what := range map[string][]byte{
			"peer id": r.Peer, "device id": id[:], "device key": r.Key, "signature": r.Signature[:], "secret": s[:],
			"host": []byte(r.Hosts[0]), "address": []byte("203.0.113.7"), "port": []byte("41641"), "word": []byte("quic"),
		} {
			if slices.ContainsFunc(packets, func(p []byte) bool { return bytes.Contains(p, what) }) {
				out = append(out, name)
			}
		}
		slices.Sort(out)
		return out
	}
	packets, longest := tap.packets, 0
	for _, p := range packets {
		longest = max(longest, len(p))
	}
	if got := shown(packets); len(got) > 0 {
		t.Errorf("%d packets show %v", len(packets), got)
	}
	if longest > 1232 {
		t.Errorf("a packet of %d bytes does not fit everywhere", longest)
	}
	t.Logf("%d packets, the longest of %d bytes", len(packets), longest)
	open := [][]byte{r.Marshal()}
	if got := shown(open); len(got) < 7 {
		t.Errorf("of a record left open only %v is seen: this test shows nothing", got)
	}
}

// tap keeps all packets of the sockets it opens.
type tap struct{ packets [][]byte }

func (c *tap) listen(network string) (net.PacketConn, error) {
	conn, err := loopback(network)
	if err != nil {
		return nil, err
	}
	return &tapped{PacketConn: conn, tap: c}, nil
}

// TestSecretUnprinted: no verb and no log shows a secret.
func TestSecretUnprinted(t *testing.T) {
	s := rendezvous.Secret(bytes.Repeat([]byte{0xab}, 32))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", struct{ S rendezvous.Secret }{s})
	text := log.String() + fmt.Sprintf("%v %+v %#v %s %x %q %d %v", s, s, s, s, s, s, s, struct{ S rendezvous.Secret }{s})
	if low := strings.ToLower(text); strings.Contains(low, "abab") || strings.Contains(low, "171 171") || strings.Contains(low, "0xab") || !strings.Contains(low, "redacted") {
		t.Errorf("printed: %s", text)
	}
}
