package dag_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// all gives everything.
func all(wire.BlockHash, uint64) dag.Given { return dag.GivenAll }

// newcomer is somebody whom w lets in, with what lies below the floor to be fetched.
func newcomer(t *testing.T, w *writer) (*writer, *dag.Past) {
	t.Helper()
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(floorOf(w)); err != nil {
		t.Fatal(err)
	}
	return n, dag.NewPast(n.graph)
}

// TestPastIsWhole: asked again and again for what is wanted, somebody who has all hands
// over each entry once, the last displayed first, and in the end nothing is wanted; where
// devices signed twice, all that anything names.
func TestPastIsWhole(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		forks := seed%2 == 1
		tg := newTangle(t, rng, 4, 80, forks)
		w := tg.writers[0]
		for _, o := range tg.writers {
			w.pull(t, o, 1000)
		}
		n, p := newcomer(t, w)
		got := 0
		for rounds := 0; !p.Whole(); rounds++ {
			d := w.graph.Descend(nil, p.Wanted(512), 1+rng.IntN(30), all)
			if rounds > 300 || d.Lacks {
				t.Fatalf("seed %d: after %d rounds %v are wanted, lacking %v", seed, rounds, p.Wanted(5), d.Lacks)
			}
			for i, r := range d.Refs {
				if i > 0 && !dag.Less(w.headers[r].Place(), w.headers[d.Refs[i-1]].Place()) {
					t.Fatalf("seed %d: %v is given after %v", seed, r, d.Refs[i-1])
				}
				if !p.Wants(r) {
					if !forks {
						t.Fatalf("seed %d: %v is given twice", seed, r)
					}
					continue
				}
				if err := p.Add(w.headers[r]); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				got++
			}
		}
		if p.Len() != got || !forks && (got != w.graph.Len() || uint64(got) != p.Covered()) {
			t.Fatalf("seed %d: %d of %d are here, %d were given", seed, p.Len(), w.graph.Len(), got)
		}
		for r := range w.headers {
			b, ok := p.Block(r)
			if ok != p.Has(r) || ok && b != w.headers[r].Block || !ok && !forks {
				t.Fatalf("seed %d: of %v block %v is known: %v", seed, r, b, ok)
			}
		}
		// Whom the newcomer lets in has it all from there.
		second := dag.NewPast(n.graph)
		for rounds := 0; !second.Whole(); rounds++ {
			d := n.graph.Descend(p, second.Wanted(512), 20, all)
			if rounds > 300 || d.Lacks {
				t.Fatalf("seed %d: from a newcomer %v are wanted still", seed, second.Wanted(5))
			}
			for _, r := range d.Refs {
				if second.Wants(r) {
					if err := second.Add(w.headers[r]); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
			}
		}
		if second.Len() != p.Len() {
			t.Fatalf("seed %d: %d are handed on of %d", seed, second.Len(), p.Len())
		}
	}
}

