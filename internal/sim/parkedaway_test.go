package sim_test

import (
	"testing"

	"kith/internal/group"
)

// TestParkedWhileAway: while Ben's laptop is off he is removed, let in again, and his laptop parked; his
// phone comes in, and Ann leaves. The laptop hears of all that from the phone, which it does not know in
// this group, and which has most of it as light blocks.
func TestParkedWhileAway(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	phone := ben.Link("Ben's phone")
	ben.Stop()
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{ben.Newcomer()}}))
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	w.Run(100_000)
	must(t, ann.Do(g, phone.Device()))
	w.Run(5000)
	must(t, ann.Do(g, group.Leave{Successor: ben.Self.Person}))
	must(t, phone.Do(g, group.Accept{}))
	w.Run(5000)
	if !machine(phone, g).Blocks().IsLight(machine(phone, g).Blocks().Genesis()) {
		t.Fatal("the phone has all blocks whole")
	}
	ben.Start()
	w.Run(60_000)
	if machine(ben, g).Head() != machine(phone, g).Head() {
		t.Fatal("Ben's laptop is not told what happened")
	}
	must(t, ben.Do(g, group.Accept{}))
	w.Run(60_000)
	must(t, phone.Say(g, "here again"))
	w.Run(60_000)
	sees(t, g, []string{"here again"}, ben)
}
