package sim_test

import (
	"errors"
	"testing"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
)

// TestOlderSuite plays a group of the suite before: it is written to, somebody
// is added to it and removed, and it is loaded again.
func TestOlderSuite(t *testing.T) {
	older := group.Suites()[1]
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Suite: older, Newcomers: []group.Newcomer{ben.NewcomerFor(older)}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, ben.Say(g, "one"))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.NewcomerFor(older)}}))
	w.Run(1000)
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(3000)
	cleo.Stop()
	cleo.Start()
	must(t, cleo.Say(g, "two"))
	w.Run(3000)
	sees(t, g, []string{"one", "two"}, ann, ben)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(3000)
	must(t, cleo.Say(g, "three"))
	w.Run(3000)
	sees(t, g, []string{"one", "two", "three"}, ann)
	for _, n := range []*sim.Node{ann, cleo} {
		if v := n.Groups[g].Machine.View(); v.Suite != older || len(v.Members) != 2 {
			t.Errorf("%s: %+v", n.Name, v)
		}
	}
}

// TestPackageOfAnotherSuite: a group takes only key packages of its own.
func TestPackageOfAnotherSuite(t *testing.T) {
	for _, suite := range group.Suites() {
		w := sim.New(1)
		ann := w.Add("Ann")
		g := ann.Create(group.CreateParams{Title: "Trip", Suite: suite})
		for _, other := range append(group.Suites(), mls.SuiteX25519ChaChaSHA256Ed25519) {
			err := ann.Do(g, group.Invite{Newcomers: []group.Newcomer{w.Add("Ben").NewcomerFor(other)}})
			if other == suite {
				must(t, err)
				continue
			}
			var r *group.Refusal
			if !errors.As(err, &r) || r.Reason != group.ReasonPackage || !errors.Is(err, group.ErrSuite) {
				t.Errorf("suite %#x in a group of %#x: %v", other, suite, err)
			}
		}
	}
}

// TestPackageForSiblings: one key package opens the Welcomes of two blocks with
// one parent, of which one loses, and of no other block.
func TestPackageForSiblings(t *testing.T) {
	w := sim.New(1)
	ann, ben, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Dan")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(3000)
	promote(t, w, g, ann, ben)
	w.Cut(ann, ben)
	w.Cut(ann, dan)
	who := dan.Newcomer() // which both hold, as a copied home may
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{who}}))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{who}}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	must(t, dan.Say(g, "by way of Ben"))
	w.Run(3000)
	w.HealAll()
	w.Run(10_000)
	if v := dan.Groups[g].Machine.View(); v.Status != group.StatusActive || v.NoKeys || v.InvitedBy != ann.Self.Person { // she is senior
		t.Fatalf("Dan's group: %+v", v)
	}
	must(t, dan.Say(g, "by way of Ann"))
	w.Run(10_000)
	sees(t, g, []string{"by way of Ben", "by way of Ann"}, ann, ben, dan)

	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{who}}))
	w.Run(10_000)
	if status(dan, g) != group.StatusRemoved {
		t.Errorf("a used package leads Dan in again: status %d", status(dan, g))
	}
}
