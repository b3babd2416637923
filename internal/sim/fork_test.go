package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Changes at the same time, and messages across them.

// part cuts the nodes into two sides.
func part(w *sim.World, side ...*sim.Node) {
	w.Part(func(n *sim.Node) bool { return slices.Contains(side, n) })
}

func promote(t testing.TB, w *sim.World, g wire.GroupID, by *sim.Node, who ...*sim.Node) {
	t.Helper()
	for _, n := range who {
		must(t, by.Do(g, group.SetRole{Person: n.Self.Person, Role: chain.RoleAdmin}))
		w.Run(2000)
	}
}

func status(n *sim.Node, g wire.GroupID) group.Status { return n.Groups[g].Machine.Status() }

// TestScenario02MutualRemoval: Ann removes Ben while Ben removes Ann. The more senior
// stays, whoever else is there to see it.
func TestScenario02MutualRemoval(t *testing.T) {
	for _, others := range [][]string{nil, {"Cleo"}, {"Cleo", "Dan"}} {
		t.Run(fmt.Sprint(2+len(others)), func(t *testing.T) {
			w, nodes, g := trip(t, append([]string{"Ann", "Ben"}, others...)...)
			ann, ben := nodes[0], nodes[1]
			promote(t, w, g, ann, ben)
			part(w, ann)
			must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
			must(t, ben.Do(g, group.Remove{Person: ann.Self.Person}))
			w.Run(2000)
			w.HealAll()
			w.Run(20_000)
			if status(ann, g) != group.StatusActive || status(ben, g) != group.StatusRemoved {
				t.Fatalf("Ann has status %d, Ben %d", status(ann, g), status(ben, g))
			}
			must(t, ann.Say(g, "after"))
			w.Run(5000)
			alike(t, g, append([]*sim.Node{ann}, nodes[2:]...)...)
			sees(t, g, nil, ben)
		})
	}
}

// TestTwoChangesAtOnce: two admins change the group in the same instant, write on
// both branches, and everybody reads everything.
func TestTwoChangesAtOnce(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	must(t, ann.Say(g, "on A"))
	must(t, ben.Say(g, "on B"))
	w.Run(10_000)
	alike(t, g, ann, ben, cleo)
	if got := cleo.Texts(g); len(got) != 2 {
		t.Errorf("Cleo sees %q", got)
	}
	if v := cleo.Groups[g].Machine.View(); v.Title != "A" {
		t.Errorf("the title is %q", v.Title)
	}
}

// TestPartition: two and two write six messages each, and heal.
func TestPartition(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	part(w, nodes[0], nodes[1])
	for i := range 12 {
		must(t, nodes[i%4].Say(g, fmt.Sprint(i)))
		w.Run(500)
	}
	w.HealAll()
	w.Run(10_000)
	alike(t, g, nodes...)
	if got := nodes[3].Texts(g); len(got) != 12 {
		t.Errorf("Dan sees %q", got)
	}
}

// TestThroughTheMiddle: Ann and Cleo meet only Ben (Peergos' A, B, C), and never
// at the same time.
func TestThroughTheMiddle(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	must(t, ann.Say(g, "one"))
	w.Run(3000)
	w.Cut(ann, ben)
	w.Heal(ben, cleo)
	w.Run(5000)
	sees(t, g, []string{"one"}, cleo)
	must(t, cleo.Say(g, "two"))
	w.Run(5000)
	w.Cut(ben, cleo)
	w.Heal(ann, ben)
	w.Run(5000)
	alike(t, g, ann, ben, cleo)
	sees(t, g, []string{"one", "two"}, ann)
}

// TestCrissCross: two pairs write, swap partners, write again, and one message
// is kept from one node all the while (the case that broke Jami).
func TestCrissCross(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	part(w, ann, ben)
	must(t, ann.Say(g, "a1"))
	must(t, cleo.Say(g, "c1"))
	w.Run(100) // pushed, not asked for yet
	w.HealAll()
	part(w, ann, cleo)
	must(t, ann.Say(g, "a2"))
	must(t, dan.Say(g, "d2"))
	w.Run(20)
	ben.Crash = sim.CrashBefore
	must(t, dan.Say(g, "d3"))
	w.Run(3000)
	w.HealAll()
	w.Run(10_000)
	alike(t, g, nodes...)
	if got := ben.Texts(g); len(got) != 5 {
		t.Errorf("Ben sees %q", got)
	}
}

// TestLeaveCommittedByAnother: who leaves is not there any more when somebody
// commits it, and who declines was never heard.
func TestLeaveCommittedByAnother(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(2000)
	w.Cut(ann, ben)
	w.Cut(ann, dan)
	must(t, ben.Do(g, group.Leave{}))
	must(t, dan.Do(g, group.Leave{}))
	w.Run(50)
	ben.Stop()
	w.Run(10_000)
	if v := ann.Groups[g].Machine.View(); len(v.Members) != 2 {
		t.Errorf("Ann sees %+v", v.Members)
	}
	alike(t, g, ann, cleo)
	ben.Start()
	w.HealAll()
	w.Run(10_000)
	if status(ben, g) != group.StatusLeft || status(dan, g) != group.StatusDeclined {
		t.Errorf("Ben has status %d, Dan %d", status(ben, g), status(dan, g))
	}
}

