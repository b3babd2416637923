package group_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestInviterHasAccepted: to an invited person the maker of the group is a
// member, and the others are not yet.
func TestInviterHasAccepted(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, m := range ben.Groups[g].Machine.View().Members {
		if want := m.Person == ann.Self.Person; m.Accepted != want {
			t.Errorf("%s: accepted %v, want %v", m.Name, m.Accepted, want)
		}
	}
}

// TestDeliveredAtRemoval: who was removed before an Ack came knows by the removal
// itself what its author had of hers, and of nothing later.
func TestDeliveredAtRemoval(t *testing.T) {
	w := sim.New(1)
	ann, ben, cat := w.Add("Ann"), w.Add("Ben"), w.Add("Cat")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cat.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cat} {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(10_000)
	m, own := cat.Groups[g].Machine, cat.Self.Device.ID()
	say := func() uint64 {
		t.Helper()
		if err := cat.Say(g, "hello"); err != nil {
			t.Fatal(err)
		}
		return m.OwnSeq()
	}
	say()
	w.Run(1000) // the next Acks wait
	seen := say()
	for range 400 {
		if len(ann.Texts(g)) == 2 {
			break
		}
		w.Run(1)
	}
	if err := ann.Do(g, group.Remove{Person: cat.Self.Person}); err != nil {
		t.Fatal(err)
	}
	late := say()
	w.Run(10_000)
	if m.Status() != group.StatusRemoved {
		t.Fatal("Cat is not removed")
	}
	if reached, _ := m.Delivered(own, seen); len(reached) == 0 || !slices.Contains(reached, ann.Self.Person) {
		t.Error("of what Ann had when she removed her Cat reads that nobody has it")
	}
	if reached, _ := m.Delivered(own, late); len(reached) != 0 {
		t.Errorf("%d have what came after the removal", len(reached))
	}
}
