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
