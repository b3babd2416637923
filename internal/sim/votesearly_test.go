package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

const kindVotes = 14 // docs/spec/sync.md

// TestVotesBeforeTheirBlock: Ben is answered by Ann with votes for a block that he does not have yet, and gets that
// from Cleo, who gives him no votes. Then he asks Ann for them again: she takes herself to have answered.
func TestVotesBeforeTheirBlock(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	part(w, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(10 * minute)
	settled := machine(ann, g).Settled()
	if settled != machine(ann, g).Head() || machine(ben, g).Settled() == settled {
		t.Fatal("the title is not settled without Ben, so the test shows nothing")
	}
	given := 0
	ann.Withhold(func(to *sim.Node, kind byte) bool {
		if to == ben && kind == kindVotes {
			given++
		}
		return to == ben && kind == kindBlocks
	})
	cleo.Withhold(func(to *sim.Node, kind byte) bool { return to == ben && kind == kindVotes })
	w.Heal(ann, ben)
	w.Run(minute)
	if given == 0 || machine(ben, g).Blocks().Has(settled) {
		t.Fatal("Ben is given no votes for a block that he has not")
	}
	w.Heal(cleo, ben)
	w.Run(5000)
	if !machine(ben, g).Blocks().Has(settled) {
		t.Fatal("Ben has not got the block")
	}
	if machine(ben, g).Settled() != settled {
		t.Error("Ben has the block, and not what settled it")
	}
}

// TestVotesOfTwoWhoLackBlocks: Ann and Ben have each voted for a block that the other does not get for a while.
// They do not give each other the same votes over and over meanwhile.
func TestVotesOfTwoWhoLackBlocks(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute)
	part(w, ann, nodes[2])
	for i, n := range nodes[:2] {
		must(t, n.Do(g, group.SetTitle{Title: fmt.Sprint("Journey ", i)}))
	}
	w.Run(10 * minute)
	for _, n := range nodes[:2] {
		n.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindBlocks })
	}
	before := len(w.History)
	w.Heal(ann, ben)
	w.Run(minute)
	votes := 0
	for _, p := range w.History[before:] {
		if p.Bytes[0] == kindVotes {
			votes++
		}
	}
	if votes < 4 || votes > 200 {
		t.Errorf("in a minute they send each other %d frames of votes", votes)
	}
}
