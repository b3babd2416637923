package group_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// away is a settled group of Ann, Ben and Dan, who came in without commits; Ben is
// off, and since he went off Ann is, too, after many changes.
func away(t *testing.T) (w *sim.World, ann, ben, dan *sim.Node, g wire.GroupID) {
	t.Helper()
	w, ann, ben, g = settledGroup(t, 8)
	if err := ben.Say(g, "before"); err != nil {
		t.Fatal(err)
	}
	w.Run(5000)
	ben.Stop()
	do(t, w, ann, g, group.SetVoters{People: []wire.PersonID{ann.Self.Person}})
	ben.Start()
	w.Run(20 * minutes)
	ben.Stop()
	for i := range 12 {
		do(t, w, ann, g, group.SetTitle{Title: string(rune('a' + i))})
	}
	w.Run(20 * minutes)
	dan = w.Add("Dan")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}})
	w.Run(5000)
	do(t, w, dan, g, group.Accept{})
	do(t, w, ann, g, group.SetTitle{Title: "Journey"})
	return w, ann, ben, dan, g
}

// TestBackAfterLong: who was away for long finds nobody but Dan, who has no commits
// of that time. It takes the chain without them, comes back into the keys by
// itself, and reads and writes; what it had it still has, after a restart too.
func TestBackAfterLong(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	if !dan.Groups[g].Machine.Blocks().Lights() {
		t.Fatal("Dan has all commits")
	}
	ann.Stop()
	before := len(ben.Groups[g].Shown())
	dan.Groups[g].Machine.SetPageRoom(4 << 10)
	ben.Start()
	w.Run(2 * minutes)
	if parts := invites(dan, ben); parts[0] == 0 || parts[2] == 0 {
		t.Fatalf("openings, requests and pages from Dan: %v", parts)
	}
	agree(t, g, dan, ben)
	if err := ben.Say(g, "I am back"); err != nil {
		t.Fatal(err)
	}
	w.Run(5000)
	for range 2 {
		if got := len(ben.Groups[g].Shown()); got != before+1 {
			t.Errorf("Ben sees %d messages, and saw %d", got, before)
		}
		ben.Stop()
		ben.Start()
		w.Run(5000)
	}
	ann.Start()
	w.Run(20 * minutes)
	agree(t, g, ann, ben, dan)
	m := ben.Groups[g].Machine
	if m.Settled() != m.Picked() {
		t.Error("the head does not settle")
	}
}

// TestBackIntoAGroup: a former member that is invited again gets pages, and goes on
// with what it had.
func TestBackIntoAGroup(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	ben.Start()
	w.Run(2 * minutes)
	do(t, w, ann, g, group.Remove{Person: ben.Self.Person})
	w.Run(20 * minutes)
	for _, title := range []string{"one", "two", "three"} {
		do(t, w, ann, g, group.SetTitle{Title: title})
	}
	w.Run(20 * minutes)
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(5000)
	if parts := invites(ann, ben); parts[0] == 0 {
		t.Fatalf("openings, requests and pages from Ann: %v", parts)
	}
	do(t, w, ben, g, group.Accept{})
	agree(t, g, ann, ben, dan)
	if err := ben.Say(g, "again"); err != nil {
		t.Fatal(err)
	}
	ben.Stop()
	ben.Start()
	w.Run(20 * minutes)
	agree(t, g, ann, ben, dan)
	if s := ben.Groups[g].Machine.Blocks().State(ben.Groups[g].Machine.Picked()); !s.Active(ben.Self.Device.ID()) {
		t.Error("Ben has no leaf")
	}
}

// TestSilentGiver: who opens pages and gives none keeps nobody from those of another
// for longer than pages are waited for.
func TestSilentGiver(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	eve := w.Add("Eve")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.Run(5000)
	do(t, w, eve, g, group.Accept{})
	w.Run(20 * minutes)
	ann.Stop()
	eve.Stop()
	for _, n := range []*sim.Node{dan, eve} {
		n.Groups[g].Machine.SetPageRoom(4 << 10)
	}
	ben.Start()
	for invites(ben, dan)[1] == 0 {
		w.Run(1)
	}
	dan.Withhold(func(*sim.Node, byte) bool { return true })
	eve.Start()
	w.Run(30_000)
	if invites(eve, ben)[0] == 0 {
		t.Fatal("Eve opens no pages")
	}
	w.Run(2 * minutes)
	dan.Withhold(nil)
	agree(t, g, eve, ben)
}

