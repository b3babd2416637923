package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// What a device announces stands in its leaf: of who made the group, of who was
// added, and after a change of the head; of nobody else.
func TestFeaturesAnnounced(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	m := ann.Groups[g].Machine
	check := func(n *sim.Node, want bool) {
		t.Helper()
		id := n.Self.Device.ID()
		if got := m.Reads(id, group.FeatureRepair); got != want {
			t.Errorf("%s announces the feature: %v, want %v", n.Name, got, want)
		}
		if m.Reads(id, group.FeatureRepair+1) {
			t.Errorf("%s announces a feature that does not exist", n.Name)
		}
	}
	check(ann, true)
	check(ben, true)
	check(cleo, false)
	if err := ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}); err != nil {
		t.Fatal(err)
	}
	check(cleo, true)
	if err := ann.Do(g, group.Remove{Person: ben.Self.Person}); err != nil {
		t.Fatal(err)
	}
	check(ben, false)
	check(ann, true)
}
