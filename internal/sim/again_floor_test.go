package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestForgedFloorOfOwnLog: Ben's home forgot the group when he was removed. Ann, who
// lets him in again, says that he wrote four entries, where it was five. The fifth
// that he writes now is no evidence against him: it is of another membership.
func TestForgedFloorOfOwnLog(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	for i := range 4 {
		must(t, ben.Say(g, fmt.Sprint(i)))
		w.Run(3000)
	}
	device := ben.Self.Device.ID()
	dan := w.Add("Dan")
	enter(t, w, g, ann, dan) // on the floor that Ben is given, too
	must(t, ben.Say(g, "five"))
	w.Run(3000)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(5000)
	delete(ben.Groups, g)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	w.Run(1000)
	ben.Stop()
	ben.Groups[g].Records[group.KindFloor][""] = dan.Groups[g].Records[group.KindFloor][""]
	w.Cut(ann, ben) // nobody tells him
	w.Cut(cleo, ben)
	w.Cut(dan, ben)
	ben.Start()
	must(t, ben.Do(g, group.Accept{}))
	must(t, ben.Say(g, "another five"))
	if got := machine(ben, g).Frontier()[device]; got.Seq != 5 {
		t.Fatalf("Ben writes entry %d", got.Seq)
	}
	w.HealAll()
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, cleo} {
		if got := count[group.SignedTwice](n, g); got != 0 || !isMember(n, ben, g) {
			t.Errorf("%s is told %d times that Ben signed twice; a member: %v", n.Name, got, isMember(n, ben, g))
		}
	}
	goesOn(t, w, g, ann, cleo)
}
