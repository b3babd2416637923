package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Scenarios of docs/assurance.md in which keys, messages, copies and restarts
// matter. What blocks and votes decide alone is in package chain.

const day uint64 = 24 * 3600 * 1000

// TestScenario25OwnCommitWinsLater: Ben's block loses to Cleo's, Ben restarts, and
// then it turns out that Ann built on Ben's. He reads what is written there.
//
//	G -> B -> A | G -> C      B: Ben renews his keys, C: Cleo's title, A: Ann removes Cleo
func TestScenario25OwnCommitWinsLater(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, cleo)
	part(w, cleo)
	must(t, ben.Do(g, group.Rekey{}))
	own := machine(ben, g).Head()
	w.Run(3000)
	part(w, ann)
	w.Cut(dan, ben) // Dan has what Ann has
	w.Cut(dan, cleo)
	must(t, cleo.Do(g, group.SetTitle{Title: "Cleo's"}))
	w.Heal(ben, cleo)
	w.Run(5000)
	if blocks := machine(ben, g).Blocks(); blocks.IsAncestor(own, machine(ben, g).Head()) {
		t.Fatal("Ben's block has not lost, so the test shows nothing")
	}
	ben.Stop()
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	must(t, ann.Say(g, "over here"))
	w.Run(1000)
	ben.Start()
	w.Heal(ann, ben)
	w.Run(10_000)
	blocks := machine(ben, g).Blocks()
	if !blocks.IsAncestor(own, machine(ben, g).Head()) || machine(ben, g).Head() != machine(ann, g).Head() || machine(ben, g).View().NoKeys {
		t.Fatal("Ben's own block does not win")
	}
	must(t, ben.Say(g, "here I am"))
	w.HealAll()
	w.Run(10_000)
	alike(t, g, ann, ben, dan)
	sees(t, g, []string{"over here", "here I am"}, ann, ben, dan)
	if status(cleo, g) != group.StatusRemoved {
		t.Errorf("Cleo has status %d", status(cleo, g))
	}
}

// TestScenario27BackAfterAYear: Ben was off for a year, in which the others changed
// the group often and wrote. His leaf is there still, since nobody was heard for most
// of the time; it was set aside, by hand or by itself; he was removed; or removed and
// added again. Who was set aside is given what was written then.
func TestScenario27BackAfterAYear(t *testing.T) {
	for what, c := range map[string]struct {
		meanwhile func(t *testing.T, w *sim.World, g wire.GroupID, ann, ben *sim.Node)
		out       bool
		missed    string
	}{
		"leaf present": {func(*testing.T, *sim.World, wire.GroupID, *sim.Node, *sim.Node) {}, false, "while you were gone"},
		"parked by itself": {func(t *testing.T, w *sim.World, g wire.GroupID, ann, ben *sim.Node) {
			for i := range 5 {
				w.Run(7 * day)
				must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("Trip ", 100+i)}))
			}
			if m := machine(ann, g); m.Blocks().State(m.Head()).Active(ben.Self.Device.ID()) {
				t.Error("Ben is not parked")
			}
		}, false, "while you were gone"},
		"parked": {func(t *testing.T, _ *sim.World, g wire.GroupID, ann, ben *sim.Node) {
			must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
		}, false, "while you were gone"},
		"removed": {func(t *testing.T, _ *sim.World, g wire.GroupID, ann, ben *sim.Node) {
			must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
		}, true, ""},
		"removed and added again": {func(t *testing.T, w *sim.World, g wire.GroupID, ann, ben *sim.Node) {
			must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
			w.Run(30 * day)
			must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
		}, false, ""},
	} {
		t.Run(what, func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
			ann, ben, cleo := nodes[0], nodes[1], nodes[2]
			must(t, ann.Say(g, "before"))
			w.Run(5000)
			ben.Stop()
			for i := range 20 { // more than the epochs whose secrets stay
				must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("Trip ", i)}))
				w.Run(4 * day)
			}
			c.meanwhile(t, w, g, ann, ben)
			w.Run(1000)
			must(t, cleo.Say(g, "while you were gone"))
			w.Run(270 * day)
			ben.Start()
			w.Run(60_000)
			if c.out {
				if status(ben, g) != group.StatusRemoved {
					t.Fatalf("Ben has status %d", status(ben, g))
				}
				if err := ben.Say(g, "hello?"); err == nil {
					t.Error("Ben writes")
				}
				sees(t, g, []string{"before"}, ben)
				return
			}
			if status(ben, g) == group.StatusInvited {
				must(t, ben.Do(g, group.Accept{}))
				w.Run(60_000)
			}
			if v := machine(ben, g).View(); v.NoKeys || v.Parked || v.Title != machine(ann, g).View().Title {
				t.Fatalf("Ben: %+v", v)
			}
			must(t, ben.Say(g, "I am back"))
			w.Run(5000)
			must(t, cleo.Say(g, "welcome"))
			w.Run(60_000)
			sees(t, g, []string{"before", "while you were gone", "I am back", "welcome"}, ann, cleo)
			if got := ben.Texts(g); !slices.Contains(got, "before") || !slices.Contains(got, "I am back") || !slices.Contains(got, "welcome") || c.missed != "" && !slices.Contains(got, c.missed) {
				t.Errorf("Ben sees %q", got)
			}
		})
	}
}

