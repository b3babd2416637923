//go:build unix

package mls

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The benchmarks report CPU time beside the clock, as machines are shared, and
// the bytes of what they make. Trees are full. MLS_BENCH_SIZES and
// MLS_BENCH_SUITES choose among the cases: "2,100" and "1,61441".

func chosen(name string, all ...int) []int {
	var out []int
	for _, word := range strings.Split(os.Getenv(name), ",") {
		if n, err := strconv.Atoi(word); err == nil {
			out = append(out, n)
		}
	}
	if len(out) > 0 {
		return out
	}
	return all
}

func benchSizes() []int  { return chosen("MLS_BENCH_SIZES", 2, 10, 100, 1000, 10000) }
func benchSuites() []int { return chosen("MLS_BENCH_SUITES", 1, 0xF001) }

var fullGroups sync.Map // of fullGroup, by suite and size: they take a while

func fullOf(b *testing.B, s Suite, n int) *fullGroup {
	b.Helper()
	key := [2]int{int(s), n}
	if g, ok := fullGroups.Load(key); ok {
		return g.(*fullGroup)
	}
	g := newFullGroup(b, s, n)
	fullGroups.Store(key, g)
	return g
}

// each runs a benchmark for every suite and size.
func each(b *testing.B, run func(b *testing.B, g *fullGroup)) {
	for _, s := range benchSuites() {
		for _, n := range benchSizes() {
			b.Run(fmt.Sprintf("suite=%#x/n=%d", s, n), func(b *testing.B) {
				run(b, fullOf(b, Suite(s), n))
			})
		}
	}
}

// cpu is the CPU time of this process. What getrusage says of it is counted in
// ticks on some systems, and wrong by half for what takes microseconds.
func cpu() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// measure runs op b.N times and reports its CPU time.
func measure(b *testing.B, op func()) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	var spent time.Duration
	for b.Loop() {
		start := cpu()
		op()
		spent += cpu() - start
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func BenchmarkEncrypt(b *testing.B) {
	text := make([]byte, 1024)
	each(b, func(b *testing.B, g *fullGroup) {
		e := g.member(0)
		r := e.Ratchets()
		first, _ := e.Encrypt(r, g.signers[0], nil, text, 0)
		stored := size(r.Changes())
		start, n := cpu(), 0
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Encrypt(r, g.signers[0], nil, text, 0); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(n), "cpu-ms/op")
		b.ReportMetric(float64(len(first)), "bytes")
		b.ReportMetric(float64(stored), "stored-first")
		r.Changes()
		e.Encrypt(r, g.signers[0], nil, text, 0)
		b.ReportMetric(float64(size(r.Changes())), "stored")
	})
}

func size(changes []Change) (n int) {
	for _, c := range changes {
		n += len(c.Key) + len(c.Value)
	}
	return n
}

func BenchmarkDecrypt(b *testing.B) {
	text := make([]byte, 1024)
	each(b, func(b *testing.B, g *fullGroup) {
		from, to := g.member(0), g.member(1)
		send, receive := from.Ratchets(), to.Ratchets()
		var spent time.Duration
		n, stored := 0, 0
		for b.Loop() {
			b.StopTimer()
			m, err := from.Encrypt(send, g.signers[0], nil, text, 0)
			check(b, err)
			b.StartTimer()
			start := cpu()
			if _, _, err := to.Decrypt(receive, m); err != nil {
				b.Fatal(err)
			}
			spent += cpu() - start
			n++
			stored = size(receive.Changes())
		}
		b.ReportMetric(float64(spent.Microseconds())/1000/float64(n), "cpu-ms/op")
		b.ReportMetric(float64(stored), "stored")
	})
}

func BenchmarkCommit(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		e := g.member(0)
		var s *StagedCommit
		measure(b, func() {
			var err error
			if s, err = e.Commit(CommitParams{Signer: g.signers[0]}); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(float64(len(s.Commit.Bytes())), "bytes")
	})
}

