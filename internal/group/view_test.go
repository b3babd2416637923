package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestInviterHasAccepted: to an invited person the maker of the group is a
// member, and the others are not yet.
func TestInviterHasAccepted(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, m := range ben.Groups[g].Machine.View().Members {
		if want := m.Person == ann.Self.Person; m.Accepted != want {
			t.Errorf("%s: accepted %v, want %v", m.Name, m.Accepted, want)
		}
	}
}
