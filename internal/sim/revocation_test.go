package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// removals returns who signed the blocks that took a device out, in n's chain.
func removals(n *sim.Node, g wire.GroupID, device wire.DeviceID) (by []wire.PersonID) {
	m := machine(n, g)
	for _, hash := range m.Chain() {
		h := m.Blocks().Header(hash)
		for _, op := range h.Ops {
			if r, ok := op.(*chain.RemoveDevice); ok && r.Device == device {
				by = append(by, h.Author.Person)
			}
		}
	}
	return by
}

// TestRevokedByOwn: Ben's laptop revokes his phone in his chain and tells the members; it takes
// the phone out itself, and nobody else does it beside.
func TestRevokedByOwn(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(20000)
	ben.Revoke(phone)
	ben.Describe(g)
	w.Run(60000)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		if by := removals(n, g, phone.Self.Device.ID()); len(by) != 1 || by[0] != ben.Self.Person {
			t.Errorf("%s: the phone was taken out %d times: %v", n.Name, len(by), by)
		}
		if got := devices(n, ben, g); got != 1 {
			t.Errorf("%s: Ben has %d devices", n.Name, got)
		}
	}
}

// TestRevokedByMember: what Ben's chain revokes a member takes out, where no device of Ben's
// does: the one that revoked it is in no group, and its word comes by Ann.
func TestRevokedByMember(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	tablet := ben.Link("Ben's tablet") // in no group
	w.Run(5000)
	tablet.Revoke(ben)
	lost := ben.Self.Device.ID()
	ben.Stop()
	must(t, ann.Do(g, group.Received{From: cleo.Self.Member(), Payload: papersFrame(tablet.Self.Headers)}))
	w.Run(120000)
	for _, n := range []*sim.Node{ann, cleo} {
		if by := removals(n, g, lost); len(by) != 1 || by[0] != ann.Self.Person && by[0] != cleo.Self.Person {
			t.Errorf("%s: the laptop was taken out %d times: %v", n.Name, len(by), by)
		}
	}
	must(t, ann.Say(g, "without it"))
	w.Run(5000)
	if got := status(cleo, g); got != group.StatusActive {
		t.Errorf("Cleo has status %d", got)
	}
}
