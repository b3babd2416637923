package group_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

func target(n int) (t group.Target) {
	binary.BigEndian.PutUint64(t.Commit[:], uint64(n))
	return t
}

// TestGone: what is kept of what is deleted says what a plain list of it does.
func TestGone(t *testing.T) {
	g, want := group.NewGone(), make(map[int]uint8)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		n, as := r.IntN(30_000), uint8(1<<r.IntN(3))
		if fresh := want[n]&as == 0; g.Put(target(n), as) != fresh {
			t.Fatalf("message %d, as %d: known is %v", n, as, fresh)
		}
		want[n] |= as
		if n = r.IntN(40_000); g.As(target(n)) != want[n] {
			t.Fatalf("message %d is gone as %d, want %d", n, g.As(target(n)), want[n])
		}
	}
}

// TestGoneByPowers: of what was taken away by powers those count that are asked for, however
// many there are of one message.
func TestGoneByPowers(t *testing.T) {
	g := group.NewGone()
	ann, ben := wire.PersonID{1}, wire.PersonID{2}
	block := func(n byte) wire.BlockHash { return wire.BlockHash{n} }
	for _, c := range []struct {
		message, block byte
		person         wire.PersonID
		fresh          bool
	}{{1, 1, ann, true}, {2, 1, ann, true}, {1, 1, ann, false}, {1, 2, ann, true}, {1, 3, ben, true}, {1, 3, ben, false}, {2, 4, ben, true}} {
		if got := g.PutBy(target(int(c.message)), 1, c.person, block(c.block)); got != c.fresh {
			t.Errorf("%+v: %v", c, got)
		}
	}
	g.PutBy(target(2), 2, ann, block(5))
	for _, c := range []struct {
		message, block byte
		want           uint8
	}{{1, 1, 1}, {1, 2, 1}, {1, 3, 1}, {1, 4, 0}, {2, 1, 1}, {2, 2, 0}, {2, 4, 1}, {2, 5, 2}, {3, 1, 0}} {
		if got := g.AsBy(target(int(c.message)), block(c.block)); got != c.want {
			t.Errorf("message %d by block %d: %d, want %d", c.message, c.block, got, c.want)
		}
	}
	if g.As(target(1)) != 0 {
		t.Error("it is gone whoever asks")
	}
}

// BenchmarkGone is what is kept of a million messages that are deleted.
func BenchmarkGone(b *testing.B) {
	const many = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		g := group.NewGone()
		for n := range many {
			g.Put(target(n), 1)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/many, "B/message")
		runtime.KeepAlive(g)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/many, "ns/message")
}
