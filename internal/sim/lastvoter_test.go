package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// goesOnSettling checks that who is left settles what is done.
func goesOnSettling(t *testing.T, w *sim.World, g wire.GroupID, nodes ...*sim.Node) {
	t.Helper()
	for _, n := range nodes {
		if n.Groups[g].Machine.View().Admin {
			must(t, n.Do(g, group.SetTitle{Title: "without the first"}))
			break
		}
	}
	w.Run(3 * 60 * minute)
	settledAll(t, g, 100, nodes...)
	if f := final(nodes[0], g); f.Height == 0 {
		t.Error("nothing was ever settled")
	}
}

// TestOnlyVoterLeaves: Ann, the only voter, leaves before anybody else votes, and is
// gone at once. Her program has handed the say over before.
func TestOnlyVoterLeaves(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	if f := final(ann, g); len(f.Voters) != 1 {
		t.Fatalf("%d voters", len(f.Voters))
	}
	must(t, ann.Do(g, group.Leave{Successor: ben.Self.Person}))
	w.Run(5000)
	if got := status(ann, g); got != group.StatusLeft {
		t.Errorf("Ann has status %d", got)
	}
	ann.Stop()
	w.Run(10 * minute)
	if f := final(ben, g); len(f.Voters) == 0 || slices.Contains(f.Voters, ann.Self.Person) {
		t.Errorf("the voters are %v", f.Voters)
	}
	goesOnSettling(t, w, g, ben, cleo)
}

