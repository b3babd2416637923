package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestAsksWhoReads: a device that lost its keys asks nobody by a frame that the
// other's program may take for misbehaviour.
func TestAsksWhoReads(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	for _, n := range []*sim.Node{ben, cleo} {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(1000)
	ben.Lose(g)
	m := ben.Groups[g].Machine
	m.Mute()
	w.Run(40_000) // until the voters change, and with them the head, where it would hear again
	for _, n := range []*sim.Node{ann, ben, cleo} {
		for _, p := range n.Sent {
			if p.Bytes[0] >= 9 && p.Bytes[0] != 14 { // votes, which they had told each other that they read
				t.Errorf("%s sends a frame of kind %d", n.Name, p.Bytes[0])
			}
		}
	}
	m.Unmute()
	if err := ben.Do(g, group.Rejoin{}); err != nil {
		t.Fatal(err)
	}
	w.Run(10_000)
	if m.View().NoKeys {
		t.Error("Ben does not come back, though everybody reads his question")
	}
}

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
