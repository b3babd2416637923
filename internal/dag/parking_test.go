package dag_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

func TestGapIsAskedForByName(t *testing.T) {
	a, b := newWriter("ann"), newWriter("ben")
	var log []*dag.Header
	for range 4 {
		log = append(log, a.say(t, 0))
	}
	for _, i := range []int{3, 1} {
		if added := b.take(t, log[i]); len(added) != 0 {
			t.Fatalf("entry %d did not wait", i+1)
		}
	}
	if got := b.graph.Missing(); !slices.Equal(got, []dag.Ref{log[0].Ref(), log[2].Ref()}) {
		t.Fatalf("missing %v", got)
	}
	v, err := b.graph.Check(log[3])
	if err != nil || v.State != dag.Parked || !slices.Equal(v.Missing, []dag.Ref{log[2].Ref()}) {
		t.Errorf("verdict %v %v", v, err)
	}
	if b.graph.Len() != 0 || len(b.graph.Frontier()) != 0 {
		t.Error("a parked entry shows in the frontier")
	}
	if added := b.take(t, log[2]); len(added) != 0 {
		t.Error("entry 3 went in before entry 1")
	}
	if got := b.graph.Missing(); !slices.Equal(got, []dag.Ref{log[0].Ref()}) {
		t.Errorf("missing %v", got)
	}
	want := []dag.Ref{log[0].Ref(), log[1].Ref(), log[2].Ref(), log[3].Ref()}
	if added := b.take(t, log[0]); !slices.Equal(added, want) {
		t.Errorf("added %v", added)
	}
	if v, err := b.graph.Check(log[2]); err != nil || v.State != dag.Known || len(b.graph.Missing()) != 0 {
		t.Errorf("afterwards %v %v", v, err)
	}
}

// TestLacking: what is not here is counted by the numbers that are named, not by the names.
func TestLacking(t *testing.T) {
	a, b, c := newWriter("ann"), newWriter("ben"), newWriter("cho")
	var log []*dag.Header
	for range 40 {
		log = append(log, a.say(t, 0))
	}
	other := c.say(t, 0)
	b.take(t, log[0])
	b.take(t, log[1])
	b.take(t, other)
	for _, step := range []struct {
		entry *dag.Header
		want  uint64
	}{
		{log[1], 0},   // nothing waits
		{log[39], 37}, // 3 to 39
		{log[38], 36},
		{log[19], 35}, // in between
		{log[2], 34},
	} {
		b.take(t, step.entry)
		if got := b.graph.Lacking(); got != step.want {
			t.Errorf("after number %d: %d lack, want %d", step.entry.Seq, got, step.want)
		}
	}
	b.take(t, c.resign(c.draft(0), func(h *dag.Header) {
		h.Parents, h.Lamport = []dag.Ref{log[39].Ref(), {Device: wire.DeviceID{9}, Seq: 100}}, 150
		slices.SortFunc(h.Parents, dag.Ref.Compare)
		h.Order = log[39].Order + 1
	}))
	if got := b.graph.Lacking(); got != 134 {
		t.Errorf("%d lack, with a hundred of somebody of whom nothing is here", got)
	}
	for _, h := range log {
		b.take(t, h)
	}
	if got := b.graph.Lacking(); got != 100 {
		t.Errorf("%d lack", got)
	}
}

