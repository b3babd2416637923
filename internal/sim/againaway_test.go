package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestLetInAgainBehindOnesBack: Ben is removed and let in again while Ann, who does it and has his Welcome,
// is cut off from him. Cleo tells him of both at once, and gives him neither
// Welcome nor keys. He waits for Ann, and blames nobody: no commit is at fault that he cannot open.
func TestLetInAgainBehindOnesBack(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, ben)
	w.Cut(cleo, ben)
	cleo.Withhold(func(to *sim.Node, kind byte) bool { return to == ben && (kind == kindKeys || kind == kindInvitation) })
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(minute)
	w.Heal(cleo, ben)
	w.Run(10 * minute)
	if machine(ben, g).Head() != machine(ann, g).Head() || !machine(ben, g).View().NoKeys {
		t.Fatal("Ben is not let in without keys, so the test shows nothing")
	}
	if n := len(ben.Groups[g].Records[group.KindNack]); n > 0 {
		t.Error("Ben blames Ann for a Welcome that he has not seen")
	}
	w.Heal(ann, ben)
	w.Run(minute)
	if s := status(ben, g); s == group.StatusInvited {
		must(t, ben.Do(g, group.Accept{}))
	}
	w.Run(minute)
	must(t, ann.Say(g, "here"))
	w.Run(minute)
	sees(t, g, []string{"here"}, ben)
}

// TestLetInAgainByLightBlocks: Ben was told of his removal, and not that he was let in again. He hears of that
// from Eve alone, who came later and has that block without its commit: his Welcome opens nothing. He is asked,
// and comes back by himself.
func TestLetInAgainByLightBlocks(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Cut(ann, ben)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	if s := status(ben, g); s != group.StatusRemoved {
		t.Fatalf("Ben has status %d", s)
	}
	w.Cut(cleo, ben)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(10 * minute)
	eve := w.Add("Eve")
	w.Cut(eve, ben)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(5000)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(5000)
	ann.Stop()
	cleo.Stop()
	w.Heal(eve, ben)
	w.Run(minute)
	if machine(ben, g).Head() != machine(eve, g).Head() || !isMember(ben, ben, g) {
		t.Fatal("Ben is not told, so the test shows nothing")
	}
	if s := status(ben, g); s != group.StatusInvited {
		t.Fatalf("Ben is let in again and has status %d", s)
	}
	must(t, ben.Do(g, group.Accept{}))
	w.Run(minute)
	must(t, eve.Say(g, "here"))
	w.Run(minute)
	sees(t, g, []string{"here"}, ben)
}