// TestBackAgain: added again after a removal and after a leave; what was said
// meanwhile stays unread, and one's own log goes on.
func TestBackAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, cleo.Say(g, "1"))
	w.Run(5000)
	want := []string{"1"}
	for i, end := range []func() error{
		func() error { return ann.Do(g, group.Remove{Person: cleo.Self.Person}) },
		func() error { return cleo.Do(g, group.Leave{}) },
		func() error { return ann.Do(g, group.Remove{Person: cleo.Self.Person}) },
	} {
		must(t, end())
		w.Run(5000)
		must(t, ben.Say(g, fmt.Sprint("without ", i)))
		w.Run(5000)
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
		w.Run(2000)
		if status(cleo, g) != group.StatusInvited {
			t.Fatalf("round %d: Cleo has status %d", i, status(cleo, g))
		}
		must(t, cleo.Do(g, group.Accept{}))
		w.Run(5000)
		must(t, cleo.Say(g, fmt.Sprint("back ", i)))
		w.Run(5000)
		want = append(want, fmt.Sprint("back ", i))
	}
	sees(t, g, want, cleo)
	if seq := cleo.Groups[g].Machine.OwnSeq(); seq != 4 {
		t.Errorf("Cleo's log has %d entries", seq)
	}
	if a, b := ann.Texts(g), ben.Texts(g); !slices.Equal(a, b) || len(a) != 7 {
		t.Errorf("Ann sees %q, Ben %q", a, b)
	}
}

// TestScenario28LateMessages: what Cleo writes after her removal, of which she does not
// know. Without a reply from who did not know either, only those have it who had
// it then; with one, everybody has.
func TestScenario28LateMessages(t *testing.T) {
	for _, reply := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		must(t, cleo.Say(g, "before"))
		w.Run(5000)
		part(w, cleo, dan)
		must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
		must(t, cleo.Say(g, "late 1"))
		must(t, cleo.Say(g, "late 2"))
		w.Run(5000)
		if reply {
			must(t, dan.Say(g, "reply"))
			w.Run(3000)
		}
		w.HealAll()
		w.Run(10_000)
		must(t, dan.Say(g, "after"))
		w.Run(10_000)
		all := []string{"before", "late 1", "late 2", "after"}
		if reply {
			all = slices.Insert(all, 3, "reply")
			sees(t, g, all, ann, ben, dan)
		} else {
			sees(t, g, all, dan)
			sees(t, g, []string{"before", "after"}, ann, ben)
		}
		for _, n := range []*sim.Node{ann, ben, dan} {
			n.Stop()
			n.Start()
			if v := n.Groups[g].Machine.View(); v.Missing != 0 {
				t.Errorf("%s lacks %d", n.Name, v.Missing)
			}
		}
	}
}

// TestLateOfManyAndOfOne: Eve, who was removed and may not know it, writes without
// end, and Dan brings it. What Cleo, who was removed too, wrote then is kept back all
// the same, and shown when Fay's reply to it comes.
func TestLateOfManyAndOfOne(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
	ann, ben, cleo, dan, eve, fay := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5]
	must(t, cleo.Say(g, "before"))
	w.Run(5000)
	part(w, ann, ben)
	for _, n := range []*sim.Node{cleo, fay} {
		w.Cut(n, dan)
		w.Cut(n, eve)
	}
	for _, n := range []*sim.Node{cleo, eve} {
		must(t, ann.Do(g, group.Remove{Person: n.Self.Person}))
	}
	must(t, cleo.Say(g, "late"))
	for i := range 300 {
		must(t, eve.Say(g, fmt.Sprint("flood ", i)))
	}
	w.Run(10_000)
	must(t, fay.Say(g, "reply"))
	w.Run(5000)
	cleo.Stop()
	eve.Stop()
	for _, n := range []*sim.Node{dan, fay} {
		w.Heal(n, ann)
		w.Heal(n, ben)
		w.Run(60_000)
	}
	sees(t, g, []string{"before", "late", "reply"}, ann, ben)
}

// TestScenario20WelcomeOfLosingBlock: two admins add Dan on two branches; he comes in by
// the one that loses, writes, and goes on under the other.
func TestScenario20WelcomeOfLosingBlock(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	promote(t, w, g, ann, ben)
	part(w, ann)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, dan.Say(g, "on the losing branch"))
	w.Run(3000)
	w.HealAll()
	w.Run(20_000)
	if v := dan.Groups[g].Machine.View(); v.Status != group.StatusActive || v.NoKeys || v.InvitedBy != ann.Self.Person {
		t.Fatalf("Dan: status %d, no keys %v, invited by Ann %v", v.Status, v.NoKeys, v.InvitedBy == ann.Self.Person)
	}
	must(t, dan.Say(g, "on the other"))
	w.Run(5000)
	alike(t, g, ann, ben, cleo)
	sees(t, g, []string{"on the losing branch", "on the other"}, dan, ben)
}

func TestDirectChat(t *testing.T) {
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Direct: true, Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(3000)
	for _, c := range []group.Cause{
		group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}},
		group.Remove{Person: ben.Self.Person},
		group.SetRole{Person: ben.Self.Person, Role: chain.RoleMember},
		group.SetTitle{Title: "No"},
	} {
		if err := ann.Do(g, c); err == nil {
			t.Errorf("%T is taken in a direct chat", c)
		}
	}
	must(t, ann.Say(g, "hi"))
	must(t, ben.Say(g, "ho"))
	w.Run(5000)
	alike(t, g, ann, ben)
	if v := ben.Groups[g].Machine.View(); !v.Direct || !v.Admin || len(v.Members) != 2 {
		t.Errorf("Ben: %+v", v)
	}
}