// TestOneOfTwoVotersLeaves: neither of two settles anything without the other.
func TestOneOfTwoVotersLeaves(t *testing.T) {
	for _, leaver := range []int{0, 1} {
		w, nodes, g := voting(t, "Ann", "Ben")
		cleo := w.Add("Cleo")
		must(t, nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
		w.Run(2000)
		gone, left := nodes[leaver], nodes[1-leaver]
		must(t, gone.Do(g, group.Leave{Successor: left.Self.Person}))
		w.Run(3 * minute)
		if got := status(gone, g); got != group.StatusLeft {
			t.Errorf("%s has status %d", gone.Name, got)
		}
		gone.Stop()
		must(t, cleo.Do(g, group.Accept{}))
		w.Run(10 * minute)
		goesOnSettling(t, w, g, left, cleo)
	}
}

// TestOnlyVoterLeavesOffline: nobody is there when Ann leaves, and she is off before
// anybody comes. The others wait a day for her; when she is on for a moment she
// hands over and is out.
func TestOnlyVoterLeavesOffline(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	alone(w, ann)
	must(t, ann.Do(g, group.Leave{Successor: ben.Self.Person}))
	ann.Stop()
	w.HealAll()
	w.Run(60 * minute)
	ann.Start()
	w.Run(5000)
	ann.Stop()
	w.Run(10 * minute)
	if v := machine(ben, g).View(); len(v.Members) != 2 {
		t.Errorf("%d members", len(v.Members))
	}
	goesOnSettling(t, w, g, ben, cleo)
}

// TestLeaveDoesNotWaitForEver: Ann's word to leave came through, and she never comes
// back to hand over. After a day she is out; nothing is settled any more.
func TestLeaveDoesNotWaitForEver(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	alone(w, ann)
	must(t, ann.Do(g, group.Leave{Successor: ben.Self.Person}))
	ann.Stop()
	var frame wire.Writer
	frame.U8(6) // statements
	for list := range 4 {
		frame.Group(func(w *wire.Writer) {
			for _, leave := range ann.Groups[g].Records[group.KindLeave] {
				if list == 2 {
					w.Vec(leave)
				}
			}
		})
	}
	w.Deliver(ben, cleo, g, frame.Bytes())
	w.Run(day / 2)
	if v := machine(cleo, g).View(); len(v.Members) != 3 {
		t.Errorf("after half a day there are %d members", len(v.Members))
	}
	w.Run(day)
	if v := machine(cleo, g).View(); len(v.Members) != 2 {
		t.Errorf("after a day there are %d members", len(v.Members))
	}
}

// TestLeaveIsToldForWhomItWaits: Ann and Ben vote, and Ben is off. Ann, who leaves, is
// told that it waits for Ben; a day later she is out.
func TestLeaveIsToldForWhomItWaits(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben, cleo := nodes[0], nodes[1], w.Add("Cleo")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(2000)
	ben.Stop()
	must(t, cleo.Do(g, group.Accept{}))
	must(t, ann.Do(g, group.Leave{Successor: cleo.Self.Person}))
	w.Run(20 * minute)
	if v := machine(ann, g).View(); v.Status != group.StatusLeaving || !v.Needed || !slices.Equal(v.Awaited, []wire.PersonID{ben.Self.Person}) {
		t.Errorf("Ann has status %d, needed %v, and waits for %v", v.Status, v.Needed, v.Awaited)
	}
	w.Run(day + 10*minute)
	if v := machine(ann, g).View(); v.Status != group.StatusLeft || v.Needed || len(v.Awaited) > 0 {
		t.Errorf("a day later Ann has status %d, needed %v, and waits for %v", v.Status, v.Needed, v.Awaited)
	}
}

// TestLeaveWaitsForNoUse: Cleo and Dan, two of three voters, are removed before they
// vote for that. Nothing is settled with Ann's vote either: her Leave does not wait.
func TestLeaveWaitsForNoUse(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Cleo", "Dan")
	ann, cleo, dan, eve := nodes[0], nodes[1], nodes[2], w.Add("Eve")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(2000)
	cleo.Stop()
	dan.Stop()
	must(t, eve.Do(g, group.Accept{}))
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(2000)
	must(t, ann.Do(g, group.Leave{Successor: eve.Self.Person}))
	w.Run(3 * minute)
	if got := status(ann, g); got != group.StatusLeft {
		t.Errorf("Ann has status %d", got)
	}
}

// TestDeclinedVoter: Ben, one of two voters, is removed and invited again, and
// declines. Who is invited does not vote, so nothing is waited for.
func TestDeclinedVoter(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	ben.Stop()
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(1000)
	ben.Start()
	w.Run(1000)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(1000)
	must(t, ben.Do(g, group.Leave{}))
	if got := status(ben, g); got != group.StatusDeclined {
		t.Fatalf("Ben has status %d", got)
	}
	w.Run(3 * minute)
	if v := machine(ann, g).View(); len(v.Members) != 1 {
		t.Errorf("%d members", len(v.Members))
	}
}

// TestHeirHasAccepted: Ann alone is to vote, by her own choice, and leaves. Cleo, who is
// to be the admin, has not accepted: Ben votes.
func TestHeirHasAccepted(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben, cleo := nodes[0], nodes[1], w.Add("Cleo")
	must(t, ann.Do(g, group.SetVoters{People: []wire.PersonID{ann.Self.Person}}))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(10 * minute)
	if f := final(ann, g); len(f.Voters) != 1 {
		t.Fatalf("%d voters", len(f.Voters))
	}
	must(t, ann.Do(g, group.Leave{Successor: cleo.Self.Person}))
	w.Run(3 * minute)
	if f := final(ben, g); status(ann, g) != group.StatusLeft || !slices.Equal(f.Voters, []wire.PersonID{ben.Self.Person}) {
		t.Errorf("Ann has status %d, the voters are %v", status(ann, g), f.Voters)
	}
}

// TestHeirHasDevice: Ann, the only voter, leaves. Eve, an admin, has lost her device, for
// it signed twice, and Cleo has not accepted yet: Cleo is to vote, not Eve.
func TestHeirHasDevice(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Eve")
	ann, eve, cleo := nodes[0], nodes[1], w.Add("Cleo")
	promote(t, w, g, ann, eve)
	one, other := signedRekey(t, eve, g), signedRekey(t, eve, g)
	w.Deliver(eve, ann, g, one)
	w.Deliver(eve, ann, g, other)
	w.Run(10 * minute)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	w.Run(10 * minute)
	if f := final(ann, g); slashes(ann, g) != 1 || !slices.Equal(f.Voters, []wire.PersonID{ann.Self.Person}) {
		t.Fatalf("Eve was slashed %d times, and the voters are %v, so the test shows nothing", slashes(ann, g), f.Voters)
	}
	must(t, ann.Do(g, group.Leave{Successor: eve.Self.Person}))
	w.Run(10 * minute)
	if got := headState(ann, g).Electorate(); !slices.Equal(got, []wire.PersonID{cleo.Self.Person}) {
		t.Errorf("the voters are %v, and Cleo is %v", got, cleo.Self.Person)
	}
	must(t, cleo.Do(g, group.Accept{}))
	w.Run(10 * minute)
	if got := status(ann, g); got != group.StatusLeft {
		t.Errorf("Ann has status %d", got)
	}
}
