package mailnats_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/mailbox"
	"kith/internal/mailnats"
)

// BenchmarkEngines compares what keeps the items, in one run: the file of one mailbox, one server,
// and three. The servers are processes of their own beside this one, on the same cores and disk,
// each with an fsync before it answers.
func BenchmarkEngines(b *testing.B) {
	for _, kind := range []struct {
		name string
		open func(b *testing.B) (mailbox.Engine, []*natsServer)
	}{
		{"sqlite", func(b *testing.B) (mailbox.Engine, []*natsServer) {
			e, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: b.TempDir(), Bounds: wide})
			must(b, err)
			return e, nil
		}},
		{"nats1", func(b *testing.B) (mailbox.Engine, []*natsServer) { return openServers(b, 1) }},
		{"nats3", func(b *testing.B) (mailbox.Engine, []*natsServer) { return openServers(b, 3) }},
	} {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/put/%d", kind.name, clients), func(b *testing.B) { benchPut(b, kind.open, clients) })
			b.Run(fmt.Sprintf("%s/fetch/%d", kind.name, clients), func(b *testing.B) { benchFetch(b, kind.open, clients) })
		}
		b.Run(kind.name+"/drops", func(b *testing.B) { benchDrops(b, kind.open) })
	}
}

var wide = mailbox.Bounds{DropItems: 1 << 30, DropBytes: 1 << 40}

func openServers(b *testing.B, n int) (mailbox.Engine, []*natsServer) {
	dir := b.TempDir()
	list, text := servers(b, n, dir)
	e, err := mailnats.Open(b.Context(), mailnats.Config{Servers: text, Dir: dir, Bounds: wide})
	must(b, err)
	return e, list
}

func dropOf(n int) mailbox.Drop {
	return mailbox.Derive([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}, true).Drop
}

func benchPut(b *testing.B, open func(b *testing.B) (mailbox.Engine, []*natsServer), clients int) {
	e, _ := open(b)
	defer e.Close()
	for n := range clients {
		_, err := e.Make(b.Context(), dropOf(n), 1)
		must(b, err)
	}
	measure(b, clients, func(client, i int) error {
		_, err := e.Put(b.Context(), dropOf(client).Name(), [][]byte{numbered(uint64(i))})
		return err
	})
}

// benchFetch fetches pages of one item.
func benchFetch(b *testing.B, open func(b *testing.B) (mailbox.Engine, []*natsServer), clients int) {
	e, _ := open(b)
	defer e.Close()
	for n := range clients {
		_, err := e.Make(b.Context(), dropOf(n), 1)
		must(b, err)
		_, err = e.Put(b.Context(), dropOf(n).Name(), [][]byte{numbered(1)})
		must(b, err)
	}
	measure(b, clients, func(client, _ int) error {
		p, err := e.Fetch(b.Context(), dropOf(client).Name(), 0)
		if err == nil && len(p.Items) != 1 {
			err = fmt.Errorf("%d items", len(p.Items))
		}
		return err
	})
}

// measure has do called b.N times, by so many at once.
func measure(b *testing.B, clients int, do func(client, i int) error) {
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for client := range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := do(client, i); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// benchDrops: memory of the mailbox, and of each server, at 100,000 drops with one item of 4 KiB
// each, and how long a mailbox needs to begin with them.
func benchDrops(b *testing.B, open func(b *testing.B) (mailbox.Engine, []*natsServer)) {
	const drops = 100_000
	for range b.N {
		before := resident("self")
		e, list := open(b)
		var wg sync.WaitGroup
		var next atomic.Int64
		began := time.Now()
		for range 64 {
			wg.Go(func() {
				for n := int(next.Add(1)); n <= drops; n = int(next.Add(1)) {
					if _, err := e.Make(context.Background(), dropOf(n), 1); err != nil {
						b.Error(err)
					}
					if _, err := e.Put(context.Background(), dropOf(n).Name(), [][]byte{numbered(uint64(n))}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(drops/time.Since(began).Seconds(), "drops/s")
		b.ReportMetric(float64(resident("self")-before)/1e6, "MB-memory")
		for i, s := range list {
			b.ReportMetric(float64(resident(fmt.Sprint(s.cmd.Process.Pid)))/1e6, fmt.Sprintf("MB-server%d", i+1))
		}
		began = time.Now()
		must(b, e.Expire(context.Background(), 1))
		b.ReportMetric(drops/time.Since(began).Seconds(), "expired/s")
		must(b, e.Close())
	}
}

// resident is the memory of a process, in bytes.
func resident(pid string) int64 {
	runtime.GC()
	text, err := os.ReadFile("/proc/" + pid + "/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize())
}
