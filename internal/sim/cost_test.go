package sim_test

import (
	"bytes"
	"fmt"
	"testing"

	"kith/internal/identity"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What one member can make another do by saying the same over and over.

// asksOften has Ben say one payload a thousand times in one second, and returns what Ann
// sends him for it.
func asksOften(t *testing.T, w *sim.World, ann, ben *sim.Node, g wire.GroupID, payload []byte) (frames, size int) {
	t.Helper()
	w.Run(10 * minute)
	ann.Sent = nil
	for range 1000 {
		w.Deliver(ben, ann, g, payload)
		w.Run(1)
	}
	for _, p := range ann.Sent {
		if p.To == ben {
			frames, size = frames+1, size+len(p.Bytes)
		}
	}
	if rules := accusations(ann, g); len(rules) > 0 {
		t.Errorf("Ann accuses of %q", rules)
	}
	return frames, size
}

// emptyHave is what a device says that has nothing at all, by the frames of before and by
// heads, and what one says that holds no Ack and no Reach.
func emptyHave(genesis wire.BlockHash) map[string][]byte {
	var have, heads, numbers, acks wire.Writer
	have.U8(2)
	have.Raw([]byte{2, 0, 0, 1, 0, 0, 0})
	heads.U8(22)
	heads.Raw([]byte{2, 0, 0, 0, 0})
	heads.Raw(make([]byte, 8+8+32))
	numbers.U8(25)
	numbers.Raw(genesis[:])
	numbers.Raw([]byte{1, 0, 0, 0, 0})
	acks.U8(29)
	acks.Raw(genesis[:])
	acks.Raw([]byte{1, 0, 0})
	var digest, people, votes wire.Writer
	digest.U8(1)
	digest.Raw(make([]byte, 32))
	people.U8(13)
	people.Raw([]byte{1, 0, 0})
	votes.U8(14)
	votes.U8(0)
	votes.Raw(genesis[:])
	votes.Raw(make([]byte, 32))
	return map[string][]byte{
		"have": have.Bytes(), "heads": heads.Bytes(), "numbers": numbers.Bytes(), "Ack numbers": acks.Bytes(),
		"digest": digest.Bytes(), "people": people.Bytes(), "votes": votes.Bytes(),
	}
}

// TestSaysOftenToHaveNothing: who says so often to have nothing is told everything as often as
// an honest device asks, and not each time. Afterwards it is answered like everybody.
func TestSaysOftenToHaveNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	for _, n := range nodes {
		n.Publish()
	}
	for name, payload := range emptyHave(machine(ann, g).Blocks().Genesis()) {
		frames, size := asksOften(t, w, ann, ben, g, payload)
		t.Logf("%s of %d bytes a thousand times: %d frames, %d bytes", name, len(payload), frames, size)
		if frames > 300 {
			t.Errorf("for a thousand %s Ann sends %d frames", name, frames)
		}
		must(t, ann.Say(g, fmt.Sprint("after ", name)))
		w.Run(5000)
		alike(t, g, nodes...)
	}
}

// TestSaysOftenToWriteNoMore: that Ben writes no more is told once, however often he says it.
func TestSaysOftenToWriteNoMore(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	w.Deliver(ben, ann, g, []byte{32, 1})
	for range 50 {
		w.Deliver(ben, ann, g, []byte{32, 0})
		w.Run(10)
	}
	if on, off := typed(ann, ann.Groups[g].Events); on != 1 || off != 1 {
		t.Errorf("Ann is told %d times that he writes, and %d times that he does not", on, off)
	}
	w.Run(1000)
	w.Deliver(ben, ann, g, []byte{32, 1})
	if on, _ := typed(ann, ann.Groups[g].Events); on != 2 {
		t.Errorf("Ann is told %d times that he writes", on)
	}
}

// TestAsksOftenForOneName: who asks for one name four thousand times in one payload is told it
// once.
func TestAsksOftenForOneName(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	info, err := identity.ParseInfo(ann.Self.Info)
	must(t, err)
	commit := info.Commit()
	var ask wire.Writer
	ask.U8(7)
	ask.Group(func(w *wire.Writer) {
		for range 4096 {
			w.Raw(commit[:])
		}
	})
	ann.Sent = nil
	w.Deliver(ben, ann, g, ask.Bytes())
	if len(ann.Sent) != 1 || !bytes.Contains(ann.Sent[0].Bytes, ann.Self.Info) || len(ann.Sent[0].Bytes) > 2*len(ann.Self.Info) {
		t.Errorf("Ann answers with %d frames, the first of %d bytes for a name of %d", len(ann.Sent), len(ann.Sent[0].Bytes), len(ann.Self.Info))
	}
}
