package dag_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// floorOf returns the floor that w hands to a newcomer.
func floorOf(w *writer) dag.Floor {
	return w.graph.Floor(func(r dag.Ref) []byte { return w.headers[r].Bytes() })
}

func TestFloorReturns(t *testing.T) {
	tg := newTangle(t, rand.New(rand.NewPCG(5, 5)), 4, 60, false)
	w := tg.writers[0]
	for _, o := range tg.writers {
		w.pull(t, o, 1000)
	}
	f := floorOf(w)
	b := f.Marshal()
	got, err := dag.ParseFloor(b)
	if err != nil || !bytes.Equal(got.Marshal(), b) || got.Hash() != f.Hash() {
		t.Fatalf("floor changed: %v", err)
	}
	if want := wire.Hash(wire.HashFloor, b); f.Hash() != wire.Digest(want) {
		t.Error("hash of the floor")
	}
}

func TestEmptyFloor(t *testing.T) {
	f := dag.NewGraph(genesis).Floor(nil)
	if b := f.Marshal(); !bytes.Equal(b, []byte{1, 0, 0}) {
		t.Errorf("% x", b)
	}
	a := newWriter("ann")
	if err := a.graph.SetFloor(f); err != nil {
		t.Fatal(err)
	}
	a.say(t, 0)
	if err := a.graph.SetFloor(f); !errors.Is(err, dag.ErrStarted) {
		t.Errorf("got %v", err)
	}
}

func TestFalseFloors(t *testing.T) {
	a, b := duo(t)
	good := floorOf(a)
	strange := newWriter("cho").say(t, 0)
	for name, change := range map[string]func(f *dag.Floor){
		"frontier without heads":  func(f *dag.Floor) { f.Heads = nil },
		"heads without frontier":  func(f *dag.Floor) { f.Frontier = nil },
		"head not in frontier":    func(f *dag.Floor) { f.Heads = append(f.Heads, strange.Bytes()) },
		"head above its frontier": func(f *dag.Floor) { f.Frontier[slices.IndexFunc(f.Frontier, isOf(a))].Seq = 1 },
		"head twice":              func(f *dag.Floor) { f.Heads = append(f.Heads, f.Heads[0]) },
		"device twice":            func(f *dag.Floor) { f.Frontier[1].Device = f.Frontier[0].Device },
		"seq zero":                func(f *dag.Floor) { f.Frontier[slices.IndexFunc(f.Frontier, isOf(b))].Seq = 0 },
	} {
		f := dag.Floor{Frontier: slices.Clone(good.Frontier), Heads: slices.Clone(good.Heads)}
		change(&f)
		if err := dag.NewGraph(genesis).SetFloor(f); !errors.As(err, new(*dag.RejectError)) {
			t.Errorf("%s: SetFloor says %v", name, err)
		}
		if _, err := dag.ParseFloor(f.Marshal()); !errors.As(err, new(*dag.RejectError)) {
			t.Errorf("%s: ParseFloor says %v", name, err)
		}
	}
}

func isOf(w *writer) func(dag.Ref) bool {
	return func(r dag.Ref) bool { return r.Device == w.id }
}

// TestNewcomer: whoever starts at a floor takes in every honest entry above it,
// laggards' too, and ends with the heads and the frontier of the others, who
// take in what it writes.
func TestNewcomer(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		tg := newTangle(t, rng, 4, 60, false)
		inviter := tg.writers[0]
		f := floorOf(inviter)
		n := newWriter("newcomer")
		if err := n.graph.SetFloor(f); err != nil {
			t.Fatal(err)
		}
		if n.graph.FrontierDigest() != inviter.graph.FrontierDigest() || !slices.Equal(n.graph.Heads(), inviter.graph.Heads()) {
			t.Fatalf("seed %d: the newcomer starts elsewhere", seed)
		}
		inviter.take(t, n.say(t, wildClock(rng)))
		for range 60 {
			w := tg.writers[rng.IntN(4)]
			w.pull(t, tg.writers[rng.IntN(4)], 30)
			w.say(t, wildClock(rng))
		}
		for _, w := range tg.writers {
			inviter.pull(t, w, 1000)
		}
		n.pull(t, inviter, 1000)
		n.pull(t, inviter, 1000)
		if n.graph.FrontierDigest() != inviter.graph.FrontierDigest() || !slices.Equal(n.graph.Heads(), inviter.graph.Heads()) {
			t.Fatalf("seed %d: the newcomer ends elsewhere; missing %v", seed, n.graph.Missing())
		}
		if got := n.graph.Withdrawn(); len(got) != 0 {
			t.Fatalf("seed %d: withdrawn %v", seed, got)
		}
		inviter.take(t, n.say(t, wildClock(rng)))
		if len(n.graph.Suffix(inviter.graph.Frontier(), 10)) != 0 {
			t.Fatalf("seed %d: suffix is not empty", seed)
		}
	}
}

func TestBelowTheFloor(t *testing.T) {
	a, b := duo(t)
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(floorOf(a)); err != nil {
		t.Fatal(err)
	}
	for _, h := range a.headers {
		v, err := n.graph.Check(h)
		want := dag.Below
		if slices.Contains(a.graph.Heads(), h.Ref()) {
			want = dag.Known
		}
		if err != nil || v.State != want {
			t.Errorf("%v: %v %v", h.Place(), v, err)
		}
		if added, err := n.graph.Add(h); err != nil || len(added) != 0 || !n.graph.Has(h.Ref()) {
			t.Errorf("added %v %v", added, err)
		}
	}
	if p := n.graph.Next(b.id, 0); p.Seq != 2 || p.Prev != (wire.EntryHash{}) {
		t.Errorf("a device whose last entry is known by name only gets position %+v", p)
	}
	if got := n.graph.Suffix(nil, 10); !slices.Equal(got, a.graph.Heads()) {
		t.Errorf("a newcomer offers %v", got)
	}
}