// TestInviterGoes: Ben was removed and is invited again. Dan opens pages to him and is
// gone before they have come; Ben asks Eve, though he is no member as far as he knows.
func TestInviterGoes(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	eve := w.Add("Eve")
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}})
	w.Run(5000)
	do(t, w, eve, g, group.Accept{})
	w.Run(20 * minutes)
	do(t, w, ann, g, group.Remove{Person: ben.Self.Person})
	ben.Start()
	w.Run(20 * minutes)
	if s := ben.Groups[g].Machine.Status(); s != group.StatusRemoved {
		t.Fatalf("status %d", s)
	}
	ben.Stop()
	do(t, w, ann, g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}})
	w.Run(20 * minutes)
	ann.Stop()
	w.Cut(ben, eve)
	for _, n := range []*sim.Node{dan, eve} {
		n.Groups[g].Machine.SetPageRoom(1 << 10)
	}
	ben.Start()
	asked := invites(ben, dan)[1]
	for range 100_000 {
		if invites(ben, dan)[1] > asked || !w.Step() {
			break
		}
	}
	w.Heal(ben, eve)
	w.Run(60)
	if s := ben.Groups[g].Machine.Status(); s != group.StatusRemoved {
		t.Fatalf("status %d before Dan is gone", s)
	}
	w.Cut(ben, dan)
	w.Run(2 * minutes)
	if s := ben.Groups[g].Machine.Status(); s != group.StatusInvited {
		t.Errorf("status %d, asked Dan %d times and Eve %d", s, invites(ben, dan)[1], invites(ben, eve)[1])
	}
}

// TestOpenedTwice: Ben asks for blocks twice before the first piece of them is here, and
// Dan opens pages to him each time. Each piece comes once, and Dan is not blamed.
func TestOpenedTwice(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	ann.Stop()
	dan.Groups[g].Machine.SetPageRoom(4 << 10)
	w.Delay = func() uint64 { return 500 }
	ben.Start()
	var opening []byte
	for opening == nil && w.Step() {
		for _, p := range w.History {
			if p.To == ben && p.Taken && p.Bytes[0] == 15 && p.Bytes[1] == 0 {
				opening = p.Bytes
			}
		}
	}
	for range 5 {
		w.Deliver(dan, ben, g, opening)
	}
	w.Run(2 * minutes)
	agree(t, g, dan, ben)
	for _, e := range ben.Groups[g].Events {
		if bad, ok := e.(group.Misbehaved); ok {
			t.Errorf("Ben blames somebody for %q", bad.Rule)
		}
	}
}

// TestBaseIsLight: Ben, who came back by a base above Dan's, is opened to by one who
// knows of nothing settled above Dan's. Ben has that block without its commit, so that
// it is not given to him again, and blames nobody.
func TestBaseIsLight(t *testing.T) {
	w, ann, ben, dan, g := away(t)
	w.Run(20 * minutes)
	var opening []byte
	for _, p := range w.History {
		if p.From == ann && p.To == dan && p.Bytes[0] == 15 && p.Bytes[1] == 0 {
			opening = p.Bytes
		}
	}
	ann.Stop()
	ben.Start()
	w.Run(2 * minutes)
	agree(t, g, dan, ben)
	base := false
	opening = group.Rewrite(opening, func(p *group.Piece) {
		base = ben.Groups[g].Machine.Blocks().IsLight(*p.Base)
		p.Lights, p.Tree, p.Whole, *p.Left = nil, nil, nil, 0
	})
	if !base {
		t.Fatal("Ben has the base whole")
	}
	w.Deliver(dan, ben, g, opening)
	w.Run(2 * minutes)
	agree(t, g, dan, ben)
	for _, e := range ben.Groups[g].Events {
		if bad, ok := e.(group.Misbehaved); ok {
			t.Errorf("Ben blames somebody for %q", bad.Rule)
		}
	}
}
