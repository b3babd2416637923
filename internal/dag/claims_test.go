package dag_test

import (
	"errors"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// duo returns two writers; b holds a's two entries, a holds b's one.
func duo(t *testing.T) (a, b *writer) {
	a, b = newWriter("ann"), newWriter("ben")
	a.say(t, genesis+10)
	b.pull(t, a, 10)
	b.say(t, genesis+20)
	a.pull(t, b, 10)
	a.say(t, genesis+30)
	b.pull(t, a, 10)
	return a, b
}

func TestFalseClaims(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *dag.Header)
		reason dag.Reason
	}{
		{"lamport too low", func(h *dag.Header) { h.Lamport-- }, dag.ReasonLamport},
		{"lamport too high", func(h *dag.Header) { h.Lamport++ }, dag.ReasonLamport},
		{"lamport at the end", func(h *dag.Header) { h.Lamport = dag.MaxLamport - 1 }, dag.ReasonLamport},
		{"lamport over the end", func(h *dag.Header) { h.Lamport = dag.MaxLamport }, dag.ReasonForm},
		{"lamport zero", func(h *dag.Header) { h.Lamport = 0 }, dag.ReasonForm},
		{"order equal to a parent's", func(h *dag.Header) { h.Order = genesis + 30 }, dag.ReasonOrder},
		{"order zero", func(h *dag.Header) { h.Order = 0 }, dag.ReasonOrder},
		{"order beyond the drift", func(h *dag.Header) { h.Order = genesis + 30 + dag.MaxDrift + 1 }, dag.ReasonOrder},
		{"order at the end of numbers", func(h *dag.Header) { h.Order = ^uint64(0) }, dag.ReasonOrder},
		{"no prev", func(h *dag.Header) { h.Prev = wire.EntryHash{} }, dag.ReasonForm},
		{"seq zero", func(h *dag.Header) { h.Seq = 0 }, dag.ReasonForm},
		{"gap", func(h *dag.Header) { h.Seq++ }, dag.ReasonGap},
		{"own device as parent", func(h *dag.Header) { h.Parents[0].Device = h.Device }, dag.ReasonForm},
		{"parents twice", func(h *dag.Header) { h.Parents = append(h.Parents, h.Parents[0]) }, dag.ReasonForm},
		{"newer version", func(h *dag.Header) { h.Version++ }, dag.ReasonVersion},
		{"another algorithm", func(h *dag.Header) { h.SigAlg++ }, dag.ReasonForm},
		{"huge ciphertext", func(h *dag.Header) { h.Length = dag.MaxCiphertext + 1 }, dag.ReasonForm},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, b := duo(t)
			h := b.draft(genesis + 40)
			if h.Seq != 2 || len(h.Parents) != 1 {
				t.Fatalf("draft %+v", h)
			}
			before := summarize(b.graph)
			forged := b.resign(h, c.change)
			_, err := b.graph.Check(forged)
			wantReason(t, err, c.reason)
			_, err = b.graph.Add(forged)
			wantReason(t, err, c.reason)
			if !summarize(b.graph).equal(before) || len(b.graph.Missing()) != 0 {
				t.Error("a refused entry left a trace")
			}
			h.Sign(b.sign)
			b.take(t, h)
		})
	}
}

func TestOrderBoundsAreExact(t *testing.T) {
	_, b := duo(t)
	h := b.draft(0)
	for _, order := range []uint64{genesis + 31, genesis + 30 + dag.MaxDrift} {
		v, err := b.graph.Check(b.resign(h, func(h *dag.Header) { h.Order = order }))
		if err != nil || v.State != dag.Ready {
			t.Errorf("order %d: %v %v", order, v, err)
		}
	}
}

// TestCheckRemembers: what Check alone refused takes along what waits for it.
func TestCheckRemembers(t *testing.T) {
	_, b := duo(t)
	good := b.draft(0)
	bad := b.resign(good, func(h *dag.Header) { h.Lamport += 3 })
	child := b.resign(good, func(h *dag.Header) { h.Seq, h.Prev, h.Lamport = 3, bad.Hash(), bad.Lamport+1 })
	if added, err := b.graph.Add(child); err != nil || len(added) != 0 {
		t.Fatalf("%v %v", added, err)
	}
	_, err := b.graph.Check(bad)
	wantReason(t, err, dag.ReasonLamport)
	if got := b.graph.Withdrawn(); len(got) != 1 || got[0] != (dag.Withdrawal{Ref: child.Ref(), Reason: dag.ReasonParent}) {
		t.Errorf("withdrawn %v", got)
	}
	if len(b.graph.Missing()) != 0 {
		t.Error("still asks for what is false")
	}
}

