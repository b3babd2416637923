package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// agreed is a group of four voters of whom Ann is apart: the others have agreed on block, which Ben made, and
// then two of them went, so that nothing more is settled. Ann made another, which fork choice alone prefers.
func agreed(t *testing.T, others []*sim.Node, w *sim.World, nodes []*sim.Node, g wire.GroupID, anns, bens group.Cause) (block wire.BlockHash) {
	t.Helper()
	ann, ben := nodes[0], nodes[1]
	part(w, append(others, ann)...)
	must(t, ann.Do(g, anns))
	must(t, ben.Do(g, bens))
	block = machine(ben, g).Head()
	for round := final(ben, g).Voting; final(ben, g).Voting == round && w.Step(); {
	}
	for _, n := range nodes[2:] {
		n.Stop()
	}
	if b := machine(ben, g); b.Settled() == block || b.Head() != block {
		t.Fatalf("Ben has settled %v of %v", b.Settled(), b.Head())
	}
	return block
}

// TestGuestsWhereVotesDecide: votes that have settled nothing yet decide against the branch on which Fay's phone
// was added. The phone is told. Fay is added on the other branch, and takes her invitation for one that was
// taken back; she is invited once more when it is settled.
func TestGuestsWhereVotesDecide(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	fay := w.Add("Fay")
	phone := fay.Link("Fay's phone")
	block := agreed(t, []*sim.Node{fay, phone}, w, nodes, g, group.Invite{Newcomers: []group.Newcomer{phone.Newcomer()}}, group.Rekey{})
	if s := status(phone, g); s != group.StatusInvited {
		t.Fatalf("Fay's phone has status %d", s)
	}
	phone.Stop()
	w.HealAll()
	w.Run(minute)
	phone.Start()
	w.Run(minute)
	m := machine(ann, g)
	if !m.Blocks().IsAncestor(block, m.Head()) || m.Settled() == block || !m.Blocks().State(m.Head()).Belongs(fay.Self.Device.ID()) || fay.Groups[g] != nil {
		t.Fatal("Fay is not invited where votes decide, so the test shows nothing")
	}
	if s := status(phone, g); s != group.StatusRemoved {
		t.Errorf("Fay's phone has status %d", s)
	}
	nodes[2].Start()
	w.Run(10 * minute)
	settledAll(t, g, 100, ann, ben)
	if fay.Groups[g] == nil || status(fay, g) != group.StatusInvited {
		t.Error("Fay is a member and does not know the group")
	}
}

// TestGuestWhomVotesKeep: Eve, who was added on the branch that the voters have agreed on, has not got their votes,
// and follows the other. She is given them, though they have settled nothing.
func TestGuestWhomVotesKeep(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute) // the last that is settled is that all vote: of their own votes none is in that
	eve := w.Add("Eve")
	for _, n := range nodes[1:] {
		n.Withhold(func(to *sim.Node, kind byte) bool { return to == eve && kind == kindVotes })
	}
	block := agreed(t, nil, w, nodes, g, group.SetTitle{Title: "Journey"}, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.HealAll()
	for status(eve, g) == group.StatusInvited && w.Step() {
	}
	ben.Withhold(nil)
	w.Run(minute)
	if m := machine(ann, g); m.Settled() == block || !m.Blocks().State(m.Head()).Belongs(eve.Self.Device.ID()) {
		t.Fatal("Eve's branch is settled or lost, so the test shows nothing")
	}
	if s := status(eve, g); s != group.StatusInvited {
		t.Errorf("Eve is a member and has status %d", s)
	}
}
