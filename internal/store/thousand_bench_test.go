//go:build unix

package store_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/store"
)

// large is how many members the group of BenchmarkSend has; 1,000 take 10 s to make.
var large = flag.Int("members", 100, "members of BenchmarkSend")

// oneBlock is how many people come in by one block.
const oneBlock = 100

// BenchmarkSend writes a message in a large group and waits for the disk: what stands between a key
// pressed and the first frame. Everybody was invited and nobody has accepted, so that every message
// is kept to be sealed again. It also reports what the group takes in memory when it was loaded anew.
func BenchmarkSend(b *testing.B) {
	first, newcomers := newSpeaker(b, "0"), []group.Newcomer(nil)
	for i := 1; i < *large; i++ {
		newcomers = append(newcomers, newSpeaker(b, fmt.Sprint(i)).newcomer())
	}
	var eff group.Effects
	var err error
	db := openBench(b)
	for list := range slices.Chunk(newcomers, oneBlock) {
		if first.machine == nil {
			first.machine, eff, err = group.Create(first.self, group.CreateParams{Title: "Measured", Newcomers: list}, ingestStart)
			must(b, err)
		} else {
			eff = first.step(b, group.Invite{Newcomers: list})
		}
		must(b, db.Commit(first.machine.Group(), eff.Write, eff.Rows, nil))
	}
	g := first.machine.Group()
	var took, worked []time.Duration
	for b.Loop() {
		c, err := group.Text(fmt.Sprintf("message %d, about nothing in particular", len(took)))
		must(b, err)
		began, idle := time.Now(), processTime(b)
		eff := first.step(b, group.Compose{Content: c})
		must(b, db.Commit(g, eff.Write, eff.Rows, nil))
		took, worked = append(took, time.Since(began)), append(worked, processTime(b)-idle)
	}
	for name, list := range map[string][]time.Duration{"ms": took, "cpu-ms": worked} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "p50-"+name)
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "p99-"+name)
	}
	newcomers, first.machine, eff = nil, nil, group.Effects{}
	before := heapInUse()
	began := processTime(b)
	loaded, err := group.LoadBy(first.self, func(k group.Kind, from []byte, each func(group.Record) error) error {
		return db.LoadFrom(g, k, from, each)
	})
	must(b, err)
	b.ReportMetric(float64((processTime(b) - began).Milliseconds()), "load-cpu-ms")
	b.ReportMetric(float64(heapInUse()-before)/1e6*1000/float64(*large), "MB/1000-members")
	runtime.KeepAlive(loaded)
}

// openBench opens a database that is gone after the benchmark.
func openBench(b *testing.B) *store.DB { return open(b, config(b)) }
