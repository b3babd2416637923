package dag_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/dag"
)

// twins returns two entries of one device with one seq, smaller hash first.
func twins(w *writer, now uint64) (x, y *dag.Header) {
	x = w.draft(now)
	x.Sign(w.sign)
	y = w.resign(x, func(h *dag.Header) { h.Time++ })
	if hx, hy := x.Ref().Hash, y.Ref().Hash; bytes.Compare(hx[:], hy[:]) > 0 {
		x, y = y, x
	}
	return x, y
}

func TestEquivocation(t *testing.T) {
	m := newWriter("mallory")
	root := m.say(t, 0)
	x, y := twins(m, 0)
	for _, order := range [][]*dag.Header{{root, x, y}, {root, y, x}, {y, x, root}} {
		g := dag.NewGraph(genesis)
		for _, h := range order {
			if _, err := g.Add(h); err != nil {
				t.Fatal(err)
			}
		}
		if g.Len() != 3 || !g.Has(x.Ref()) || !g.Has(y.Ref()) {
			t.Fatal("not both are in the graph")
		}
		if got := g.Evidence(); !slices.Equal(got, [][2]dag.Ref{{x.Ref(), y.Ref()}}) {
			t.Errorf("evidence %v", got)
		}
		if got := g.Twins(y.Ref()); !slices.Equal(got, []dag.Place{x.Place(), y.Place()}) || !slices.Equal(got, g.Twins(x.Ref())) {
			t.Errorf("twins %v", got)
		}
		if got := g.Twins(root.Ref()); got != nil {
			t.Errorf("twins of an honest entry: %v", got)
		}
		if tip := g.Frontier()[m.id]; tip != (dag.Tip{Seq: 2, Hash: x.Ref().Hash}) {
			t.Errorf("the frontier names %v", tip)
		}
		if p := g.Next(m.id, 0); p.Prev != x.Hash() {
			t.Error("Next does not go on from the entry that the frontier names")
		}
		if got := g.Heads(); !slices.Equal(got, []dag.Ref{x.Ref(), y.Ref()}) {
			t.Errorf("heads %v", got)
		}
	}
}

func TestChildrenOfBothForksWork(t *testing.T) {
	m, b := newWriter("mallory"), newWriter("ben")
	b.take(t, m.say(t, 0))
	x, y := twins(m, 0)
	b.take(t, x)
	b.take(t, y)
	for _, prev := range []*dag.Header{x, y} {
		child := m.resign(prev, func(h *dag.Header) {
			h.Seq, h.Prev, h.Lamport, h.Order = 3, prev.Hash(), prev.Lamport+1, prev.Order+1
		})
		if added := b.take(t, child); len(added) != 1 {
			t.Fatal("the child of a fork had to wait")
		}
	}
	if n := len(b.graph.Evidence()); n != 2 {
		t.Errorf("%d pairs", n)
	}
	h := b.say(t, 0)
	if len(h.Parents) != 2 || h.Parents[0].Device != m.id || h.Parents[1].Device != m.id {
		t.Errorf("parents %v", h.Parents)
	}
	c := newWriter("cho")
	c.pull(t, b, 100)
	if !summarize(c.graph).equal(summarize(b.graph)) {
		t.Error("a newcomer's graph differs")
	}
}

// TestForkHidesFromHeights: two sides hold one fork each; neither height nor
// number tells, the hash in the frontier does.
func TestForkHidesFromHeights(t *testing.T) {
	m := newWriter("mallory")
	root := m.say(t, 0)
	x, y := twins(m, 0)
	a, b := newWriter("ann"), newWriter("ben")
	for _, w := range []*writer{a, b} {
		w.take(t, root)
	}
	a.take(t, x)
	b.take(t, y)
	if a.graph.FrontierDigest() == b.graph.FrontierDigest() {
		t.Fatal("digests are equal")
	}
	a.pull(t, b, 10)
	b.pull(t, a, 10)
	if len(a.graph.Evidence()) != 1 || len(b.graph.Evidence()) != 1 || a.graph.FrontierDigest() != b.graph.FrontierDigest() {
		t.Error("evidence did not reach both")
	}
}

// TestDeepForkIsPulled: the forks parted three entries ago.
func TestDeepForkIsPulled(t *testing.T) {
	m := newWriter("mallory")
	root := m.say(t, 0)
	x, y := twins(m, 0)
	a, b := newWriter("ann"), newWriter("ben")
	for w, h := range map[*writer]*dag.Header{a: x, b: y} {
		w.take(t, root)
		w.take(t, h)
		for range 3 {
			h = m.resign(h, func(h *dag.Header) {
				h.Seq, h.Prev, h.Lamport, h.Order = h.Seq+1, h.Hash(), h.Lamport+1, h.Order+1
			})
			w.take(t, h)
		}
	}
	a.pull(t, b, 10)
	b.pull(t, a, 10)
	if !summarize(a.graph).equal(summarize(b.graph)) || len(a.graph.Evidence()) != 4 {
		t.Errorf("the graphs differ, evidence %v", a.graph.Evidence())
	}
}
