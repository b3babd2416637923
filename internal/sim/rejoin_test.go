package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What happens to devices without keys, and to several devices of one person.

// machine returns n's machine of g.
func machine(n *sim.Node, g wire.GroupID) *group.Machine { return n.Groups[g].Machine }

// count returns how many events of a kind n saw.
func count[E group.Event](n *sim.Node, g wire.GroupID) (c int) {
	for _, e := range n.Groups[g].Events {
		if _, ok := e.(E); ok {
			c++
		}
	}
	return c
}

// TestParkedComesBack: Ben's device is set aside while it is off. It keeps what it
// had, is a member all the while, and comes back by itself.
func TestParkedComesBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	ben.Stop()
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	must(t, cleo.Say(g, "too early")) // may be written before Cleo knows
	w.Run(5000)
	must(t, cleo.Say(g, "two"))
	w.Run(5000)
	if v := machine(ann, g).View(); len(v.Members) != 3 {
		t.Errorf("with Ben parked the group has %d members", len(v.Members))
	}
	ben.Start()
	w.Run(1000)
	if v := machine(ben, g).View(); v.Status != group.StatusActive || !v.NoKeys || !v.Parked {
		t.Errorf("Ben, who knows that he is parked: %+v", v)
	}
	w.Run(20_000)
	if v := machine(ben, g).View(); v.Status != group.StatusActive || v.NoKeys || v.Parked {
		t.Errorf("Ben, who had time to come back: %+v", v)
	}
	must(t, ben.Say(g, "three"))
	w.Run(1000)
	must(t, ann.Say(g, "four"))
	w.Run(5000)
	sees(t, g, []string{"one", "too early", "two", "three", "four"}, ann, cleo)
	sees(t, g, []string{"one", "too early", "three", "four"}, ben)
	for _, n := range nodes {
		if got := count[group.Rejoined](n, g); got != 1 {
			t.Errorf("%s is told %d times that Ben came back", n.Name, got)
		}
	}
}

// TestLostKeysComeBack: Ben's device lost its keys while it has a leaf.
func TestLostKeysComeBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	ben.Lose(g)
	if err := ben.Say(g, "mute"); err == nil {
		t.Error("Ben writes without keys")
	}
	must(t, cleo.Say(g, "two"))
	w.Run(20_000)
	must(t, ben.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "two", "three"}, ann, cleo)
	sees(t, g, []string{"one", "three"}, ben)
	if leaves := len(machine(ben, g).View().Members); leaves != 3 {
		t.Errorf("%d members", leaves)
	}
	if count[group.Replaced](ben, g)+count[group.Misbehaved](ben, g)+count[group.CannotFollow](ann, g) > 0 {
		t.Error("somebody is accused")
	}
}
