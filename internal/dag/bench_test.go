package dag_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// crowd fills a graph with total entries of n devices that hear each other
// well, and returns how many bytes it takes per entry.
func crowd(tb testing.TB, n, total int) (*dag.Graph, float64) {
	tb.Helper()
	before := heapBytes()
	g := dag.NewGraph(genesis)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range total {
		h := &dag.Header{Version: dag.Version, SigAlg: wire.SigEd25519}
		binary.BigEndian.PutUint32(h.Device[:], uint32(rng.IntN(n)))
		p := g.Next(h.Device, genesis+uint64(i)*1000)
		h.Seq, h.Prev, h.Parents, h.Lamport, h.Order = p.Seq, p.Prev, p.Parents, p.Lamport, p.Order
		binary.BigEndian.PutUint32(h.Block[:], uint32(i/1000))
		if added, err := g.Add(h); err != nil || len(added) != 1 {
			tb.Fatalf("entry %d: %v %v", i, added, err)
		}
	}
	return g, float64(heapBytes()-before) / float64(total)
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestMemoryPerEntry(t *testing.T) {
	g, size := crowd(t, 100, 100_000)
	if size > 100 {
		t.Errorf("%.0f bytes per entry", size)
	}
	runtime.KeepAlive(g)
}

// BenchmarkMillion builds the graph of a large group: 1,000 devices, 1,000,000
// entries.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		g, size := crowd(b, 1000, 1_000_000)
		b.ReportMetric(size, "B/entry")
		runtime.KeepAlive(g)
	}
}

func BenchmarkSuffix(b *testing.B) {
	g, _ := crowd(b, 1000, 100_000)
	for b.Loop() {
		g.Suffix(nil, 256)
	}
}

func BenchmarkFrontierDigest(b *testing.B) {
	g, _ := crowd(b, 1000, 10_000)
	for b.Loop() {
		g.Frontier().Digest()
	}
}

// BenchmarkAcksKept prints what the Acks of 1,000 devices take in memory: those that list
// all, and those that name heads.
func BenchmarkAcksKept(b *testing.B) {
	const devices = 1000
	list := sampleAck()
	list.Delivered = nil
	for i := range devices {
		list.Delivered = append(list.Delivered, dag.Delivered{Device: wire.DeviceID{byte(i >> 8), byte(i)}, Seq: 9})
	}
	heads := sampleAckByHeads()
	heads.Stops, heads.Read, list.Read = nil, nil, nil
	for name, a := range map[string]*dag.Ack{"listing all": list, "naming heads": heads} {
		b.Run(name, func(b *testing.B) {
			bytes := a.Marshal()
			var before, after runtime.MemStats
			for b.Loop() {
				kept := make([]*dag.Ack, 0, devices)
				runtime.GC()
				runtime.ReadMemStats(&before)
				for range devices {
					ack, err := dag.ParseAck(bytes)
					if err != nil {
						b.Fatal(err)
					}
					kept = append(kept, ack)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(kept)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
			b.ReportMetric(float64(len(bytes)), "bytes/Ack")
		})
	}
}
