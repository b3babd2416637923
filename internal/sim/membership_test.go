package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
)

// What other programs were found to do wrong with members; each story is named
// after what must not happen, or must.

// TestStaleListAddsNobodyAgain: Cleo is removed while Dan is off (Delta Chat: his old
// list would have her back). He writes and invites by what he knew; she stays out.
func TestStaleListAddsNobodyAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	eve := w.Add("Eve")
	promote(t, w, g, ann, dan)
	dan.Stop()
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(5000)
	alone(w, dan)
	dan.Start()
	must(t, dan.Say(g, "hello Cleo"))
	must(t, dan.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(5000)
	w.HealAll()
	w.Run(20_000)
	for _, n := range []*sim.Node{ann, ben, dan} {
		if devices(n, cleo, g) != 0 {
			t.Errorf("%s has Cleo among the members", n.Name)
		}
	}
	if status(cleo, g) != group.StatusRemoved {
		t.Errorf("Cleo has status %d", status(cleo, g))
	}
	alike(t, g, ann, ben, dan)
	sees(t, g, []string{"hello Cleo"}, ann, ben, dan)
}

// TestMemberRemovesAdmin: who is no admin removes nobody, neither by the program nor
// by a block made without it.
func TestMemberRemovesAdmin(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	for _, c := range []group.Cause{
		group.Remove{Person: ann.Self.Person},
		group.Remove{Person: cleo.Self.Person},
		group.SetRole{Person: ben.Self.Person, Role: chain.RoleAdmin},
	} {
		if err := ben.Do(g, c); err == nil {
			t.Errorf("%T by a member", c)
		}
	}
	// As an admin Ben may; when Ann has demoted him he may not any more, even of a
	// block that he made before he knew.
	promote(t, w, g, ann, ben)
	part(w, ben)
	must(t, ann.Do(g, group.SetRole{Person: ben.Self.Person, Role: chain.RoleMember}))
	must(t, ben.Do(g, group.Remove{Person: cleo.Self.Person}))
	w.Run(2000)
	w.HealAll()
	w.Run(20_000)
	if devices(ann, cleo, g) != 1 || devices(ben, cleo, g) != 1 || status(cleo, g) != group.StatusActive {
		t.Error("Cleo is out")
	}
	must(t, cleo.Say(g, "still here"))
	w.Run(5000)
	sees(t, g, []string{"still here"}, ann, ben, cleo)
}

// TestOutAndInWithTwoDevices: Ben is removed with both of his devices and comes back
// with them. Neither reads what was written between, nor keeps a key to it.
func TestOutAndInWithTwoDevices(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(5000)
	must(t, phone.Say(g, "one"))
	w.Run(5000)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	must(t, cleo.Say(g, "between"))
	w.Run(5000)
	for _, n := range []*sim.Node{ben, phone} {
		if status(n, g) != group.StatusRemoved {
			t.Fatalf("%s has status %d", n.Name, status(n, g))
		}
	}
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(5000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, ben.Do(g, phone.Device()))
	w.Run(10_000)
	must(t, phone.Say(g, "two"))
	w.Run(5000)
	must(t, ben.Say(g, "three"))
	w.Run(5000)
	sees(t, g, []string{"one", "between", "two", "three"}, ann, cleo)
	for _, n := range []*sim.Node{ben, phone} {
		if got := n.Texts(g); slices.Contains(got, "between") || !slices.Contains(got, "two") || !slices.Contains(got, "three") {
			t.Errorf("%s sees %q", n.Name, got)
		}
	}
}

// TestAddedWhileOff: Dan is added while he is off, and by the time he comes the group
// has gone on.
func TestAddedWhileOff(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	dan := w.Add("Dan")
	invited := dan.Newcomer()
	dan.Stop()
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{invited}}))
	w.Run(5000)
	for _, title := range []string{"1", "2", "3"} {
		must(t, ann.Do(g, group.SetTitle{Title: title}))
		must(t, ben.Say(g, title))
		w.Run(5000)
	}
	ann.Stop() // somebody else passes the invitation on
	dan.Start()
	w.Run(10_000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(5000)
	must(t, dan.Say(g, "here"))
	w.Run(5000)
	ann.Start()
	w.Run(10_000)
	sees(t, g, []string{"1", "2", "3", "here"}, ann, ben, cleo, dan)
}

// TestTwoSessionsOfOnePerson: Ben's two devices write at once on two sides of a cut,
// and merge what they have. Each is one log; nothing is taken for a copy.
func TestTwoSessionsOfOnePerson(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	phone := ben.Link("Ben's phone")
	must(t, ben.Do(g, phone.Device()))
	w.Run(5000)
	part(w, ben, ann)
	for _, text := range []string{"1", "2", "3"} {
		must(t, ben.Say(g, "laptop "+text))
		must(t, phone.Say(g, "phone "+text))
		must(t, cleo.Say(g, "Cleo "+text))
		w.Run(700)
	}
	w.HealAll()
	w.Run(20_000)
	alike(t, g, ann, ben, cleo, phone)
	if got := ann.Texts(g); len(got) != 9 {
		t.Errorf("Ann sees %q", got)
	}
	for _, n := range []*sim.Node{ann, ben, cleo, phone} {
		if count[group.Copied](n, g)+count[group.Misbehaved](n, g) > 0 {
			t.Errorf("%s is told of a copy or a lie", n.Name)
		}
	}
}