func TestFalseClaimIsWithdrawn(t *testing.T) {
	a, b, c := newWriter("ann"), newWriter("ben"), newWriter("cho")
	first := a.say(t, genesis+10)
	b.take(t, first)
	good := b.draft(0)
	good.Sign(b.sign)
	bad := b.resign(good, func(h *dag.Header) { h.Lamport += 5 })
	child := c.resign(c.draft(0), func(h *dag.Header) {
		h.Parents, h.Lamport = []dag.Ref{bad.Ref()}, bad.Lamport+1
	})
	grandchild := c.resign(child, func(h *dag.Header) {
		h.Seq, h.Prev, h.Parents, h.Lamport = 2, child.Hash(), nil, child.Lamport+1
	})

	g := dag.NewGraph(genesis)
	for _, h := range []*dag.Header{grandchild, child, bad, good} {
		if added, err := g.Add(h); err != nil || len(added) != 0 {
			t.Fatalf("%v %v", added, err)
		}
	}
	added, err := g.Add(first)
	if err != nil || !slices.Equal(added, []dag.Ref{first.Ref(), good.Ref()}) {
		t.Fatalf("added %v %v", added, err)
	}
	want := []dag.Withdrawal{
		{Ref: bad.Ref(), Reason: dag.ReasonLamport},
		{Ref: child.Ref(), Reason: dag.ReasonParent},
		{Ref: grandchild.Ref(), Reason: dag.ReasonParent},
	}
	if got := g.Withdrawn(); !slices.Equal(got, want) {
		t.Errorf("withdrawn %v", got)
	}
	if len(g.Withdrawn()) != 0 || len(g.Missing()) != 0 {
		t.Error("something is left over")
	}
	_, err = g.Check(grandchild)
	wantReason(t, err, dag.ReasonParent)
}

// orphan returns an entry of device that names one nobody has.
func orphan(device, n uint32) *dag.Header {
	h := &dag.Header{Version: dag.Version, SigAlg: wire.SigEd25519, Seq: 2, Lamport: 9, Order: genesis + 9}
	binary.BigEndian.PutUint32(h.Device[:], device)
	h.Prev[0] = 1
	binary.BigEndian.PutUint32(h.Prev[1:], n)
	return h
}

func TestFloodOfParkedIsBounded(t *testing.T) {
	g := dag.NewGraph(genesis)
	for n := range uint32(dag.MaxParkedDevice) {
		if _, err := g.Add(orphan(1, n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Add(orphan(1, dag.MaxParkedDevice)); !errors.Is(err, dag.ErrFull) {
		t.Fatalf("got %v", err)
	}
	if _, err := g.Add(orphan(1, 0)); err != nil {
		t.Errorf("what is parked already: %v", err)
	}
	for d := uint32(2); d <= dag.MaxParked/dag.MaxParkedDevice; d++ {
		for n := range uint32(dag.MaxParkedDevice) {
			if _, err := g.Add(orphan(d, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := g.Add(orphan(99, 0)); !errors.Is(err, dag.ErrFull) {
		t.Fatalf("got %v", err)
	}
	if len(g.Missing()) != dag.MaxParked {
		t.Errorf("%d missing", len(g.Missing()))
	}
	a := newWriter("ann")
	if added, err := g.Add(a.say(t, 0)); err != nil || len(added) != 1 {
		t.Errorf("a full parking keeps a ready entry out: %v", err)
	}
}

func TestParkedIsACopy(t *testing.T) {
	a, b := newWriter("ann"), newWriter("ben")
	first := a.say(t, 0)
	second := a.say(t, 0)
	b.take(t, second)
	changed := *second
	second.Lamport = 77
	if added := b.take(t, first); len(added) != 2 || added[1] != changed.Ref() {
		t.Errorf("added %v", added)
	}
}

// TestMemoryOfRefusedIsBounded: the oldest refusal is forgotten; what names it
// then waits, and is withdrawn when it is judged again.
func TestMemoryOfRefusedIsBounded(t *testing.T) {
	g := dag.NewGraph(genesis)
	bad := func(n uint64) *dag.Header {
		h := orphan(1, 0)
		h.Seq, h.Prev, h.Lamport, h.Time = 1, wire.EntryHash{}, 2, n
		return h
	}
	for n := range uint64(10_001) {
		_, err := g.Add(bad(n))
		wantReason(t, err, dag.ReasonLamport)
	}
	child := orphan(1, 0)
	child.Prev = bad(10_000).Hash()
	_, err := g.Add(child)
	wantReason(t, err, dag.ReasonParent)
	child.Prev = bad(0).Hash()
	if added, err := g.Add(child); err != nil || len(added) != 0 {
		t.Fatalf("%v %v", added, err)
	}
	_, err = g.Add(bad(0))
	wantReason(t, err, dag.ReasonLamport)
	if got := g.Withdrawn(); len(got) != 1 || got[0].Ref != child.Ref() {
		t.Errorf("withdrawn %v", got)
	}
}