func BenchmarkProcess(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		s, err := g.member(0).Commit(CommitParams{Signer: g.signers[0]})
		check(b, err)
		e, raw := g.member(1), s.Commit.Bytes()
		measure(b, func() {
			c, err := ParseCommit(raw)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := e.Process(c); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkAddOne(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		m := newPartyOf(b, g.pub.Suite(), "new")
		e := g.member(0)
		measure(b, func() {
			if _, err := e.Commit(CommitParams{Signer: g.signers[0], Add: []*KeyPackage{m.pack}}); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkRemoveOne(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		e := g.member(0)
		measure(b, func() {
			if _, err := e.Commit(CommitParams{Signer: g.signers[0], Remove: []uint32{1}}); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkJoin(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		m := newPartyOf(b, g.pub.Suite(), "new")
		s, err := g.member(0).Commit(CommitParams{Signer: g.signers[0], Add: []*KeyPackage{m.pack}})
		check(b, err)
		w, err := s.Welcome(g.signers[0], nil, true)
		check(b, err)
		measure(b, func() {
			if _, _, err := Join(w, m.pack, m.secret, nil); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(float64(len(w)), "bytes")
	})
}

// benchPackages makes a founder and key packages for n-1 others.
func benchPackages(b *testing.B, s Suite, n int) (*party, []*KeyPackage) {
	b.Helper()
	first := newPartyOf(b, s, "first")
	packs := make([]*KeyPackage, n-1)
	for i := range packs {
		packs[i] = newPartyOf(b, s, strconv.Itoa(i)).pack
	}
	var err error
	first.epoch, err = Create(s, []byte("g"), first.pack, first.secret)
	check(b, err)
	return first, packs
}

// BenchmarkAddAll is one commit that adds everybody to a group of one, with its
// Welcome, the tree beside it; in BenchmarkAddAllInline it is inside.
// BenchmarkCommitAfterAddAll is the commit of the founder after that.
func BenchmarkAddAll(b *testing.B)       { benchAddAll(b, false) }
func BenchmarkAddAllInline(b *testing.B) { benchAddAll(b, true) }

func benchAddAll(b *testing.B, inline bool) {
	for _, s := range benchSuites() {
		for _, n := range benchSizes() {
			b.Run(fmt.Sprintf("suite=%#x/n=%d", s, n), func(b *testing.B) {
				first, packs := benchPackages(b, Suite(s), n)
				var w []byte
				measure(b, func() {
					s, err := first.epoch.Commit(CommitParams{Add: packs, Signer: first.signer})
					if err != nil {
						b.Fatal(err)
					}
					if w, err = s.Welcome(first.signer, nil, inline); err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(float64(len(w)), "bytes")
			})
		}
	}
}

func BenchmarkCommitAfterAddAll(b *testing.B) {
	for _, s := range benchSuites() {
		for _, n := range benchSizes() {
			b.Run(fmt.Sprintf("suite=%#x/n=%d", s, n), func(b *testing.B) {
				first, packs := benchPackages(b, Suite(s), n)
				s, err := first.epoch.Commit(CommitParams{Add: packs, Signer: first.signer})
				check(b, err)
				measure(b, func() {
					if _, err := s.Next.Commit(CommitParams{Signer: first.signer}); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
}

// BenchmarkMemory reports what a full group holds in memory, as a member has it.
func BenchmarkMemory(b *testing.B) {
	each(b, func(b *testing.B, g *fullGroup) {
		stored := g.pub.Marshal()
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		p, err := ParsePublicGroup(stored)
		check(b, err)
		runtime.GC()
		runtime.ReadMemStats(&after)
		for b.Loop() {
			p.Members()
		}
		runtime.KeepAlive(p)
		b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "bytes")
		b.ReportMetric(float64(len(stored)), "stored")
	})
}