// TestPastTakesWhatIsNamed: nothing else, and nothing displayed after what names it.
func TestPastTakesWhatIsNamed(t *testing.T) {
	a := newWriter("ann")
	first := a.say(t, 0)
	second := a.say(t, 0)
	third := a.say(t, 0)
	n, p := newcomer(t, a)
	wantReason(t, p.Add(second), dag.ReasonParent)
	if err := p.Add(third); err != nil {
		t.Fatal(err)
	}
	wantReason(t, p.Add(third), dag.ReasonParent)
	wantReason(t, p.Add(a.resign(second, func(h *dag.Header) { h.Time++ })), dag.ReasonParent)
	wantReason(t, p.Add(a.resign(second, func(h *dag.Header) { h.Version = 9 })), dag.ReasonVersion)
	if p.Whole() || p.Len() != 1 || p.Oldest() != third.Order || !slices.Equal(p.Wanted(9), []dag.Ref{second.Ref()}) {
		t.Errorf("%d are here, wanted %v", p.Len(), p.Wanted(9))
	}
	for _, h := range []*dag.Header{second, first} {
		if err := p.Add(h); err != nil {
			t.Fatal(err)
		}
	}
	if !p.Whole() || p.Covered() != 3 || p.Oldest() != first.Order {
		t.Errorf("%d of %d are here", p.Len(), p.Covered())
	}
	if dag.NewPast(newWriter("ben").graph) != nil || n.graph.Len() != 1 {
		t.Error("where there is no floor something lies below it")
	}
	// An entry that is displayed after what names it is none that an honest device named.
	late := a.draft(0)
	late.Seq, late.Prev, late.Lamport, late.Order = 1, wire.EntryHash{}, 1, genesis+1000
	late.Sign(a.sign)
	next := a.resign(late, func(h *dag.Header) { h.Seq, h.Prev, h.Lamport, h.Order = 2, late.Hash(), 2, genesis+10 })
	b := newWriter("cleo")
	if err := b.graph.SetFloor(dag.Floor{Frontier: []dag.Ref{next.Ref()}, Heads: [][]byte{next.Bytes()}}); err != nil {
		t.Fatal(err)
	}
	p = dag.NewPast(b.graph)
	if err := p.Add(next); err != nil {
		t.Fatal(err)
	}
	wantReason(t, p.Add(late), dag.ReasonOrder)
}

// TestDescentEnds where nothing more is given, and says why it is short.
func TestDescentEnds(t *testing.T) {
	a, b := duo(t)
	tips := a.graph.Frontier().Refs()
	since := func(_ wire.BlockHash, order uint64) dag.Given {
		if order < genesis+20 {
			return dag.GivenNothing
		}
		return dag.GivenHeader
	}
	whole := a.graph.Descend(nil, tips, 9, all)
	if len(whole.Refs) != 3 || whole.Cut || whole.Lacks || whole.Full || slices.Contains(whole.Bare, true) {
		t.Errorf("all: %+v", whole)
	}
	if d := a.graph.Descend(nil, tips, 9, since); len(d.Refs) != 2 || !d.Cut || d.Lacks || slices.Contains(d.Bare, false) {
		t.Errorf("since: %+v", d)
	}
	if d := a.graph.Descend(nil, tips, 2, all); !d.Full || !slices.Equal(d.Refs, whole.Refs[:2]) {
		t.Errorf("two: %+v", d)
	}
	if d := a.graph.Descend(nil, append(slices.Clone(tips), tips...), 9, all); !slices.Equal(d.Refs, whole.Refs) {
		t.Errorf("asked for twice: %+v", d)
	}
	if d := a.graph.Descend(nil, []dag.Ref{{Device: b.id, Seq: 7}}, 9, all); !d.Lacks || len(d.Refs) != 0 {
		t.Errorf("what is not here: %+v", d)
	}
	n, p := newcomer(t, a)
	if d := n.graph.Descend(p, tips, 9, all); !d.Lacks || len(d.Refs) != 1 {
		t.Errorf("a newcomer that has its floor: %+v", d)
	}
}

// TestPastIsLowered with the floor, where that claimed too much.
func TestPastIsLowered(t *testing.T) {
	a, b := duo(t)
	f := floorOf(a)
	i := slices.IndexFunc(f.Frontier, isOf(b))
	f.Frontier[i].Seq, f.Frontier[i].Hash = 5, wire.Short{5}
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(f); err != nil {
		t.Fatal(err)
	}
	p := dag.NewPast(n.graph)
	h := b.say(t, genesis+40)
	p.Lower(h)
	n.graph.Lower(h)
	if want := (dag.Ref{Device: b.id, Seq: h.Seq - 1, Hash: h.Prev.Short()}); !p.Wants(want) || p.Covered() != 3 {
		t.Errorf("%d are covered, wanted %v, not %v", p.Covered(), p.Wanted(9), want)
	}
	if p.Wants(f.Frontier[i]) {
		t.Error("what nobody wrote is wanted")
	}
}
