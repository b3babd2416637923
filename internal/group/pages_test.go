package group_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

const minutes = 60_000

// settledGroup is a group of two, Ann and Ben, whose n titles and what was before
// them are settled; one more is not.
func settledGroup(t testing.TB, n int) (w *sim.World, ann, ben *sim.Node, g wire.GroupID) {
	t.Helper()
	w = sim.New(1)
	ann, ben = w.Add("Ann"), w.Add("Ben")
	g = ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(1000)
	do(t, w, ben, g, group.Accept{})
	w.Run(10 * minutes)
	for i := range n {
		do(t, w, ann, g, group.SetTitle{Title: fmt.Sprint("title ", i)})
		if i%8 == 7 {
			w.Run(10 * minutes)
		}
	}
	w.Run(10 * minutes)
	do(t, w, ann, g, group.SetTitle{Title: "the last"})
	return w, ann, ben, g
}

func do(t testing.TB, w *sim.World, n *sim.Node, g wire.GroupID, c group.Cause) {
	t.Helper()
	if err := n.Do(g, c); err != nil {
		t.Fatal(err)
	}
	w.Run(3000)
}

// invites are what a member sends to somebody of an invitation in pages, by part.
func invites(n, to *sim.Node) (parts [3]int) {
	for _, p := range n.Sent {
		if p.To == to && p.Bytes[0] == 15 {
			parts[p.Bytes[1]]++
		}
	}
	return parts
}

// agree fails unless all hold the same chain, and say the same of it.
func agree(t *testing.T, g wire.GroupID, nodes ...*sim.Node) {
	t.Helper()
	first := nodes[0].Groups[g].Machine
	want := chain.NewRecord(first.Blocks()).Marshal()
	for _, n := range nodes[1:] {
		m := n.Groups[g].Machine
		if m == nil {
			t.Fatalf("%s is not in", n.Name)
		}
		if m.Picked() != first.Picked() || m.View().Title != first.View().Title {
			t.Errorf("%s has another head: %q, and %q", n.Name, m.View().Title, first.View().Title)
		}
		if !bytes.Equal(chain.NewRecord(m.Blocks()).Marshal(), want) {
			t.Errorf("%s keeps another record", n.Name)
		}
	}
}

// TestInvitationInPages: a newcomer takes more blocks than a page holds, without
// the commits of what is settled; it reads, writes, restarts, invites and votes
// like the others.
func TestInvitationInPages(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 40)
	ann.Groups[g].Machine.SetPageRoom(4 << 10)
	dan := w.Add("Dan")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	w.Run(5000)
	if parts := invites(ann, dan); parts[0] == 0 || parts[2] < 5 {
		t.Fatalf("openings, requests and pages from Ann: %v", parts)
	}
	m := dan.Groups[g].Machine
	if m == nil {
		t.Fatalf("Dan is not in: %v", dan.Refused)
	}
	if !m.Blocks().Lights() || m.Blocks().IsLight(m.Picked()) {
		t.Error("Dan holds no light blocks, or a light head")
	}
	do(t, w, dan, g, group.Accept{})
	agree(t, g, ann, ben, dan)
	if err := dan.Say(g, "thank you"); err != nil {
		t.Fatal(err)
	}
	dan.Stop()
	dan.Start()
	w.Run(20 * minutes)
	do(t, w, ann, g, group.SetTitle{Title: "after"})
	do(t, w, dan, g, group.Rekey{})
	w.Run(20 * minutes)
	agree(t, g, ann, ben, dan)
	if m := dan.Groups[g].Machine; m.Settled() != m.Picked() {
		t.Error("the head does not settle with Dan among the voters")
	}

	eve := w.Add("Eve")
	w.Cut(ann, eve)
	w.Cut(ben, eve)
	do(t, w, ann, g, group.SetRole{Person: dan.Self.Person, Role: chain.RoleAdmin})
	do(t, w, dan, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.Run(5000)
	agree(t, g, ann, ben, dan, eve)
	var r *group.Refusal
	err := dan.Do(g, group.Invite{Newcomers: []group.Newcomer{w.Add("Old").OldNewcomer(group.NewSuite)}})
	if !errors.As(err, &r) || r.Reason != group.ReasonOlder {
		t.Errorf("who holds no commits invites a program that needs them: %v", err)
	}
}

// TestOldProgramIsInvitedWhole: whoever does not announce pages gets an invitation
// as before, from who has all blocks.
func TestOldProgramIsInvitedWhole(t *testing.T) {
	w, ann, _, g := settledGroup(t, 8)
	old := w.Add("Old")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{old.OldNewcomer(group.NewSuite)}})
	if parts := invites(ann, old); parts != [3]int{} {
		t.Errorf("openings, requests and pages to an old program: %v", parts)
	}
	m := old.Groups[g].Machine
	if m == nil || m.Blocks().Lights() {
		t.Error("it is not in, or has no commits")
	}
}

// TestUnsettledInPages: where nothing is settled all blocks come whole, and in pieces
// what no message holds.
func TestUnsettledInPages(t *testing.T) {
	w := sim.New(1)
	ann, ben, dan := w.Add("Ann"), w.Add("Ben"), w.Add("Dan")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer()}})
	for i := range 8 {
		if err := ann.Do(g, group.SetTitle{Title: fmt.Sprint("title ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	ann.Groups[g].Machine.SetPageRoom(16 << 10)
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	w.Run(5000)
	if parts := invites(ann, dan); parts[0] == 0 || parts[2] < 2 {
		t.Errorf("openings, requests and pages: %v", parts)
	}
	agree(t, g, ann, dan)
	if dan.Groups[g].Machine.Blocks().Lights() {
		t.Error("a block came without its commit")
	}
}
