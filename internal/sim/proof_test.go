package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestSettledByTheRemoved: three of four voters settle a title of Ann's while Ben, on
// the other side, removes her. When they meet only she is there to show it, and to
// Ben she is no member any more. Her votes count all the same.
//
//	G ─ promote Ben ─ Ann titles "A", settled
//	              └─ Ben removes Ann, which is carried over then
func TestSettledByTheRemoved(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		promote(t, w, g, ann, ben)
		w.Run(10 * minute)
		part(w, ben)
		must(t, ann.Do(g, group.SetTitle{Title: "A"}))
		must(t, ben.Do(g, group.Remove{Person: ann.Self.Person}))
		w.Run(10 * minute)
		if final(ann, g).Block != machine(ann, g).Head() {
			t.Fatal("Ann's title is not settled, so the test shows nothing")
		}
		cleo.Stop()
		dan.Stop()
		if restarted {
			ann.Stop()
			ben.Stop()
			ann.Start()
			ben.Start()
		}
		settled := final(ann, g).Block
		w.HealAll()
		w.Run(minute)
		if m := machine(ben, g); !m.Blocks().IsAncestor(settled, m.Head()) {
			t.Fatalf("restarted %v: Ben goes on beside what is settled", restarted)
		}
		cleo.Start()
		dan.Start()
		w.Run(60 * minute)
		settledAll(t, g, 20, ben, cleo, dan)
		if made(ben, g, chain.KindCarry) != 1 || status(ann, g) != group.StatusRemoved {
			t.Errorf("restarted %v: Ann has status %d, though her removal was to be carried over", restarted, status(ann, g))
		}
		goesOn(t, w, g, ben, cleo, dan)
	}
}

// TestRemovalSettled: Ann, whom fork choice would follow, removes Ben while he and two
// more of the four voters settle her removal. Only he is there to tell her, and each
// is no member to the other.
//
//	G ─ promote Ben ─ Ben removes Ann, settled
//	              └─ Ann removes Ben
func TestRemovalSettled(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute)
	part(w, ann)
	must(t, ben.Do(g, group.Remove{Person: ann.Self.Person}))
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(10 * minute)
	if f := final(ben, g); f.Height != 3 {
		t.Fatalf("%d blocks are settled, so the test shows nothing", f.Height)
	}
	cleo.Stop()
	dan.Stop()
	w.HealAll()
	w.Run(minute)
	if got := status(ann, g); got != group.StatusRemoved {
		t.Errorf("Ann has status %d", got)
	}
	cleo.Start()
	dan.Start()
	w.Run(minute)
	goesOn(t, w, g, ben, cleo, dan)
}

// TestSettledToldToParkedGuest: Eve is invited, off, and parked before she has
// accepted. She says nothing by which her program would be known, and is told all the
// same what is settled.
func TestSettledToldToParkedGuest(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	eve := w.Add("Eve")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(5000)
	eve.Stop()
	must(t, ann.Do(g, group.Park{Device: eve.Self.Device.ID()}))
	w.Run(10 * minute)
	must(t, ben.Say(g, "meanwhile"))
	alone(w, eve, ben)
	eve.Start()
	w.Run(minute)
	if a, b := final(ann, g), final(eve, g); a.Block != b.Block || a.Height != 3 {
		t.Errorf("Eve has block %d settled, Ann %d", b.Height, a.Height)
	}
}

// TestRemovalToldByNewcomer: Cleo came in by headers, for what was settled before her.
// She alone is there to tell Ben, who was off, that he is removed.
func TestRemovalToldByNewcomer(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben, cleo := nodes[0], nodes[1], w.Add("Cleo")
	must(t, ann.Do(g, group.SetTitle{Title: "New"}))
	w.Run(10 * minute)
	enter(t, w, g, ann, cleo)
	if !machine(cleo, g).Blocks().Lights() {
		t.Fatal("Cleo has every block whole, so the test shows nothing")
	}
	ben.Stop()
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(minute)
	ann.Stop()
	ben.Start()
	w.Run(minute)
	if got := status(ben, g); got != group.StatusRemoved {
		t.Errorf("Ben has status %d", got)
	}
}
