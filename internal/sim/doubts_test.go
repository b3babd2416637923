package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// doubts returns how many texts a home keeps of its earlier devices.
func doubts(n *sim.Node, g wire.GroupID) int { return len(n.Groups[g].Records[group.KindDoubted]) }

// TestDoubtsEndWithMembership: they go with the membership that they were written in.
func TestDoubtsEndWithMembership(t *testing.T) {
	for name, end := range map[string]func(ann, ben *sim.Node, g wire.GroupID) error{
		"removed": func(ann, ben *sim.Node, g wire.GroupID) error {
			return ann.Do(g, group.Remove{Person: ben.Self.Person})
		},
		"left": func(_, ben *sim.Node, g wire.GroupID) error { return ben.Do(g, group.Leave{}) },
	} {
		t.Run(name, func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
			ann, ben, cleo := nodes[0], nodes[1], nodes[2]
			cleo.Stop()
			must(t, ben.Say(g, "one"))
			w.Run(5000)
			renewed(t, w, ben, g)
			if doubts(ben, g) == 0 {
				t.Fatal("nothing is kept while Cleo has not read it")
			}
			must(t, end(ann, ben, g))
			w.Run(10_000)
			if m := machine(ben, g); m.View().Status != group.StatusRemoved && m.View().Status != group.StatusLeft {
				t.Fatalf("Ben is still in: %+v", m.View())
			}
			if got := doubts(ben, g); got != 0 {
				t.Errorf("%d texts outlive the membership", got)
			}
		})
	}
}

// TestDoubtOutlastsAnAckOfItsTwin: an Ack counts up to a number, and what its author
// has there may be what the other copy wrote. Cleo has that, and Ben hears her Ack
// before it.
func TestDoubtOutlastsAnAckOfItsTwin(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	other := ben.Copy("Ben's copy")
	w.Cut(cleo, ann)
	w.Cut(cleo, ben)
	w.Cut(other, ann)
	must(t, ben.Say(g, "here"))
	w.Run(5000)
	ben.Stop()
	other.Start()
	must(t, other.Say(g, "there"))
	w.Run(5000)
	other.Stop()
	renewed(t, w, ben, g)
	if !shows(cleo, g, "there") || shows(cleo, g, "here") || doubts(ben, g) == 0 {
		t.Fatalf("Cleo has not the other text alone, or Ben keeps none of his %d", doubts(ben, g))
	}
	w.Heal(cleo, ben)
	w.Run(30_000)
	for _, n := range nodes {
		if !shows(n, g, "here") {
			t.Errorf("%s does not see what Ben wrote", n.Name)
		}
	}
}
