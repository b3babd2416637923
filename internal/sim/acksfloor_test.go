package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestAcksBelowTheFloor: who comes in after three have spoken in turn, each after the one
// before, knows of all of them what they have, though it has no more than the last of it.
func TestAcksBelowTheFloor(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	for _, n := range nodes {
		must(t, n.Say(g, n.Name))
		w.Run(5000)
	}
	dan := w.Add("Dan")
	must(t, nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(2000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(30 * minute) // what nobody waits for goes along the tree each 10 minutes
	for _, o := range nodes {
		for _, author := range nodes {
			if got := machine(dan, g).AckedUpTo(o.Self.Device.ID(), author.Self.Device.ID()); got != 1 {
				t.Errorf("Dan knows that %s has %d entries of %s", o.Name, got, author.Name)
			}
		}
	}
}
