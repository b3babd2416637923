//go:build unix

package store_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// smallChat is how many entries BenchmarkMachine loads where no folder is
// given with -big.
const smallChat = 50_000

// chatHome opens a database with one group of many entries, which it makes if
// it is not there. The entries are as an own group's: their headers make one
// graph, but nobody signed them and nothing is encrypted; a load asks for
// neither.
func chatHome(b *testing.B, dir string, n int) (*store.DB, group.Self, wire.GroupID) {
	secret := filepath.Join(dir, "self")
	key, err := store.OpenKeyFile(filepath.Join(dir, "key"))
	must(b, err)
	db := open(b, store.Config{Path: filepath.Join(dir, store.FileName), Key: key})
	kept, err := os.ReadFile(secret)
	if err == nil {
		return db, readSelf(b, kept), onlyGroup(b, db)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		b.Fatal(err)
	}
	first := newSpeaker(b, "Ann")
	m, eff, err := group.Create(first.self, group.CreateParams{Title: "Large"}, ingestStart)
	must(b, err)
	must(b, db.Commit(m.Group(), eff.Write, eff.Rows, nil))
	fill(b, db, m, n)
	must(b, os.WriteFile(secret, writeSelf(first.self), 0o600))
	return db, first.self, m.Group()
}

func onlyGroup(b *testing.B, db *store.DB) wire.GroupID {
	ids, err := db.Groups()
	if err != nil || len(ids) != 1 {
		b.Fatal(ids, err)
	}
	return ids[0]
}

func writeSelf(s group.Self) []byte {
	var w wire.Writer
	w.Vec(s.Device.Marshal())
	w.Raw(s.Person[:])
	w.Vec(s.Info)
	for _, h := range s.Headers {
		w.Vec(h)
	}
	return w.Bytes()
}

// fill writes n entries of 20 devices that hear each other.
func fill(b *testing.B, db *store.DB, m *group.Machine, n int) {
	g := dag.NewGraph(ingestStart)
	for i := 0; i < n; {
		var records []group.Record
		var rows []group.Row
		for range min(1000, n-i) {
			h := entryOf(g, m, i)
			if _, err := g.Add(h); err != nil {
				b.Fatal(err)
			}
			row := spoken(uint64(i))
			row.Place, row.Block, row.ID = h.Place(), h.Block, h.ContentID
			key := group.EntryKey(h.Ref())
			records = append(records,
				group.Record{Kind: group.KindEntry, Key: key, Value: h.Bytes()},
				group.Record{Kind: group.KindCipher, Key: key, Value: make([]byte, h.Length)})
			rows = append(rows, row)
			i++
		}
		must(b, db.Commit(m.Group(), records, rows, nil))
	}
}

func entryOf(g *dag.Graph, m *group.Machine, i int) *dag.Header {
	h := &dag.Header{
		Version: dag.Version, Suite: m.Blocks().State(m.Head()).Suite(), SigAlg: wire.SigEd25519,
		Group: m.Group(), Block: m.Head(), Time: ingestStart + uint64(i)*1000, Length: 512,
	}
	h.Device = wire.DeviceID(wire.Hash("device", []byte{byte(i * 7 % 20)}))
	binary.BigEndian.PutUint64(h.ContentID[:], uint64(i))
	p := g.Next(h.Device, h.Time)
	h.Seq, h.Prev, h.Parents, h.Lamport, h.Order = p.Seq, p.Prev, p.Parents, p.Lamport, p.Order
	return h
}

// BenchmarkMachine makes a group's machine from its records, as a node does
// when it starts: of all headers, as from a home of a program that stored no parts of the graph,
// and of the parts.
func BenchmarkMachine(b *testing.B) {
	dir, n := filepath.Join(*big, "home"), bigRows
	if *big == "" {
		dir, n = b.TempDir(), smallChat
	}
	db, self, id := chatHome(b, dir, n)
	must(b, db.Commit(id, []group.Record{{Kind: group.KindPart}}, nil, nil)) // says how many there are
	b.Run("headers", func(b *testing.B) { loadMachine(b, db, self, id, n) })
	m := machineOf(b, db, self, id)
	eff, err := m.Step(group.Input{Now: ingestStart, Cause: group.Tick{}})
	must(b, err)
	must(b, db.Commit(id, eff.Write, eff.Rows, nil))
	m = nil
	b.Run("parts", func(b *testing.B) { loadMachine(b, db, self, id, n) })
}

func loadMachine(b *testing.B, db *store.DB, self group.Self, id wire.GroupID, n int) {
	var took time.Duration
	var heap, most uint64
	runs := 0
	for b.Loop() {
		before, began := heapInUse(), processTime(b)
		peak := watchHeap()
		m := machineOf(b, db, self, id)
		took += processTime(b) - began
		most = max(most, peak()-before)
		heap = heapInUse() - before
		if got := m.Frontier(); len(got) != 20 {
			b.Fatalf("the graph has %d logs", len(got))
		}
		runtime.KeepAlive(m)
		runs++
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(runs*n), "cpu-ns/entry")
	b.ReportMetric(float64(heap)/float64(n), "B/entry")
	b.ReportMetric(float64(most)/float64(n), "most-B/entry")
}

func machineOf(b *testing.B, db *store.DB, self group.Self, id wire.GroupID) *group.Machine {
	m, err := group.LoadBy(self, func(k group.Kind, from []byte, each func(group.Record) error) error {
		return db.LoadFrom(id, k, from, each)
	})
	must(b, err)
	return m
}

// watchHeap looks at the heap again and again until peak is called, which returns the most it saw.
func watchHeap() (peak func() uint64) {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var seen uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			seen = max(seen, m.HeapAlloc)
			select {
			case <-tick.C:
			case <-stop:
				most <- seen
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func readSelf(b *testing.B, kept []byte) group.Self {
	r := wire.NewReader(kept)
	device, err := identity.ParseDevice(r.Vec(wire.MaxVector))
	must(b, err)
	s := group.Self{Device: device}
	r.Fixed(s.Person[:])
	s.Info = r.Vec(wire.MaxVector)
	for !r.Empty() {
		s.Headers = append(s.Headers, r.Vec(wire.MaxVector))
	}
	must(b, r.Done())
	return s
}
