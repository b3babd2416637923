package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestOutsideSleeps: a device outside has asked those who are here, who are silent;
// one more comes just before the others are asked anew. While that one's answer is
// awaited the device sleeps.
func TestOutsideSleeps(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ben.Say(g, "one"))
	w.Run(5000)
	old := ben.Copy("Ben's backup")
	must(t, ben.Do(g, group.Rekey{}))
	w.Run(5000)
	must(t, ben.Say(g, "two"))
	must(t, ben.Do(g, group.Rekey{}))
	w.Run(5000)
	ben.Stop()
	old.Start()
	w.Run(2500)
	w.Cut(old, ann)
	w.Cut(old, cleo)
	must(t, old.Renew())
	m, now := machine(old, g), w.Now
	step := func(c group.Cause) uint64 {
		eff, err := m.Step(group.Input{Now: now, Cause: c})
		must(t, err)
		return uint64(eff.Wake)
	}
	wake := step(group.PeerUp{Peer: ann.Self.Member()})
	if v := m.View(); !v.NoKeys || v.Inside {
		t.Fatalf("it is not outside: %+v", v)
	}
	const asksAgain, before = 30_000, 2_000 // askAgainAfter; how long before that the other comes
	for wake != 0 && wake < now+asksAgain-before {
		now = wake
		wake = step(group.Tick{})
	}
	if wake == 0 {
		t.Fatal("Ann is not asked anew")
	}
	now += asksAgain - before
	wake = step(group.PeerUp{Peer: cleo.Self.Member()})
	steps := 0
	for end := now + 60_000; wake != 0 && wake < end && steps < 1000; steps++ {
		now = wake
		wake = step(group.Tick{})
	}
	if steps > 50 {
		t.Errorf("%d steps in a minute in which nothing comes", steps)
	}
}