// TestScenario29AuthorGone: Cleo wrote on the side whose block lost, and never comes
// back. Neither half settles anything. Who was there with her keeps it; who was not has it from them, can read it,
// and sees that the group was split.
func TestScenario29AuthorGone(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ann, dan)
	must(t, ann.Do(g, group.SetTitle{Title: "Ann's"}))
	must(t, ben.Do(g, group.SetTitle{Title: "Ben's"}))
	w.Run(2000)
	must(t, cleo.Say(g, "my last words"))
	w.Run(3000)
	cleo.Stop()
	w.Run(3 * day)
	if a, b := final(ann, g), final(ben, g); a.Block != b.Block {
		t.Fatalf("apart, Ann has settled %d and Ben %d", a.Height, b.Height)
	}
	w.HealAll()
	w.Run(20_000)
	alike(t, g, ann, ben, dan)
	sees(t, g, []string{"my last words"}, ann, ben, dan)
	for _, n := range []*sim.Node{ann, ben, dan} {
		if rows := n.Groups[g].Shown(); n != ben && !rows[0].Split { // Ben had it before he knew
			t.Errorf("%s is not told that the group was split", n.Name)
		}
		n.Stop()
		n.Start()
	}
	sees(t, g, []string{"my last words"}, ann, ben, dan)
}

// A thief has what was on Cleo's disk when it broke in, and hears all frames that go
// to her.
type thief struct {
	*sim.Node
	machine *group.Machine
	rows    []group.Row
}

// rob copies n's home.
func rob(t *testing.T, n *sim.Node, g wire.GroupID) *thief {
	t.Helper()
	m, err := group.Load(n.Self, records(n, g))
	must(t, err)
	return &thief{Node: n, machine: m}
}

// listen gives the thief everything that was sent to its victim from a place in
// the history on, and returns where that ends.
func (x *thief) listen(w *sim.World, from int) int {
	for _, p := range w.History[from:] {
		if p.To != x.Node {
			continue
		}
		eff, err := x.machine.Step(group.Input{Now: w.Now, Cause: group.Received{From: p.From.Self.Member(), Payload: p.Bytes}})
		if err == nil {
			x.rows = append(x.rows, eff.Rows...)
		}
	}
	return len(w.History)
}

func (x *thief) reads(text string) bool {
	return slices.ContainsFunc(x.rows, func(r group.Row) bool {
		c, err := group.ParseContent(r.Content)
		return err == nil && string(c.Body) == text
	})
}

// TestScenario30KeyStolen: a thief copies Cleo's home and goes on listening. It reads
// what follows until she renews her keys, and nothing after that.
func TestScenario30KeyStolen(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, cleo := nodes[0], nodes[2]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	x := rob(t, cleo, g)
	at := len(w.History)
	for _, n := range nodes[:2] {
		_, err := x.machine.Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: n.Self.Member()}})
		must(t, err)
	}
	must(t, ann.Say(g, "between"))
	w.Run(5000)
	must(t, ann.Do(g, group.SetTitle{Title: "Another"})) // others' changes do not help
	w.Run(5000)
	must(t, ann.Say(g, "still between"))
	w.Run(5000)
	at = x.listen(w, at)
	if !x.reads("between") || !x.reads("still between") {
		t.Fatal("the thief reads nothing, so the test shows nothing")
	}
	must(t, cleo.Do(g, group.Rekey{}))
	w.Run(5000)
	must(t, ann.Say(g, "healed"))
	w.Run(5000)
	must(t, ann.Do(g, group.SetTitle{Title: "One more"}))
	w.Run(5000)
	must(t, nodes[1].Say(g, "for ever"))
	w.Run(5000)
	x.listen(w, at)
	if x.reads("healed") || x.reads("for ever") {
		t.Error("the thief reads on after the keys were renewed")
	}
	sees(t, g, []string{"before", "between", "still between", "healed", "for ever"}, nodes...)
}

// TestScenario28VouchedByAccomplice: Cleo and Dan are removed while both are apart with
// Eve. Dan answers what Cleo wrote too late, and Eve passes on what she has: by the
// word of one who is removed himself nothing gets in, by Eve's own it does.
func TestScenario28VouchedByAccomplice(t *testing.T) {
	for _, honest := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
		ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
		must(t, cleo.Say(g, "in time"))
		w.Run(5000)
		part(w, cleo, dan, eve)
		must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
		must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
		must(t, cleo.Say(g, "too late"))
		w.Run(3000)
		must(t, dan.Say(g, "hear, hear"))
		w.Run(3000)
		if honest {
			must(t, eve.Say(g, "well"))
			w.Run(3000)
		}
		w.HealAll()
		w.Run(20_000)
		if honest {
			sees(t, g, []string{"in time", "too late", "hear, hear", "well"}, ann, ben, eve)
		} else {
			sees(t, g, []string{"in time"}, ann, ben)
			sees(t, g, []string{"in time", "too late", "hear, hear"}, eve)
		}
	}
}
