package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
)

// Who is to be removed by a Carry leaves, or who is to carry it does.

// TestLeaveOfWhoIsToBeRemoved: Ben's removal of Dan lost, and Dan has signed a Leave on
// the side that won. Whichever comes first, he is out once, and is let in again for good.
func TestLeaveOfWhoIsToBeRemoved(t *testing.T) {
	for _, told := range []bool{false, true} { // whether Ann has the Leave before they meet
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		promote(t, w, g, ann, ben)
		part(w, ann, dan, nodes[4])
		must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
		must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
		w.Run(3000)
		if !told {
			w.Cut(ann, dan)
		}
		must(t, dan.Do(g, group.Leave{}))
		if told { // in the same moment, so that nobody has committed it
			w.Step()
		}
		w.HealAll()
		w.Run(20_000)
		for _, n := range []*sim.Node{ann, ben, cleo} {
			if v := machine(n, g).View(); len(v.Members) != 3 || len(v.Carrying) != 0 {
				t.Errorf("told %v: %s sees %d members, %d to be carried", told, n.Name, len(v.Members), len(v.Carrying))
			}
		}
		if n := made(cleo, g, chain.KindCarry) + made(cleo, g, chain.KindLeave); n != 1 {
			t.Errorf("told %v: Dan is out %d times", told, n)
		}
		if got := status(dan, g); got != group.StatusRemoved && got != group.StatusLeft {
			t.Errorf("told %v: Dan has status %d", told, got)
		}
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
		w.Run(3000)
		must(t, dan.Do(g, group.Accept{}))
		w.Run(20 * minute)
		if !isMember(cleo, dan, g) || len(machine(cleo, g).View().Carrying) > 0 {
			t.Errorf("told %v: Dan is let in again and does not stay", told)
		}
		goesOn(t, w, g, ann, ben, cleo, dan)
	}
}

// TestLeaverCarriesNothing: Dan, who is to be removed by a Carry, is leaving, and nobody
// else is there but Fay, who is leaving too. Neither signs anything; whoever comes does.
func TestLeaverCarriesNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
	ann, ben, cleo, dan, fay := nodes[0], nodes[1], nodes[2], nodes[3], nodes[5]
	promote(t, w, g, ann, ben)
	part(w, ann, dan, nodes[4])
	must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		n.Stop()
	}
	must(t, dan.Do(g, group.Leave{}))
	must(t, fay.Do(g, group.Leave{}))
	before := machine(fay, g).Blocks().Len()
	w.HealAll()
	w.Run(5 * minute)
	if n := made(fay, g, chain.KindCarry) + made(fay, g, chain.KindLeave) + made(dan, g, chain.KindLeave); n != 0 {
		t.Errorf("who is leaving signed %d blocks; Fay held %d", n, before)
	}
	for _, n := range []*sim.Node{ann, ben, cleo} {
		n.Start()
	}
	w.Run(5 * minute)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		if v := machine(n, g).View(); len(v.Members) != 3 || len(v.Carrying) != 0 {
			t.Errorf("%s sees %d members, %d to be carried", n.Name, len(v.Members), len(v.Carrying))
		}
	}
	goesOn(t, w, g, ann, ben, cleo)
}

// TestAuthorOfLostRemovalLeaves: Ben's removal of Dan lost, and Ben leaves before
// anybody has carried it over. Whoever lets him go knows of it, and does that first.
func TestAuthorOfLostRemovalLeaves(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ann, dan, nodes[4])
	must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	w.HealAll()
	for len(machine(ann, g).View().Carrying) == 0 && w.Step() {
	}
	must(t, ben.Do(g, group.Leave{}))
	w.Run(5 * minute)
	for _, n := range []*sim.Node{ann, cleo} {
		if v := machine(n, g).View(); len(v.Members) != 2 || len(v.Carrying) != 0 {
			t.Errorf("%s sees %d members, %d to be carried", n.Name, len(v.Members), len(v.Carrying))
		}
	}
	goesOn(t, w, g, ann, cleo)
}
