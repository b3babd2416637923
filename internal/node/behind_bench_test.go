//go:build unix

package node_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/link/linktest"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
)

// BenchmarkTenOfMany is a node that missed nothing, and one that missed ten messages, of a chat in
// which both sides hold KITH_HELD others (50,000 if it is not set): from the moment it is connected
// to the moment it shows all, and the bytes that passed between the two from the first packet to half
// a second after that: handshake, knock, Acks and what QUIC adds included.
func BenchmarkTenOfMany(b *testing.B) {
	held, err := strconv.Atoi(cmp.Or(os.Getenv("KITH_HELD"), "50000"))
	if err != nil {
		b.Fatal(err)
	}
	annLink, benLink := direct(b, 1, "127.0.0.1:0"), direct(b, 2, "127.0.0.1:0")
	annAt, benAt := annLink.Address(), benLink.Address()
	annCable, benCable := linktest.NewProxy(b, annAt), linktest.NewProxy(b, benAt)
	homes := [2]string{b.TempDir(), b.TempDir()}
	ann := startMeasured(b, "Ann", node.Config{Home: homes[0], Link: cabled{annLink, annCable.Address(annAt, "quic")}})
	ben := startMeasured(b, "Ben", node.Config{Home: homes[1], Link: cabled{benLink, benCable.Address(benAt, "quic")}})
	g := friends(ann, ben)
	passed := func() int64 { return annCable.Passed() + benCable.Passed() }

	for _, p := range []*measured{ann, ben} { // so that both have written
		p.say(g, "hello")
	}
	for _, p := range []*measured{ann, ben} {
		p.until("both", func() bool { list, _, err := p.Messages(g, nil, 2); return err == nil && len(list) == 2 })
	}
	createdAt, head := ann.Base(g)
	suite, err := ann.Suite(g)
	ann.must(err)
	ann.stop()
	ben.stop()
	fillBoth(b, homes, g, createdAt, dag.Header{Version: dag.Version, Suite: uint16(suite), SigAlg: wire.SigEd25519, Group: g, Block: head, Length: 512}, held)

	ann = startMeasured(b, "Ann", node.Config{Home: homes[0], Link: cabled{direct(b, 1, place(b, annAt)), annCable.Address(annAt, "quic")}})
	ben = startMeasured(b, "Ben", node.Config{Home: homes[1], Link: cabled{direct(b, 2, place(b, benAt)), benCable.Address(benAt, "quic")}})
	for _, missed := range []int{0, 10} {
		b.Run(fmt.Sprint(missed), func(b *testing.B) {
			var took []time.Duration
			var bytes []int64
			for b.Loop() {
				ann.until("connected", func() bool { return ann.Status().Connected == 1 })
				annCable.Cut()
				benCable.Cut()
				ann.until("apart", func() bool { return ann.Status().Connected == 0 && ben.Status().Connected == 0 })
				for range missed {
					ann.say(g, fmt.Sprintf("message %d", time.Now().UnixNano()))
				}
				want, _, err := ann.Messages(g, nil, 20)
				ann.must(err)
				before := passed()
				annCable.Heal()
				benCable.Heal()
				ben.until("connected", func() bool { return ben.Status().Connected == 1 })
				took = append(took, ben.until("all", func() bool {
					got, _, err := ben.Messages(g, nil, 20)
					return err == nil && slices.EqualFunc(got, want, func(a, b node.Message) bool { return a.Place == b.Place && !a.EarlierComing })
				}))
				<-time.After(500 * time.Millisecond)
				bytes = append(bytes, passed()-before)
			}
			b.ReportMetric(float64(middle(took).Milliseconds()), "p50-ms")
			slices.Sort(bytes)
			b.ReportMetric(float64(bytes[len(bytes)/2])/1000, "p50-kB")
			b.ReportMetric(float64(bytes[0])/1000, "least-kB")
		})
	}
}

// direct is a Link whose key the seed gives.
func direct(b *testing.B, seed byte, listen string) link.Link {
	l, err := link.NewDirect(link.DirectConfig{Listen: listen, KeySeed: [32]byte{seed}})
	if err != nil {
		b.Fatal(err)
	}
	return l
}

// place is where a Link on loopback listens, as HOST:PORT.
func place(b *testing.B, at link.Address) string {
	for _, h := range at.Hosts {
		var port int
		if _, err := fmt.Sscanf(h, "/ip4/127.0.0.1/udp/%d/quic-v1", &port); err == nil {
			return fmt.Sprint("127.0.0.1:", port)
		}
	}
	b.Fatal(at.Hosts)
	return ""
}

// fillBoth writes n entries of two members to both homes. Nobody signed them and
// nothing is encrypted: neither a start nor a sync of what both have asks for it.
func fillBoth(b *testing.B, homes [2]string, g wire.GroupID, createdAt uint64, like dag.Header, n int) {
	var dbs [2]*store.DB
	for i, home := range homes {
		key, err := store.OpenKeyFile(filepath.Join(home, node.KeyFile))
		if err != nil {
			b.Fatal(err)
		}
		if dbs[i], err = store.Open(store.Config{Path: filepath.Join(home, store.FileName), Key: key}); err != nil {
			b.Fatal(err)
		}
		defer dbs[i].Close()
	}
	graph := dag.NewGraph(createdAt)
	writers := known(b, dbs[0], g, graph)
	text, err := group.Text("one of very many messages that both have, about nothing in particular")
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < n; {
		var records []group.Record
		var rows []group.Row
		for range min(1000, n-i) {
			h := like
			h.Device, h.Time = writers[i*i/3%len(writers)], createdAt+uint64(i)
			binary.BigEndian.PutUint64(h.ContentID[:], uint64(i))
			p := graph.Next(h.Device, h.Time)
			h.Seq, h.Prev, h.Parents, h.Lamport, h.Order = p.Seq, p.Prev, p.Parents, p.Lamport, p.Order
			if _, err := graph.Add(&h); err != nil {
				b.Fatal(err)
			}
			key := group.EntryKey(h.Ref())
			records = append(records,
				group.Record{Kind: group.KindEntry, Key: key, Value: h.Bytes()},
				group.Record{Kind: group.KindCipher, Key: key, Value: make([]byte, h.Length)})
			rows = append(rows, group.Row{Place: h.Place(), ID: h.ContentID, Block: h.Block, Time: h.Time, State: group.RowShown, Content: text.Bytes()})
			i++
		}
		for _, db := range dbs {
			if err := db.Commit(g, records, rows, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// known adds what a home holds of a chat to a graph and returns whose entries those are.
func known(b *testing.B, db *store.DB, g wire.GroupID, graph *dag.Graph) (writers []wire.DeviceID) {
	var headers []*dag.Header
	err := db.Load(g, []group.Kind{group.KindEntry}, func(rec group.Record) error {
		h, err := dag.ParseHeader(rec.Value)
		headers = append(headers, h)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	slices.SortFunc(headers, func(a, b *dag.Header) int { return cmp.Compare(a.Lamport, b.Lamport) })
	for _, h := range headers {
		if _, err := graph.Add(h); err != nil {
			b.Fatal(err)
		}
		if !slices.Contains(writers, h.Device) {
			writers = append(writers, h.Device)
		}
	}
	return writers
}
