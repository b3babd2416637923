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

// TestLastWordOfWhoLeft: who has left tells those who may not know it by which block, and nothing more:
// where that block lost, it is a member, and would else hear of it no more.
func TestLastWordOfWhoLeft(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	const news = 35 // docs/spec/sync.md
	told := make(map[string]bool)
	must(t, ben.Do(g, group.Leave{}))
	w.Run(5000)
	if s := status(ben, g); s != group.StatusLeft {
		t.Fatalf("Ben has status %d", s)
	}
	before := len(w.History)
	for _, p := range w.History {
		told[p.To.Name] = told[p.To.Name] || p.From == ben && p.Bytes[0] == news
	}
	if !told[ann.Name] && !told[cleo.Name] {
		t.Error("Ben leaves without a word")
	}
	w.Run(60_000)
	for _, p := range w.History[before:] {
		if p.From == ben {
			t.Errorf("Ben has left, and sends a payload of kind %d", p.Bytes[0])
		}
	}
}
