package mailbox_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/link"
	"kith/internal/mailbox"
)

// benchBox is a mailbox on a network in memory with real files below.
func benchBox(b *testing.B) (*link.MemNet, link.Link, string) {
	net, dir := link.NewMemNet(), b.TempDir()
	l := link.NewMem(net, "box")
	serve(b, mailbox.Config{Link: l, Engine: openEngine(b, dir, mailbox.Bounds{DropItems: 1 << 30, DropBytes: 1 << 40})})
	return net, l, dir
}

// report prints a middle and a late latency.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "items/s")
}

// BenchmarkPut: one item of 4 KiB after the other into drops of their own, by so many
// clients at once; each answer after an fsync.
func BenchmarkPut(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			net, l, _ := benchBox(b)
			measure(b, clients, func(n int) func() error {
				c, k := client(b, openMem(net), boxOf(l)), keys(n, true)
				_, err := c.Make(b.Context(), k, 24)
				must(b, err)
				return func() error { _, err := c.Put(b.Context(), k, small(n)); return err }
			})
		})
	}
}

// BenchmarkFetch: one item a fetch.
func BenchmarkFetch(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			net, l, _ := benchBox(b)
			measure(b, clients, func(n int) func() error {
				c, k := client(b, openMem(net), boxOf(l)), keys(n, true)
				_, err := c.MakeAndPut(b.Context(), k, 24, small(n))
				must(b, err)
				return func() error { _, err := c.Fetch(b.Context(), k, 0); return err }
			})
		})
	}
}

func measure(b *testing.B, clients int, prepare func(n int) func() error) {
	var each []func() error
	for n := range clients {
		each = append(each, prepare(n))
	}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for _, do := range each {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				began := time.Now()
				if err := do(); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	report(b, took)
}

// resident is the memory of this process, in bytes.
func resident() int64 {
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize())
}

// BenchmarkDrops: memory and disk at 100,000 drops with one item of 4 KiB each.
func BenchmarkDrops(b *testing.B) {
	const drops = 100_000
	for range b.N {
		dir, before := b.TempDir(), resident()
		e := openEngine(b, dir, mailbox.Bounds{})
		var wg sync.WaitGroup
		var next atomic.Int64
		for range 64 {
			wg.Go(func() {
				for n := next.Add(1); n <= drops; n = next.Add(1) {
					d := dropOf(int(n))
					if _, err := e.Make(context.Background(), d, 1); err != nil {
						b.Error(err)
					}
					if _, err := e.Put(context.Background(), d.Name(), [][]byte{small(int(n))}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(resident()-before)/1e6, "MB-memory")
		must(b, e.Close())
		disk := int64(0)
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range files {
			if i, err := os.Stat(f); err == nil {
				disk += i.Size()
			}
		}
		b.ReportMetric(float64(disk)/drops, "disk-B/item")
	}
}

// BenchmarkWaiting: 10,000 clients that wait, each on a connection of its own, on a
// network in memory: clients and server in this process. Then one item to each.
func BenchmarkWaiting(b *testing.B) {
	const waiting = 10_000
	for range b.N {
		net, l, _ := benchBox(b)
		open, before := openMem(net), resident()
		var ready, heard sync.WaitGroup
		clients := make([]*mailbox.Client, waiting)
		for n := range waiting {
			c, err := mailbox.Dial(b.Context(), open, boxOf(l))
			must(b, err)
			_, err = c.Make(b.Context(), keys(n, true), 24)
			must(b, err)
			clients[n] = c
			ready.Add(1)
			heard.Go(func() {
				ready.Done()
				if end, err := c.Wait(b.Context(), keys(n, true), 0, time.Hour); err != nil || end != 1 {
					b.Error(end, err)
				}
			})
		}
		ready.Wait()
		b.ReportMetric(float64(resident()-before)/waiting, "B/waiting")
		began := time.Now()
		var wg sync.WaitGroup
		for part := range 64 {
			wg.Go(func() {
				c := clients[part]
				for n := part; n < waiting; n += 64 {
					if _, err := c.Put(b.Context(), keys(n, true), small(n)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		heard.Wait()
		b.ReportMetric(waiting/time.Since(began).Seconds(), "notices/s")
		for _, c := range clients {
			c.Close()
		}
	}
}
