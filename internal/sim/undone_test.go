package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestRevocationDoneAgain: on one side of a cut Ben takes his lost phone out of the
// group; on the other Ann, an admin, gives it a title, and her side wins. Ben's laptop
// takes the phone out once more.
func TestRevocationDoneAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(5000)
	phone.Stop()
	ben.Revoke(phone)
	part(w, ann, cleo)
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.RemoveDevice{Device: phone.Self.Device.ID(), Headers: ben.Self.Headers}))
	w.Run(3000)
	lost := machine(ben, g).Head()
	w.HealAll()
	ben.Stop() // it is not forgotten in a restart
	w.Run(1000)
	ben.Start()
	w.Run(30_000)
	if m := machine(ben, g); m.Blocks().IsAncestor(lost, m.Head()) {
		t.Fatal("the revocation has not lost, so the test shows nothing")
	}
	for _, n := range nodes {
		if got := devices(n, ben, g); got != 1 {
			t.Errorf("%s counts %d devices of Ben's", n.Name, got)
		}
		if got := made(n, g, chain.KindRemoveDevice); got != 1 {
			t.Errorf("%s has %d revocations on its chain", n.Name, got)
		}
	}
	must(t, ben.Say(g, "after"))
	w.Run(5000)
	alike(t, g, nodes...)
}

// TestVotersNamedAgain: Ben, the junior admin, names the voters on the side that
// loses. They are named once more, as his choice; what Ann names later stays.
func TestVotersNamedAgain(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, dan := nodes[0], nodes[1], nodes[3]
	promote(t, w, g, ann, ben)
	w.Run(30 * minute)
	part(w, ann, dan)
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	chosen := []wire.PersonID{ann.Self.Person, ben.Self.Person, dan.Self.Person}
	must(t, ben.Do(g, group.SetVoters{People: chosen}))
	w.Run(3000)
	lost := machine(ben, g).Head()
	w.HealAll()
	w.Run(2 * 60 * minute)
	if m := machine(ben, g); m.Blocks().IsAncestor(lost, m.Head()) {
		t.Fatal("Ben's choice has not lost, so the test shows nothing")
	}
	for _, n := range nodes {
		if f := final(n, g); len(f.Voters) != 3 || slices.Contains(f.Voters, nodes[2].Self.Person) {
			t.Errorf("%s has %d voters", n.Name, len(f.Voters))
		}
	}
	settledAll(t, g, 100, nodes...)
	w.Run(2 * 60 * minute) // nobody adds Cleo to them
	if f := final(ann, g); len(f.Voters) != 3 {
		t.Errorf("later there are %d voters", len(f.Voters))
	}
}

// TestRevokedByAnother: Ann takes Ben's stolen phone out. The phone reads nothing
// from there on, and Ben's laptop renews its keys, once: what the phone had done is
// the word of a person whose other device stands by it.
func TestRevokedByAnother(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	phone, tablet := ben.Link("Ben's phone"), ben.Link("Ben's tablet")
	for _, n := range []*sim.Node{phone, tablet} {
		must(t, ben.Do(g, n.Device()))
		w.Run(5000)
	}
	must(t, phone.Do(g, group.Rekey{}))
	w.Run(5000)
	ben.Revoke(phone)
	before := rekeys(ann, g, ben) + rekeys(ann, g, tablet)
	must(t, ann.Do(g, group.RemoveDevice{Device: phone.Self.Device.ID(), Headers: ben.Self.Headers}))
	removal := machine(ann, g).Head()
	must(t, ann.Say(g, "not for the thief"))
	w.Run(60_000)
	if n := rekeys(ann, g, ben) + rekeys(ann, g, tablet) - before; n != 1 {
		t.Errorf("Ben's other devices renew their keys %d times", n)
	}
	sees(t, g, []string{"not for the thief"}, append(nodes, tablet)...)
	if texts := phone.Texts(g); len(texts) > 0 {
		t.Errorf("the phone reads %q", texts)
	}
	if _, ok := phone.Groups[g].Records[group.KindEpoch][string(removal[:])]; ok {
		t.Error("the phone has keys of the block that takes it out")
	}
	w.Run(60_000)
	if n := rekeys(ann, g, ben) + rekeys(ann, g, tablet) - before; n != 1 {
		t.Errorf("later they have renewed them %d times", n)
	}
}
