package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestPoisonedVoterComesBack: Ben, the only admin, shuts everybody out while Ann is
// the only voter. She could not follow his block, and is off when the keys are
// restarted without her; once she has come back she votes for all that she came back
// on, or nothing were ever settled again.
func TestPoisonedVoterComesBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	must(t, ann.Do(g, group.SetRole{Person: ann.Self.Person, Role: chain.RoleMember}))
	w.Run(3000)
	w.Deliver(ben, ann, g, poison(t, ben, g))
	ben.Stop()
	w.Run(1000)
	ann.Stop()
	w.Run(120_000)
	if b := machine(cleo, g).Blocks(); b.State(b.Head()).Start() == 0 || b.State(b.Head()).Active(ann.Self.Device.ID()) {
		t.Fatal("nobody has restarted the keys without Ann")
	}
	if voters := machine(cleo, g).Voters(); len(voters) != 1 || voters[0].Device != ann.Self.Device.ID() {
		t.Fatalf("voters %v, want Ann alone", voters)
	}
	ann.Start()
	w.Run(3_600_000)
	goesOn(t, w, g, ann, cleo, dan)
	if m := machine(ann, g); m.Settled() != m.Head() {
		t.Errorf("Ann has block %d of %d settled", m.Finality().Height, len(m.Chain())-1)
	}
}
