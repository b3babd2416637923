package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestAddedAgainIsAsked: Ben is removed and added again while he is off. He finds
// both at once, and is asked: nobody puts him back into a group that he may have
// been glad to be out of. What he does not answer to says nothing of him.
func TestAddedAgainIsAsked(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben, cleo := nodes[0], nodes[1], nodes[2]
		must(t, ben.Say(g, "before"))
		w.Run(5000)
		ben.Stop()
		must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
		w.Run(5000)
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
		w.Run(5000)
		must(t, cleo.Say(g, "is Ben in"))
		w.Run(5000)
		ben.Start()
		w.Run(60_000)
		if restart {
			ben.Stop()
			ben.Start()
			w.Run(60_000)
		}
		if got := status(ben, g); got != group.StatusInvited {
			t.Fatalf("Ben has status %d", got)
		}
		if err := ben.Say(g, "I did not say yes"); reason(err) != group.ReasonNotActive {
			t.Errorf("Ben writes: %v", err)
		}
		if accepted(ann, ben, g) {
			t.Error("Ann takes the invitation for accepted")
		}
		must(t, ben.Do(g, group.Accept{}))
		w.Run(10_000)
		must(t, ben.Say(g, "yes"))
		w.Run(5000)
		if !accepted(ann, ben, g) {
			t.Error("Ann does not hear that Ben accepted")
		}
		sees(t, g, []string{"before", "is Ben in", "yes"}, ann, ben, cleo)
	}
}

// accepted reports whether o takes n for somebody who has accepted.
func accepted(o, n *sim.Node, g [32]byte) bool {
	for _, m := range machine(o, g).View().Members {
		if m.Person == n.Self.Person {
			return m.Accepted
		}
	}
	return false
}
