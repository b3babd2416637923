package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
)

// TestGuestOfALosingBranch: a device is added on a branch that fork choice alone would follow and
// what is settled excludes; the votes that settled it name a block above. The device is told that
// it is none of the group, also where those blocks are more than a frame takes.
func TestGuestOfALosingBranch(t *testing.T) {
	for _, blocks := range []int{1, 150} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) { guestOfALosingBranch(t, blocks) })
	}
}

func guestOfALosingBranch(t *testing.T, blocks int) {
	t.Helper()
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben, cleo)
	phone := dan.Link("Dan's phone")
	part(w, ann, ben)
	must(t, cleo.Do(g, phone.Device()))
	w.Run(2000)
	must(t, cleo.Do(g, group.SetRole{Person: ben.Self.Person})) // who signs the first block of the other branch
	titles(t, w, ben, blocks)
	w.Run(45_000 - uint64(blocks)*100) // Ann, who alone votes, has voted for that
	titles(t, w, ann, 1)
	w.Run(50_000)
	settled, votes := final(ben, g).Block, machine(ben, g).Settlement()
	if len(votes) != 1 || votes[0].Votes[len(votes[0].Votes)-1].Block == settled {
		t.Fatalf("no vote names a block above the settled one: %+v", final(ben, g))
	}
	if status(phone, g) != group.StatusInvited {
		t.Fatalf("Dan's phone has status %d", status(phone, g))
	}
	ann.Stop()
	phone.Stop()
	w.HealAll()
	w.Run(5000)
	if m := machine(cleo, g); m.Settled() != settled || m.Blocks().State(m.Head()).Belongs(phone.Self.Device.ID()) {
		t.Fatal("Cleo's branch has not lost")
	}
	cleo.Stop()
	dan.Stop()
	phone.Start()
	w.Run(5000)
	if status(phone, g) != group.StatusRemoved {
		t.Errorf("Dan's phone has status %d", status(phone, g))
	}
}
