package mls_test

import (
	"fmt"
	"testing"

	"kith/internal/mls"
)

var benchSizes = []int{2, 10, 100, 1000}

// benchGroup is a group of n in which up to 64 members, spread over the tree,
// committed once. Those 64 and the first two are in the last epoch; the others
// stayed behind, which the benchmarks do not notice.
func benchGroup(b *testing.B, n int) []*device {
	b.Helper()
	g := group(b, n)
	active := []*device{g[0], g[1]}
	for i := 1; i < min(n, 64); i++ {
		if d := g[i*n/min(n, 64)]; d != g[1] {
			active = append(active, d)
		}
	}
	for _, d := range active[1:] {
		d.take(d.commit(mls.CommitParams{}), active)
	}
	return g
}

func each(b *testing.B, run func(b *testing.B, g []*device)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := benchGroup(b, n)
			b.ReportAllocs()
			b.ResetTimer()
			run(b, g)
		})
	}
}

func BenchmarkEncrypt(b *testing.B) {
	text := make([]byte, 1024)
	each(b, func(b *testing.B, g []*device) {
		for b.Loop() {
			if _, err := g[0].epoch.Encrypt(g[0].keys, g[0].key, nil, text, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecrypt(b *testing.B) {
	text := make([]byte, 1024)
	each(b, func(b *testing.B, g []*device) {
		for b.Loop() {
			b.StopTimer()
			m, err := g[0].epoch.Encrypt(g[0].keys, g[0].key, nil, text, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, _, err := g[1].epoch.Decrypt(g[1].keys, m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCommit(b *testing.B) {
	each(b, func(b *testing.B, g []*device) {
		for b.Loop() {
			g[0].commit(mls.CommitParams{})
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	each(b, func(b *testing.B, g []*device) {
		s := g[0].commit(mls.CommitParams{})
		for b.Loop() {
			if _, _, err := g[1].epoch.Process(s.Commit); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkJoin(b *testing.B) {
	each(b, func(b *testing.B, g []*device) {
		d := newDevice(b, "new")
		s := g[0].commit(mls.CommitParams{Add: []*mls.KeyPackage{d.pack}})
		w, err := s.Welcome(g[0].key, nil, true)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			d.join(w, nil)
		}
	})
}

// BenchmarkAddAll is one commit that adds everybody to a group of one.
func BenchmarkAddAll(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			first := newDevice(b, "first")
			first.create("g")
			var packs []*mls.KeyPackage
			for i := range n - 1 {
				packs = append(packs, newDevice(b, fmt.Sprint(i)).pack)
			}
			for b.Loop() {
				first.commit(mls.CommitParams{Add: packs})
			}
		})
	}
}
