package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestLateCopy: what Ann's phone said on a branch that lost it seals again, and Ann is removed by Dan, who has the first
// entry and not yet the copy. Cleo was away. Of the first she gets the header, for those who are left were no members
// there, and what it said she reads in the copy, though that is beyond the cut, whichever comes first.
func TestLateCopy(t *testing.T) {
	for _, c := range []struct {
		name string
		last bool // the first entry comes after the copy
	}{{"after the first", false}, {"before the first", true}} {
		t.Run(c.name, func(t *testing.T) { lateCopy(t, c.last) })
	}
}

func lateCopy(t *testing.T, last bool) {
	t.Helper()
	w, nodes, g := trip(t, "Ann", "Cleo")
	ann, cleo := nodes[0], nodes[1]
	dan, eve := w.Add("Dan"), w.Add("Eve")
	phone := ann.Link("Ann's phone")
	must(t, ann.Do(g, phone.Device()))
	w.Run(5000)
	cleo.Stop()
	part(w, phone)
	must(t, phone.Do(g, group.Rekey{}))
	must(t, phone.Say(g, "one"))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer(), eve.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	must(t, eve.Do(g, group.Accept{}))
	promote(t, w, g, ann, dan)
	w.HealAll()
	w.Run(3000)
	part(w, dan)
	w.Run(20_000)
	sees(t, g, []string{"one"}, eve) // by the copy
	sees(t, g, nil, dan)
	ann.Stop()
	phone.Stop()
	must(t, dan.Do(g, group.Remove{Person: ann.Self.Person}))
	w.HealAll()
	w.Run(5000)
	sees(t, g, nil, dan) // it was not for Dan, and the copy is late
	if last {
		comesAlone(t, w, g, cleo, dan)
	} else {
		cleo.Start()
	}
	w.Run(60_000)
	if n := machine(cleo, g).Frontier()[phone.Self.Device.ID()].Seq; n != 2 {
		t.Fatalf("Cleo has %d entries of Ann's phone", n)
	}
	sees(t, g, []string{"one"}, cleo)
}

// comesAlone brings Cleo, who gets the blocks and no entries, what Dan was given last: the copy.
func comesAlone(t *testing.T, w *sim.World, g wire.GroupID, cleo, dan *sim.Node) {
	t.Helper()
	var given sim.Payload
	for _, p := range w.History {
		if p.To == dan && p.Bytes[0] == kindEntries {
			given = p
		}
	}
	for _, n := range w.Nodes {
		n.Withhold(func(to *sim.Node, kind byte) bool { return to == cleo && kind == kindEntries })
	}
	cleo.Start()
	w.Run(20_000)
	w.Deliver(given.From, cleo, g, given.Bytes)
	if got := machine(cleo, g); got.Head() != machine(dan, g).Head() || len(cleo.Groups[g].Records[group.KindLate]) != 1 {
		t.Fatal("the copy is not kept back")
	}
	cleo.Stop()
	for _, n := range w.Nodes {
		n.Withhold(nil)
	}
	cleo.Start()
}
