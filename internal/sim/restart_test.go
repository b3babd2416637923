package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestCrashAtEveryStep plays a short story again and again; each time one node
// crashes at its next writing step, before or after the write. What its person
// did not get done it does again. Everybody must end with the same.
func TestCrashAtEveryStep(t *testing.T) {
	for who := range 3 {
		for _, crash := range []sim.Crash{sim.CrashBefore, sim.CrashAfter} {
			for at := 0; ; at++ {
				if !crashed(t, who, crash, at) {
					t.Logf("node %d, crash %d: %d places", who, crash, at)
					break
				}
			}
		}
	}
}

// crashed plays the story with one crash; false if it ends before that.
func crashed(t *testing.T, who int, crash sim.Crash, at int) bool {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Nodes[who].Crash, w.Nodes[who].CrashIn = crash, at
	until := func(n *sim.Node, done func() bool, do func() error) {
		for range 5 {
			if w.Run(3000); done() {
				return
			}
			do() // refused while the node is off, or if it was done and not seen yet
		}
		t.Fatalf("node %d, crash %d at %d: %s cannot go on\n%v", who, crash, at, n.Name, w.Trace)
	}
	says := func(n *sim.Node, s string) {
		until(n, func() bool { return slices.Contains(n.Texts(g), s) }, func() error { return n.Say(g, s) })
	}
	accepts := func(n *sim.Node) {
		active := func() bool { return n.Groups[g] != nil && status(n, g) == group.StatusActive }
		until(n, active, func() error { return n.Do(g, group.Accept{}) })
	}
	members := func(n int) func() bool {
		return func() bool { return len(ann.Groups[g].Machine.View().Members) == n }
	}
	accepts(ben)
	says(ann, "one")
	says(ben, "two")
	until(ann, members(3), func() error {
		return ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}})
	})
	accepts(cleo)
	says(cleo, "three")
	until(ann, members(2), func() error { return ann.Do(g, group.Remove{Person: ben.Self.Person}) })
	says(ann, "four")
	until(cleo, members(1), func() error { return cleo.Do(g, group.Leave{}) })
	w.Run(10_000)

	where := fmt.Sprintf("node %d, crash %d at %d", who, crash, at)
	if !slices.Equal(ann.Texts(g), []string{"one", "two", "three", "four"}) ||
		!slices.Equal(ben.Texts(g), []string{"one", "two", "three"}) || !slices.Equal(cleo.Texts(g), []string{"three", "four"}) {
		t.Fatalf("%s: they see %q, %q, %q", where, ann.Texts(g), ben.Texts(g), cleo.Texts(g))
	}
	if status(ben, g) != group.StatusRemoved || status(cleo, g) != group.StatusLeft {
		t.Fatalf("%s: Ben has status %d, Cleo %d", where, status(ben, g), status(cleo, g))
	}
	return w.Nodes[who].Crash == sim.NoCrash
}

// TestQuiet: machines that have told each other everything say nothing more.
func TestQuiet(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	for i, n := range nodes {
		must(t, n.Say(g, fmt.Sprint(i)))
	}
	w.Run(3_600_000) // all that can be settled is, and all know of all that they have it
	before := len(w.History)
	w.Run(24 * 3600 * 1000)
	if after := len(w.History); after != before {
		t.Errorf("%d frames in a day in which nothing happens", after-before)
	}
	alike(t, g, nodes...)
}

// TestClockSetBack: a clock that is set back while the node runs does not stop
// what was due by the old one.
func TestClockSetBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(500) // Ben's Ack is due in 2 s
	ben.Clock -= 365 * 24 * 3600 * 1000
	w.Run(10_000)
	must(t, ann.Say(g, "two"))
	w.Run(10_000)
	sees(t, g, []string{"one", "two"}, ben)
	if reached, of := ann.Groups[g].Machine.Delivered(ann.Self.Device.ID(), 2); len(reached) != 1 || len(of) != 1 {
		t.Errorf("Ann's second message reached %d of %d", len(reached), len(of))
	}
}
