package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestRemovedOnABranchThatIsStruck: Ann removes Ben on a branch that wins, and is found
// to have signed twice on it. The block that revokes her device for that stands on her
// branch too, which loses by it: Ben, who has heard of his removal there and of nothing
// above it, is a member again and must be told why. He was heard in the sessions that
// are up, or has new ones.
func TestRemovedOnABranchThatIsStruck(t *testing.T) {
	for _, again := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		promote(t, w, g, ann, cleo)
		part(w, ann)
		must(t, cleo.Do(g, group.Remove{Person: ann.Self.Person}))
		must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
		must(t, ann.Do(g, group.SetRole{Person: cleo.Self.Person, Role: chain.RoleMember}))
		w.Run(2000)
		w.HealAll()
		w.Run(3000)
		if status(ben, g) != group.StatusRemoved {
			t.Fatalf("Ben has status %d", status(ben, g))
		}
		one, other := signedRekey(t, ann, g), signedRekey(t, ann, g)
		w.Deliver(ann, cleo, g, one)
		w.Deliver(ann, dan, g, other)
		ann.Stop()
		if again {
			ben.Stop()
		}
		w.Run(120_000)
		ben.Start()
		w.Run(60_000)
		if status(ben, g) != group.StatusActive {
			t.Errorf("off meanwhile: %v: Ben has status %d", again, status(ben, g))
			continue
		}
		alike(t, g, ben, cleo, dan)
		goesOn(t, w, g, ben, cleo, dan)
	}
}
