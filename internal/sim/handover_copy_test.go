package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// twins is a trip of four in which Dan's home and a copy of it each wrote under one
// number, and the key of both was taken out for it. The copy is in again with a new key,
// and has said its text again; Dan's home is off.
func twins(t *testing.T) (w *sim.World, nodes []*sim.Node, g wire.GroupID, other *sim.Node) {
	t.Helper()
	w, nodes, g = trip(t, "Ann", "Ben", "Cleo", "Dan")
	dan := nodes[3]
	other = dan.Copy("Dan's copy")
	must(t, dan.Say(g, "from the first"))
	w.Run(500)
	dan.Stop()
	other.Start()
	must(t, other.Say(g, "from the copy"))
	w.Run(minute)
	renewed(t, w, other, g)
	must(t, nodes[0].Say(g, "between"))
	w.Run(5000)
	return w, nodes, g, other
}

// letIn heals Dan's home, which is a fork of what his copy did, until the two have
// one history.
func letIn(t *testing.T, w *sim.World, g wire.GroupID, dan *sim.Node) {
	t.Helper()
	must(t, dan.Renew())
	for range 20 {
		w.Run(5000)
		if headers := ownHistory(dan, g); headers != nil && group.ComparePerson(dan.Self.Headers, headers) != group.PersonKnown {
			must(t, dan.Merge(headers))
		}
	}
	in(t, dan, g)
	dan.Moved()
	w.Run(minute)
}

// TestCopyHearsCopy: of two copies of Dan's home each shows what the other said again,
// and what others wrote before it was let in, over restarts.
func TestCopyHearsCopy(t *testing.T) {
	w, nodes, g, other := twins(t)
	ann, dan := nodes[0], nodes[3]
	ann.Stop()
	ann.Start()
	letIn(t, w, g, dan)
	for _, text := range []string{"from the first", "from the copy", "between"} {
		for _, n := range []*sim.Node{ann, dan, other} {
			if !shows(n, g, text) {
				t.Errorf("%s does not show %q", n.Name, text)
			}
		}
	}
	if v := machine(dan, g).View(); v.Missed != 0 {
		t.Errorf("Dan still misses %d", v.Missed)
	}
	w.Run(31 * day)
	must(t, ann.Do(g, group.SetTitle{Title: "a month later"}))
	w.Run(5000)
	must(t, ann.Say(g, "long after"))
	w.Run(5000)
	for _, n := range nodes[:3] {
		if kept(n, g) != 0 {
			t.Errorf("%s keeps %d contents that nobody needs", n.Name, kept(n, g))
		}
	}
}

// TestLatecomersOfNobody: what is kept for a device that may come in later goes to no key
// that was taken out, to nobody else, and goes with the membership.
func TestLatecomersOfNobody(t *testing.T) {
	w, nodes, g, _ := twins(t)
	ann, ben, dan := nodes[0], nodes[1], nodes[3]
	if kept(ann, g) == 0 {
		t.Fatal("Ann keeps nothing for Dan's home")
	}
	eve := w.Add("Eve")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(5000)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(5000)
	var ask wire.Writer
	ask.U8(kindAskContents)
	ask.Group(func(w *wire.Writer) {
		for key := range ann.Groups[g].Records[group.KindShelved] {
			w.Raw([]byte(key))
		}
	})
	for _, n := range []*sim.Node{ben, eve, dan} {
		_, err := machine(ann, g).Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: n.Self.Member()}})
		must(t, err)
		eff, err := machine(ann, g).Step(group.Input{Now: w.Now, Cause: group.Received{From: n.Self.Member(), Payload: ask.Bytes()}})
		must(t, err)
		for _, s := range eff.Serve {
			if len(s.Refs) > 0 {
				t.Errorf("%s is handed %d entries", n.Name, len(s.Refs))
			}
		}
	}
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(5000)
	if n := kept(ann, g); n != 0 {
		t.Errorf("Ann keeps %d contents for a membership that is over", n)
	}
}
