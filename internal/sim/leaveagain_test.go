package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestLeaveOfALosingBlock: Dan declines, and is gone before anybody commits that. The block that
// does loses against one of which he never hears. His Leave is committed again without him
// (seed 1348 of TestSim).
func TestLeaveOfALosingBlock(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	part(w, ann)
	must(t, dan.Do(g, group.Leave{}))
	w.Run(50)
	dan.Stop()
	w.Run(5000)
	if got := len(machine(ben, g).View().Members); got != 3 {
		t.Fatalf("Ben counts %d members", got)
	}
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"})) // outweighs who commits a Leave
	w.HealAll()
	w.Run(10_000)
	alike(t, g, ann, ben, cleo)
	v := machine(ann, g).View()
	if v.Title != "Journey" || len(v.Members) != 3 {
		t.Errorf("the group is %q, of %d", v.Title, len(v.Members))
	}
}
