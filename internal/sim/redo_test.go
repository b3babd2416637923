package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestTakenBackStaysSo: on a branch that loses, Ben makes Cleo an admin and takes that
// back, and sets two titles. Done again is what he said last.
func TestTakenBackStaysSo(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ben)
	must(t, ben.Do(g, group.SetRole{Person: cleo.Self.Person, Role: chain.RoleAdmin}))
	must(t, ben.Do(g, group.SetTitle{Title: "one"}))
	must(t, ben.Do(g, group.SetRole{Person: cleo.Self.Person, Role: chain.RoleMember}))
	must(t, ben.Do(g, group.SetTitle{Title: "two"}))
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	lost := machine(ben, g).Head()
	w.HealAll()
	w.Run(30_000)
	if b := machine(ann, g).Blocks(); b.IsAncestor(lost, b.Head()) {
		t.Fatal("Ben's branch won, so the test shows nothing")
	}
	if headState(ann, g).IsAdmin(cleo.Self.Person) {
		t.Error("Cleo is an admin again")
	}
	if got := machine(ann, g).View().Title; got != "two" {
		t.Errorf("the title is %q", got)
	}
}
