package sim_test

import (
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// rekeys counts the Rekeys of a person on the head's chain.
func rekeys(n *sim.Node, g wire.GroupID, by *sim.Node) (count int) {
	m := n.Groups[g].Machine
	for _, hash := range m.Chain() {
		if h := m.Blocks().Header(hash); h.Author == by.Self.Member() && h.Ops[0].Kind() == chain.KindRekey {
			count++
		}
	}
	return count
}

// TestRekeyAfterLastResort: Ben and Cleo come in by last-resort packages, Dan by
// one of his own. The two renew their keys within a minute of accepting, and once.
func TestRekeyAfterLastResort(t *testing.T) {
	for _, suite := range group.Suites() {
		w := sim.New(1)
		ann, ben, cleo, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo"), w.Add("Dan")
		g := ann.Create(group.CreateParams{Title: "Trip", Suite: suite, Newcomers: []group.Newcomer{
			ben.LastResort(suite), cleo.LastResort(suite), dan.NewcomerFor(suite),
		}})
		w.Run(120_000)
		if n := rekeys(ann, g, ben); n != 0 {
			t.Fatalf("who has not accepted renews keys %d times", n)
		}
		for _, n := range []*sim.Node{ben, cleo, dan} {
			must(t, n.Do(g, group.Accept{}))
		}
		w.Run(60_000)
		for _, n := range w.Nodes {
			want := 0
			if n == ben || n == cleo {
				want = 1
			}
			if got := rekeys(ann, g, n); got != want || n.Groups[g].Machine.LastResort() {
				t.Errorf("suite %#x: %s renewed its keys %d times, want %d", suite, n.Name, got, want)
			}
		}
		w.Run(600_000)
		if n := rekeys(ann, g, ben) + rekeys(ann, g, cleo); n != 2 {
			t.Errorf("later there are %d renewals", n)
		}
		must(t, ben.Say(g, "hello"))
		w.Run(3000)
		sees(t, g, []string{"hello"}, ann, ben, cleo, dan)

		// The same package leads Ben in again: it is needed again.
		must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
		w.Run(3000)
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.LastResort(suite)}}))
		w.Run(3000)
		must(t, ben.Do(g, group.Accept{}))
		w.Run(60_000)
		if n := rekeys(ann, g, ben); n != 2 {
			t.Errorf("after coming again Ben has renewed his keys %d times, want 2", n)
		}
	}
}

// TestRekeyAfterRestart: Ben's program ends right after he has accepted; it
// renews the keys when it comes back.
func TestRekeyAfterRestart(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.LastResort(group.NewSuite)}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	ben.Stop()
	w.Run(120_000)
	if rekeys(ann, g, ben) != 0 {
		t.Fatal("who is off renews keys")
	}
	ben.Start()
	if !ben.Groups[g].Machine.LastResort() {
		t.Fatal("the restart forgets that it must")
	}
	w.Run(60_000)
	if n := rekeys(ann, g, ben); n != 1 {
		t.Errorf("after the restart Ben renewed his keys %d times", n)
	}
}

// TestRekeyLost: Ben's renewal loses against what Ann does on the other side of a
// cut; he makes it again on her side.
func TestRekeyLost(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.LastResort(group.NewSuite)}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Cut(ann, ben)
	w.Run(60_000)
	must(t, ann.Do(g, group.SetTitle{Title: "Voyage"}))
	if rekeys(ben, g, ben) != 1 || rekeys(ann, g, ben) != 0 {
		t.Fatalf("during the cut: %d and %d", rekeys(ben, g, ben), rekeys(ann, g, ben))
	}
	lost := ben.Groups[g].Machine.Head()
	w.HealAll()
	w.Run(65_000)
	if ann.Groups[g].Machine.Blocks().IsAncestor(lost, ann.Groups[g].Machine.Head()) {
		t.Fatal("the renewal has not lost, so the test shows nothing")
	}
	if n := rekeys(ann, g, ben); n != 1 || ben.Groups[g].Machine.LastResort() {
		t.Errorf("after the fork there are %d renewals", n)
	}
}

// TestRekeyByTime: in a group in which people write, each device that is there
// renews its keys about once a week; in a quiet one nobody does.
func TestRekeyByTime(t *testing.T) {
	const day = 24 * 3600 * 1000
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(30 * day)
	if n := rekeys(ann, g, ann) + rekeys(ann, g, ben) + rekeys(ann, g, cleo); n != 0 {
		t.Errorf("in a quiet group there are %d renewals", n)
	}
	cleo.Stop()
	for range 4 * 7 {
		must(t, ben.Say(g, "hello"))
		w.Run(day)
	}
	for _, n := range []*sim.Node{ann, ben} {
		if got := rekeys(ann, g, n); got < 3 || got > 6 {
			t.Errorf("in four weeks %s renews its keys %d times", n.Name, got)
		}
	}
	if got := rekeys(ann, g, cleo); got != 0 {
		t.Errorf("Cleo, who is off, renews keys %d times", got)
	}
	cleo.Start()
	w.Run(60_000)
	alike(t, g, ann, ben, cleo)
	if got := rekeys(ann, g, cleo); got != 1 {
		t.Errorf("Cleo, who is back, renews keys %d times", got)
	}
}

// TestRekeyAsked: anybody may renew keys at any time, up to rule V7's bound; who
// is not in may not.
func TestRekeyAsked(t *testing.T) {
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	if err := ben.Do(g, group.Rekey{}); reason(err) != group.ReasonNotActive {
		t.Errorf("before accepting: %v", err)
	}
	must(t, ben.Do(g, group.Accept{}))
	for range chain.MaxRekeys {
		must(t, ben.Do(g, group.Rekey{}))
	}
	if err := ben.Do(g, group.Rekey{}); reason(err) != group.ReasonRule {
		t.Errorf("one more than V7 allows: %v", err)
	}
	w.Run(3000)
	must(t, ann.Say(g, "hello"))
	w.Run(3000)
	sees(t, g, []string{"hello"}, ann, ben)
}

// reason is why a machine refused.
func reason(err error) group.Reason {
	var r *group.Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}
