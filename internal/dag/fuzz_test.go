package dag_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/dag"
	"kith/internal/wire"
)

// fuzz checks that what parses encodes to the same bytes, and that what does
// not is refused by rule.
func fuzz[T any](f *testing.F, parse func([]byte) (T, error), marshal func(T) []byte) {
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			if !errors.As(err, new(*dag.RejectError)) {
				t.Fatalf("untyped refusal %v", err)
			}
			return
		}
		if got := marshal(v); !bytes.Equal(got, b) {
			t.Fatalf("%x came back as %x", b, got)
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add(sample().Bytes())
	f.Add(newWriter("ann").say(f, 0).Bytes())
	fuzz(f, dag.ParseHeader, (*dag.Header).Bytes)
}

func FuzzParseAck(f *testing.F) {
	f.Add(sampleAck().Marshal())
	f.Add(sampleAckByHeads().Marshal())
	fuzz(f, dag.ParseAck, (*dag.Ack).Marshal)
}

func FuzzParseReach(f *testing.F) {
	f.Add(sampleReach().Marshal())
	fuzz(f, dag.ParseReach, (*dag.Reach).Marshal)
}

func FuzzParseFrontier(f *testing.F) {
	f.Add(dag.Frontier{wire.DeviceID{1}: {Seq: 2}, wire.DeviceID{3}: {Seq: 4}}.Marshal())
	fuzz(f, dag.ParseFrontier, dag.Frontier.Marshal)
}

func FuzzParseFloor(f *testing.F) {
	w := newWriter("ann")
	w.say(f, 0)
	f.Add(floorOf(w).Marshal())
	fuzz(f, dag.ParseFloor, dag.Floor.Marshal)
}

// FuzzGraph feeds a graph with headers changed at will: nothing panics, and
// what is checked keeps its promises.
func FuzzGraph(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, script []byte) {
		g := dag.NewGraph(genesis)
		base := []*dag.Header{sample()}
		for len(script) >= 3 {
			h := *base[int(script[0])%len(base)]
			h.Parents = nil
			change(&h, script[1], script[2], base[int(script[2])%len(base)])
			script = script[3:]
			before := g.Len()
			added, err := g.Add(&h)
			if g.Len() != before+len(added) || err != nil && len(added) > 0 {
				t.Fatalf("%d checked after %d and %d", g.Len(), before, len(added))
			}
			base = append(base, &h)
		}
		if n := len(g.Suffix(nil, 1<<20)); n != g.Len() {
			t.Fatalf("suffix of %d, %d checked", n, g.Len())
		}
		for _, r := range g.Heads() {
			if !g.Has(r) {
				t.Fatal("a head is not checked")
			}
		}
	})
}

// change makes h an entry that comes after parent in some way.
func change(h *dag.Header, what, value byte, parent *dag.Header) {
	h.Seq, h.Prev, h.Lamport, h.Order = 1, wire.EntryHash{}, 1, genesis+uint64(value)+1
	h.Device = wire.DeviceID{what & 3}
	h.Time = uint64(value)
	switch {
	case what&4 != 0 && parent.Device == h.Device:
		h.Seq, h.Prev = parent.Seq+1, parent.Hash()
		h.Lamport, h.Order = parent.Lamport+1, parent.Order+1
	case what&8 != 0 && parent.Device != h.Device:
		h.Parents = []dag.Ref{parent.Ref()}
		h.Lamport, h.Order = parent.Lamport+1, parent.Order+1
	}
	if what&16 != 0 {
		h.Lamport += uint64(value)
	}
}
