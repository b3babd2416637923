package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestEvidenceCostsNoStep: while a liar is known and not revoked yet, a step in which
// nothing happens costs hardly more than before.
func TestEvidenceCostsNoStep(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, dan := nodes[0], nodes[3]
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	w.Run(1000)
	round, head, era := final(ann, g).Voting, machine(ann, g).Head(), machine(ann, g).Era()
	m := machine(ann, g)
	cost := func() float64 {
		return testing.AllocsPerRun(50, func() {
			_, err := m.Step(group.Input{Now: w.Now, Cause: group.Tick{}})
			must(t, err)
		})
	}
	before := cost()
	w.Deliver(dan, ann, g, sim.Pushed(vote(dan, g, 90, round+2, head)))
	w.Deliver(dan, ann, g, sim.Pushed(vote(dan, g, 90, round+2, era)))
	if count[group.VotedTwice](ann, g) != 1 {
		t.Fatal("Ann does not know who lied")
	}
	if after := cost(); after > before+10 {
		t.Errorf("a step makes %v things, and before %v", after, before)
	}
}