// TestClaimsOverTheFloor: of an entry that names what lies below the floor only
// the lower bounds can be checked.
func TestClaimsOverTheFloor(t *testing.T) {
	a, b := duo(t) // heads: a's entry 2, lamport 3, order genesis+30
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(floorOf(a)); err != nil {
		t.Fatal(err)
	}
	late := b.resign(b.draft(0), func(h *dag.Header) { h.Parents = nil; h.Lamport, h.Order = 3, genesis+21 })
	if v, err := n.graph.Check(late); err != nil || v.State != dag.Ready {
		t.Fatalf("%v %v", v, err)
	}
	for _, c := range []struct {
		change func(h *dag.Header)
		reason dag.Reason
	}{
		{func(h *dag.Header) { h.Order = genesis }, dag.ReasonOrder},
		{func(h *dag.Header) { h.Parents = n.graph.Heads() }, dag.ReasonLamport},
		{func(h *dag.Header) { h.Parents, h.Lamport = n.graph.Heads(), 4 }, dag.ReasonOrder},
	} {
		_, err := n.graph.Check(b.resign(late, c.change))
		wantReason(t, err, c.reason)
	}
}

// TestNewcomerIsNotDraggedAlong: a member writes, to the newcomer alone, an
// entry whose false claims only those see who have what lies below the floor,
// and another that names an entry nobody has. Whatever the newcomer writes
// afterwards must be accepted by the others.
func TestNewcomerIsNotDraggedAlong(t *testing.T) {
	a, m := duo(t)
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(floorOf(a)); err != nil {
		t.Fatal(err)
	}
	bad := m.resign(m.draft(0), func(h *dag.Header) { h.Parents = nil; h.Lamport, h.Order = 99, genesis+1_000_000 })
	_, err := a.graph.Check(bad)
	wantReason(t, err, dag.ReasonLamport)
	x := newWriter("accomplice")
	ghost := x.resign(x.draft(0), func(h *dag.Header) {
		h.Parents = []dag.Ref{{Device: a.id, Seq: 1, Hash: wire.Short{1}}}
		h.Lamport, h.Order = 9, genesis+1_000_001
	})
	after := x.resign(ghost, func(h *dag.Header) {
		h.Seq, h.Prev, h.Lamport, h.Order = 2, ghost.Hash(), 100, genesis+2_000_000
		h.Parents = []dag.Ref{bad.Ref()}
	})
	for _, h := range []*dag.Header{bad, ghost, after} {
		if added := n.take(t, h); len(added) != 1 {
			t.Fatal("not added")
		}
	}
	if got := n.graph.Heads(); !slices.Contains(got, after.Ref()) {
		t.Fatalf("heads %v", got)
	}
	own := n.say(t, 0)
	if own.Order <= after.Order {
		t.Error("an answer is displayed before what its author had seen")
	}
	if added := a.take(t, own); len(added) != 1 {
		t.Error("the others have to wait for the newcomer's entry")
	}
	honest := a.say(t, 0)
	n.take(t, honest)
	if next := n.say(t, 0); !slices.Equal(next.Parents, []dag.Ref{honest.Ref()}) {
		t.Errorf("parents %v", next.Parents)
	}
	if f := floorOf(n); len(f.Heads) != 1 {
		t.Errorf("the next newcomer is handed %d heads", len(f.Heads))
	}
}

// TestForkAtTheFloor: the twin of the entry that the floor names is a matter of
// evidence and of its children, above the floor too.
func TestForkAtTheFloor(t *testing.T) {
	m, a := newWriter("mallory"), newWriter("ann")
	a.take(t, m.say(t, 0))
	x, y := twins(m, 0)
	a.take(t, x)
	a.take(t, y)
	n := newWriter("newcomer")
	if err := n.graph.SetFloor(floorOf(a)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(n.graph.Heads(), a.graph.Heads()) || len(n.graph.Evidence()) != 1 {
		t.Fatalf("heads %v evidence %v", n.graph.Heads(), n.graph.Evidence())
	}
	a.take(t, n.say(t, 0))
	z := m.resign(x, func(h *dag.Header) { h.Time += 99 })
	if added := n.take(t, z); len(added) != 1 {
		t.Error("a third twin did not get in")
	}
	a.take(t, z)
	if !slices.Equal(n.graph.Evidence(), a.graph.Evidence()) || n.graph.FrontierDigest() != a.graph.FrontierDigest() {
		t.Error("the graphs differ")
	}
}

// TestFloorWithHugeSeq: numbers of a hostile inviter cost nothing.
func TestFloorWithHugeSeq(t *testing.T) {
	a := newWriter("ann")
	h := a.resign(a.draft(0), func(h *dag.Header) { h.Seq, h.Lamport = dag.MaxLamport-1, dag.MaxLamport-1; h.Prev[0] = 1 })
	twin := a.resign(h, func(h *dag.Header) { h.Seq = 1 << 50 })
	heads := [][]byte{twin.Bytes(), h.Bytes()}
	g := dag.NewGraph(genesis)
	if err := g.SetFloor(dag.Floor{Frontier: []dag.Ref{h.Ref()}, Heads: heads}); err != nil {
		t.Fatal(err)
	}
	if got := g.Suffix(nil, 10); len(got) != 2 {
		t.Errorf("suffix %v", got)
	}
	if got := g.Next(a.id, 0); got.Lamport != dag.MaxLamport {
		t.Errorf("next %+v", got)
	}
	g.Suffix(dag.Frontier{a.id: {Seq: 1}}, 10)
	g.Evidence()
}