// TestForgedPrev: an entry that does not exist cannot be proved not to exist,
// so a false prev waits, in bounded space, and never gets in.
func TestForgedPrev(t *testing.T) {
	_, b := duo(t)
	forged := b.resign(b.draft(0), func(h *dag.Header) { h.Prev[0] ^= 1 })
	v, err := b.graph.Check(forged)
	if err != nil || v.State != dag.Parked || len(v.Missing) != 1 || v.Missing[0].Seq != 1 {
		t.Fatalf("%v %v", v, err)
	}
	if added, err := b.graph.Add(forged); err != nil || len(added) != 0 || b.graph.Has(forged.Ref()) {
		t.Error("a forged prev got in")
	}
}

func TestFalseLowerBoundIsRefusedWhileParentsLack(t *testing.T) {
	a, b := duo(t)
	c := newWriter("cho")
	c.take(t, c.say(t, 0))
	for _, h := range a.headers {
		if h.Seq == 1 && h.Device == a.id {
			c.take(t, h)
		}
	}
	h := b.resign(b.draft(genesis+40), func(h *dag.Header) {
		h.Parents = append(h.Parents, dag.Ref{Device: wire.DeviceID{0xff, 0xff, 0xff}, Seq: 2})
	})
	if v, err := b.graph.Check(h); err != nil || v.State != dag.Parked {
		t.Fatalf("%v %v", v, err)
	}
	_, err := b.graph.Check(b.resign(h, func(h *dag.Header) { h.Lamport = 1 }))
	wantReason(t, err, dag.ReasonLamport)
	_, err = b.graph.Check(b.resign(h, func(h *dag.Header) { h.Order = genesis }))
	wantReason(t, err, dag.ReasonOrder)
}

func TestBlockOlderThanParents(t *testing.T) {
	a, b := newWriter("ann"), newWriter("ben")
	older := func(x, y wire.BlockHash) bool { return x[0] < y[0] }
	b.graph.Older = older
	h := a.resign(a.draft(0), func(h *dag.Header) { h.Block[0] = 5 })
	b.take(t, h)
	draft := b.draft(0)
	for block, reason := range map[byte]dag.Reason{4: dag.ReasonBlock, 5: "", 6: ""} {
		_, err := b.graph.Check(b.resign(draft, func(h *dag.Header) { h.Block[0] = block }))
		if reason == "" && err == nil {
			continue
		}
		wantReason(t, err, reason)
	}
}

// TestClaimedCounters is Peergos' first mistake: there, who claims a high
// counter for another makes that one's later messages vanish.
func TestClaimedCounters(t *testing.T) {
	a, b := duo(t)
	mallory := newWriter("mallory")
	mallory.pull(t, a, 10)
	high := mallory.resign(mallory.draft(0), func(h *dag.Header) {
		h.Parents = []dag.Ref{{Device: a.id, Seq: 1 << 40, Hash: wire.Short{1}}}
	})
	_, err := b.graph.Add(high)
	wantReason(t, err, dag.ReasonLamport)
	claim := mallory.resign(high, func(h *dag.Header) { h.Parents[0].Seq, h.Lamport = 5, 6 })
	if added, err := b.graph.Add(claim); err != nil || len(added) != 0 {
		t.Fatalf("%v %v", added, err)
	}
	for range 5 {
		if added := b.take(t, a.say(t, 0)); len(added) != 1 {
			t.Fatal("an entry of the victim did not get in")
		}
	}
}

// TestFalseEntryStallsNothing is Peergos' malformed message that stalls a log
// for ever: here only what names the false entry is refused, honest entries,
// the same device's too, go on.
func TestFalseEntryStallsNothing(t *testing.T) {
	a, b := duo(t)
	m := newWriter("mallory")
	m.pull(t, a, 10)
	honest := m.draft(0)
	honest.Sign(m.sign)
	bad := m.resign(honest, func(h *dag.Header) { h.Lamport += 7 })
	_, err := b.graph.Add(bad)
	wantReason(t, err, dag.ReasonLamport)
	child := m.resign(honest, func(h *dag.Header) { h.Seq, h.Prev, h.Lamport = 2, bad.Hash(), bad.Lamport+1 })
	_, err = b.graph.Add(child)
	wantReason(t, err, dag.ReasonParent)
	b.take(t, a.say(t, 0))
	if added := b.take(t, honest); len(added) != 1 {
		t.Error("the honest entry did not get in")
	}
	if len(b.graph.Missing()) != 0 {
		t.Errorf("still asks for %v", b.graph.Missing())
	}
	if !errors.As(err, new(*dag.RejectError)) {
		t.Error("not a RejectError")
	}
}
