package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestLosingBranchWithOneBeside: Cleo's phone and Eve's come in side by side, and the block of Cleo's wins. Dan takes
// Cleo's phone out above it, whereby Eve's wins; Ann, who knows neither of both, changes something above the block of
// Cleo's, whereby that wins in the end. Eve's phone holds what Dan did, so that the lowest block beside its own does not
// tell it that it is none of the group: Ann's has to come with it.
func TestLosingBranchWithOneBeside(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Cleo", "Dan", "Eve")
	ann, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	phones := cleo.Link("Cleo's phone")
	other := eve.Link("Eve's phone")
	part(w, dan, eve, other)
	must(t, phones.Enter(g, cleo))
	must(t, other.Enter(g, eve))
	lost := machine(other, g).Head()
	w.Run(5000)
	part(w, ann)
	w.Heal(cleo, dan)
	w.Run(5000)
	if machine(dan, g).Head() != machine(phones, g).Head() {
		t.Fatal("the block of Cleo's phone does not win over that of Eve's")
	}
	cleo.Revoke(phones)
	must(t, dan.Do(g, group.RemoveDevice{Device: phones.Self.Device.ID(), Headers: cleo.Self.Headers}))
	w.Run(60_000)
	if machine(dan, g).Head() != lost || machine(other, g).Head() != lost {
		t.Fatal("what Dan did does not let Eve's phone win")
	}
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(100_000) // Ann, who alone votes, votes for that
	w.HealAll()
	w.Run(10_000)
	if machine(dan, g).Head() != machine(ann, g).Head() {
		t.Fatal("Ann's title does not win")
	}
	if status(other, g) != group.StatusRemoved {
		t.Errorf("Eve's phone has status %d", status(other, g))
	}
}
