package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// A removal that lost is carried over before anybody writes. Whoever can make one
// that nobody can carry over would hold the group mute.

// hand gives to another node all blocks that one holds, as any third node may.
func hand(t *testing.T, w *sim.World, g wire.GroupID, of, by *sim.Node, to ...*sim.Node) {
	t.Helper()
	held := machine(of, g).Blocks()
	var list [][2][]byte
	for _, hash := range held.All() {
		list = append(list, [2][]byte{held.Header(hash).Bytes(), held.Body(hash).Bytes()})
	}
	for _, n := range to {
		for part := range slices.Chunk(list, 500) {
			w.Deliver(by, n, g, blocks(part...))
		}
	}
}

// TestJuniorRemovesEverybody: Ben, a junior admin, removes all the others on a branch
// that loses, and is off. All of them are targets, so that nobody may carry it over.
// Ann, who is senior, removes him, and all go on.
func TestJuniorRemovesEverybody(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	promote(t, w, g, ann, ben)
	part(w, ben)
	for _, n := range []*sim.Node{ann, cleo, dan} {
		must(t, ben.Do(g, group.Remove{Person: n.Self.Person}))
	}
	must(t, ann.Do(g, group.Remove{Person: eve.Self.Person}))
	w.Run(2 * minute) // Ann, who votes alone, settles it
	ben.Stop()
	w.HealAll()
	hand(t, w, g, ben, dan, ann, cleo)
	hand(t, w, g, ben, cleo, dan)
	w.Run(60_000)
	if got := machine(ann, g).View().Carrying; len(got) != 3 {
		t.Fatalf("%d removals are to be carried over, so the test shows nothing", len(got))
	}
	must(t, cleo.Say(g, "held"))
	if err := cleo.Do(g, group.Rekey{}); reason(err) != group.ReasonPending {
		t.Errorf("Cleo, whom nobody else speaks for, renews her keys: %v", err)
	}
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	w.Run(10_000)
	sees(t, g, []string{"held"}, ann, cleo, dan)
	goesOn(t, w, g, ann, cleo, dan)
	ben.Start()
	w.Run(30_000)
	goesOn(t, w, g, ann, cleo, dan)
}

// TestMutualRemovalsCarried: the only two admins removed each other, on branches that
// both lost to what is settled. The senior's removal is carried over.
func TestMutualRemovalsCarried(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	must(t, ann.Do(g, group.SetVoters{People: []wire.PersonID{cleo.Self.Person}}))
	w.Run(2 * minute) // Ann settles it
	part(w, ann, ben)
	must(t, ann.Do(g, group.Rekey{}))
	w.Run(1000)
	w.Cut(ann, ben)
	must(t, ann.Do(g, group.Remove{Person: ben.Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: ann.Self.Person}))
	must(t, cleo.Do(g, group.Rekey{}))
	w.Run(5 * minute)
	if f := final(cleo, g); f.Block != machine(cleo, g).Head() {
		t.Fatalf("Cleo has not settled her block: %+v", f)
	}
	w.HealAll()
	w.Run(minute)
	if isMember(dan, ben, g) || !isMember(dan, ann, g) {
		t.Errorf("Ben is a member: %v, Ann: %v", isMember(dan, ben, g), isMember(dan, ann, g))
	}
	goesOn(t, w, g, ann, cleo, dan)
}

// TestRemovalTooFarToCarry: Ben removes Cleo at the end of a private branch of more
// blocks than a Carry can cite. Nobody waits for that.
func TestRemovalTooFarToCarry(t *testing.T) {
	w, nodes, g := published(t, group.Suites()[1], "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	part(w, ben)
	for i := range chain.MaxProofHeaders {
		must(t, ben.Do(g, group.SetTitle{Title: fmt.Sprint(i)}))
	}
	must(t, ben.Do(g, group.Remove{Person: cleo.Self.Person}))
	must(t, ann.Do(g, group.SetTitle{Title: "one"}))
	w.Run(2 * minute) // Ann, who votes alone, settles it
	ben.Stop()
	w.HealAll()
	hand(t, w, g, ben, cleo, ann)
	hand(t, w, g, ben, ann, cleo)
	w.Run(10_000)
	goesOn(t, w, g, ann, cleo)
}

// TestManyRemovalsCarried: more removals than one block carries over.
func TestManyRemovalsCarried(t *testing.T) {
	suite := group.Suites()[1]
	w := sim.New(1)
	ann, ben := w.Add("Ann"), w.Add("Ben")
	g := ann.Create(group.CreateParams{Title: "Trip", Suite: suite, Newcomers: append([]group.Newcomer{ben.NewcomerFor(suite)}, crowdFor(w, 70, suite)...)})
	w.Run(1000)
	must(t, ben.Do(g, group.Accept{}))
	w.Run(5000)
	promote(t, w, g, ann, ben)
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.NewcomerFor(suite)}}))
	w.Run(5000)
	w.Cut(ann, ben)
	for _, who := range machine(ben, g).View().Members {
		if who.Person != ann.Self.Person && who.Person != ben.Self.Person && who.Person != dan.Self.Person {
			must(t, ben.Do(g, group.Remove{Person: who.Person}))
		}
	}
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(1000)
	w.HealAll()
	w.Run(minute)
	if got := len(machine(ann, g).View().Members); got != 2 {
		t.Errorf("the group has %d members", got)
	}
	goesOn(t, w, g, ann, ben)
}

// crowdFor are people of whom nobody ever comes.
func crowdFor(w *sim.World, n int, suite mls.Suite) (list []group.Newcomer) {
	for i := range n {
		who := w.Add(fmt.Sprint("guest ", i))
		who.Stop()
		list = append(list, who.NewcomerFor(suite))
	}
	return list
}

// TestVoterComesAndGoes: Ben, whom a quorum needs, does not vote, and comes and goes.
// Ann is not held back from what only voters who are here are waited for.
func TestVoterComesAndGoes(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	foreign := vote(ben, g, 99, final(ben, g).Round+3, machine(ben, g).Era())
	w.Deliver(ann, ben, g, sim.Pushed(foreign)) // so that he takes himself for a copy, and votes no more
	for i := range chain.MaxUnsettled {
		must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint(i)}))
	}
	w.Run(1000)
	if err := ann.Do(g, group.SetTitle{Title: "held back"}); reason(err) != group.ReasonUnsettled {
		t.Fatalf("Ann is not held back, so the test shows nothing: %v", err)
	}
	for range 4 {
		w.Run(8 * minute)
		w.Cut(ann, ben)
		w.Run(5000)
		must(t, ann.Do(g, group.Rekey{})) // with nobody to wait for
		w.Heal(ann, ben)
		w.Run(5000)
	}
	must(t, ann.Do(g, group.SetTitle{Title: "and on"}))
}
