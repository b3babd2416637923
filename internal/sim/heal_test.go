package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What a fork undid is done again, and what is sent meanwhile.

// ops returns the ops on the head's chain of a node, oldest first.
func ops(n *sim.Node, g wire.GroupID) (list []chain.Op) {
	m := n.Groups[g].Machine
	for _, hash := range m.Chain() {
		list = append(list, m.Blocks().Header(hash).Ops...)
	}
	return list
}

func made(n *sim.Node, g wire.GroupID, kind chain.Kind) (count int) {
	for _, op := range ops(n, g) {
		if op.Kind() == kind {
			count++
		}
	}
	return count
}

// TestRemovalCarried: Ben's removal of Dan loses against what Ann, who is more
// senior, signed on the other side, and is in effect nevertheless: whoever is
// online signs the Carry, here an ordinary member too.
//
//	G ─ promote Ben ─ Ann removes Eve                  ─ Carry: Dan
//	              └─ Ben removes Dan ─ Ben titles "B"
func TestRemovalCarried(t *testing.T) {
	for _, alone := range []bool{false, true} {
		t.Run(fmt.Sprintf("by a member %v", alone), func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
			ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
			promote(t, w, g, ann, ben)
			part(w, ann, dan, nodes[4])
			must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
			must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
			must(t, ben.Do(g, group.SetTitle{Title: "B"}))
			w.Run(3000)
			if alone { // Cleo learns of Ann's block through nobody but Dan
				ann.Stop()
				ben.Stop()
			}
			w.HealAll()
			w.Run(3000)
			if got := made(cleo, g, chain.KindCarry); got != 1 {
				t.Fatalf("Cleo's chain has %d Carries\n%v", got, w.Trace)
			}
			ann.Start()
			ben.Start()
			w.Run(20_000)
			for _, n := range []*sim.Node{ann, ben, cleo} {
				if v := n.Groups[g].Machine.View(); len(v.Members) != 3 || len(v.Carrying) != 0 {
					t.Errorf("%s sees %d members, %d to be carried", n.Name, len(v.Members), len(v.Carrying))
				}
			}
			must(t, ann.Say(g, "after"))
			w.Run(5000)
			alike(t, g, ann, ben, cleo)
			sees(t, g, nil, dan)
			if status(dan, g) != group.StatusRemoved {
				t.Errorf("Dan has status %d", status(dan, g))
			}
		})
	}
}

// TestLateForACarry: Ann's removal of Eve loses and is carried over, and nobody there has
// what Eve wrote to Fay then. It is late as after any removal: Fay alone shows it.
func TestLateForACarry(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
	ann, ben, cleo, dan, eve, fay := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4], nodes[5]
	promote(t, w, g, ann, ben)
	must(t, eve.Say(g, "before"))
	w.Run(3000)
	part(w, ann, dan)
	for _, n := range []*sim.Node{ann, ben, cleo, dan} {
		w.Cut(n, eve)
		w.Cut(n, fay)
	}
	must(t, ann.Do(g, group.Remove{Person: eve.Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	must(t, eve.Say(g, "late"))
	w.Run(3000)
	w.Heal(ann, ben)
	w.Heal(ann, cleo)
	w.Run(20_000)
	if got := made(ann, g, chain.KindCarry); got != 1 {
		t.Fatalf("Ann's chain has %d Carries", got)
	}
	w.HealAll()
	w.Run(20_000)
	must(t, ann.Say(g, "after"))
	w.Run(5000)
	alike(t, g, ann, ben, cleo)
	sees(t, g, []string{"before", "after"}, ann, ben, cleo)
	sees(t, g, []string{"before", "late", "after"}, fay)
}

// TestAddedAgain: Ben's Add of Dan loses against what Ann did at the same time.
// Ben's node adds him again with another key package; the Welcome that Dan came in
// by is void, what he wrote stays, and he is not asked a second time.
//
//	G ─ promote Ben ─ Ann removes Eve     ─ Ben adds Dan
//	              └─ Ben adds Dan ─ Dan writes
func TestAddedAgain(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	dan := w.Add("Dan")
	promote(t, w, g, ann, ben)
	part(w, ann, eve)
	must(t, ann.Do(g, group.Remove{Person: eve.Self.Person}))
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, dan.Say(g, "on the losing branch"))
	w.Run(3000)
	w.HealAll()
	w.Run(20_000)
	if v := ann.Groups[g].Machine.View(); len(v.Members) != 4 || made(ann, g, chain.KindAdd) != 4 { // three are in by genesis
		t.Fatalf("Ann sees %d members\n%v", len(v.Members), w.Trace)
	}
	if v := dan.Groups[g].Machine.View(); v.Status != group.StatusActive || v.NoKeys {
		t.Fatalf("Dan: %+v", v)
	}
	must(t, dan.Say(g, "on the other"))
	w.Run(20_000)
	sees(t, g, []string{"on the losing branch", "on the other"}, ann, ben, cleo, dan)
	alike(t, g, ann, ben, cleo, dan)
}

// TestRemovalAgainstReadmission: Ann removes Dan while Ben removes him and adds him
// again. What the more senior did is what counts, and neither is done again.
func TestRemovalAgainstReadmission(t *testing.T) {
	for _, senior := range []string{"removes", "adds again"} {
		t.Run("the senior "+senior, func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
			ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
			promote(t, w, g, ann, ben)
			remover, adder := ann, ben
			if senior != "removes" {
				remover, adder = ben, ann
			}
			part(w, remover)
			must(t, remover.Do(g, group.Remove{Person: dan.Self.Person}))
			must(t, adder.Do(g, group.Remove{Person: dan.Self.Person}))
			w.Run(1000)
			must(t, adder.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
			w.Run(1000)
			must(t, dan.Do(g, group.Accept{}))
			w.Run(1000)
			w.HealAll()
			w.Run(30_000)
			want := group.StatusActive
			if senior == "removes" {
				want = group.StatusRemoved
			}
			if status(dan, g) != want {
				t.Errorf("Dan has status %d", status(dan, g))
			}
			must(t, cleo.Say(g, "after"))
			w.Run(5000)
			alike(t, g, ann, ben, cleo)
			if got := made(cleo, g, chain.KindCarry); got != 0 {
				t.Errorf("there are %d Carries", got)
			}
		})
	}
}

// TestOwnCommitComesBack: Ben's own block loses, he restarts, and it wins after
// all, since Ann is struck by a more senior admin's block that comes late. He has
// its keys still, and everybody reads what was said under it.
//
//	G ─ ─ Ann titles "A"
//	  └─ Ben titles "B" ─ Ben writes        Zoe removes Ann, on another branch of G
func TestOwnCommitComesBack(t *testing.T) {
	for _, crash := range []sim.Crash{sim.CrashBefore, sim.CrashAfter} {
		for at := 0; ; at++ {
			if !cameBack(t, crash, at) {
				t.Logf("crash %d: %d places", crash, at)
				break
			}
		}
	}
}

func cameBack(t *testing.T, crash sim.Crash, at int) (crashed bool) {
	w, nodes, g := trip(t, "Zoe", "Ann", "Ben", "Cleo")
	zoe, ann, ben, cleo := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, zoe, ann, ben)
	w.Part(func(n *sim.Node) bool { return n == zoe })
	for _, n := range []*sim.Node{ann, cleo} {
		w.Cut(n, ben)
	}
	must(t, zoe.Do(g, group.Remove{Person: ann.Self.Person}))
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	w.Run(1000)
	ben.Crash, ben.CrashIn = crash, at
	for range 5 {
		if ben.Online && ben.Groups[g].Machine.View().Title == "B" {
			break
		}
		ben.Do(g, group.SetTitle{Title: "B"}) // refused while the node is off
		w.Run(1000)
	}
	for range 5 {
		if len(ben.Texts(g)) == 1 {
			break
		}
		ben.Say(g, "under B")
		w.Run(1000)
	}
	w.Heal(ann, ben)
	w.Heal(cleo, ben)
	w.Run(1000) // not long enough for Ben to set the title again
	if got := ben.Groups[g].Machine.View().Title; got != "A" {
		t.Fatalf("the title is %q", got)
	}
	crashed = ben.Crash == sim.NoCrash
	ben.Crash = sim.NoCrash
	ben.Stop()
	ben.Start()
	w.HealAll()
	w.Run(30_000)
	for _, n := range []*sim.Node{zoe, ben, cleo} {
		if v := n.Groups[g].Machine.View(); v.Title != "B" || v.NoKeys || len(v.Members) != 3 {
			t.Fatalf("crash %d at %d: %s sees title %q, %d members, no keys %v\n%v", crash, at, n.Name, v.Title, len(v.Members), v.NoKeys, w.Trace)
		}
	}
	must(t, ben.Say(g, "after"))
	w.Run(10_000)
	sees(t, g, []string{"under B", "after"}, zoe, ben, cleo)
	return crashed
}

// TestRemovedOnceMoreForOldPrograms: where a member's program does not know a
// Carry, an admin removes the person again, and an ordinary member waits.
func TestRemovedOnceMoreForOldPrograms(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	old := w.Add("Olga")
	old.Self.Omits = group.FeatureRepair // else she says by a Rekey, at any time, that she reads a Carry
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{old.OldNewcomer(group.NewSuite)}}))
	w.Run(1000)
	must(t, old.Do(g, group.Accept{}))
	promote(t, w, g, ann, ben)
	part(w, ann, dan, nodes[4])
	must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	ben.Stop()
	ann.Stop()
	w.HealAll()
	w.Run(10_000)
	must(t, cleo.Say(g, "later"))
	w.Run(10_000)
	if v := cleo.Groups[g].Machine.View(); v.Held != 1 || len(v.Carrying) != 1 {
		t.Fatalf("Cleo: %d wait, %d to be carried", v.Held, len(v.Carrying))
	}
	ben.Start()
	w.Run(10_000)
	ann.Start()
	w.Run(10_000)
	if got := made(cleo, g, chain.KindCarry); got != 0 {
		t.Errorf("there are %d Carries", got)
	}
	sees(t, g, []string{"later"}, ann, ben, cleo, old)
	sees(t, g, nil, dan)
}

// TestRekeyAgainstRemoval: Dan renews his keys while Ann, or Ben who is an admin
// too, removes him; the removal wins, and what Dan wrote under his own block is
// late.
func TestRekeyAgainstRemoval(t *testing.T) {
	for _, by := range []int{0, 1} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
		ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
		promote(t, w, g, ann, ben)
		part(w, cleo, dan)
		must(t, dan.Do(g, group.Rekey{}))
		must(t, dan.Say(g, "under my keys"))
		must(t, nodes[by].Do(g, group.Remove{Person: dan.Self.Person}))
		w.Run(3000)
		w.HealAll()
		w.Run(20_000)
		if status(dan, g) != group.StatusRemoved {
			t.Errorf("Dan has status %d", status(dan, g))
		}
		must(t, ann.Say(g, "after"))
		w.Run(5000)
		sees(t, g, []string{"after"}, ann, ben)
		sees(t, g, []string{"under my keys", "after"}, cleo)
		sees(t, g, []string{"under my keys"}, dan)
	}
}

// TestOrdinaryBlockAgainstAdmins: Dan signs an ordinary block on an old one, after
// a promotion and a removal. It undoes neither.
//
//	G ─ Ann promotes Ben ─ Ben removes Eve
//	└─ Dan renews his keys
func TestOrdinaryBlockAgainstAdmins(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	part(w, dan)
	promote(t, w, g, ann, ben)
	must(t, ben.Do(g, group.Remove{Person: eve.Self.Person}))
	w.Run(3000)
	must(t, dan.Do(g, group.Rekey{}))
	must(t, dan.Say(g, "alone"))
	w.HealAll()
	w.Run(30_000)
	for _, n := range []*sim.Node{ann, ben, cleo, dan} {
		if v := n.Groups[g].Machine.View(); len(v.Members) != 4 || made(n, g, chain.KindSetRole) != 1 || made(n, g, chain.KindCarry) != 0 {
			t.Errorf("%s sees %d members", n.Name, len(v.Members))
		}
	}
	alike(t, g, ann, ben, cleo, dan)
	sees(t, g, []string{"alone"}, ann)
	sees(t, g, nil, eve)
}

// TestCrashWhileHealing: everything that a fork undoes at once, with a crash of one
// node at each of its writes from the moment the sides meet.
//
//	G ─ promote Ben ─ Ann removes Eve
//	              └─ Ben removes Dan ─ Ben adds Fay ─ Ben titles "B" ─ Cleo writes
func TestCrashWhileHealing(t *testing.T) {
	for who := range 3 {
		for at := 0; ; at++ { // before and after each other write
			if !healed(t, who, sim.CrashBefore+sim.Crash((at+who)%2), at) {
				t.Logf("node %d: %d places", who, at)
				break
			}
		}
	}
}

func healed(t *testing.T, who int, crash sim.Crash, at int) (crashed bool) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
	fay := w.Add("Fay")
	promote(t, w, g, ann, ben)
	part(w, ann, dan, eve)
	must(t, ann.Do(g, group.Remove{Person: eve.Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{fay.Newcomer()}}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	w.Run(500)
	must(t, fay.Do(g, group.Accept{}))
	w.Run(3000)
	must(t, cleo.Say(g, "split"))
	w.Run(1000)
	nodes[who].Crash, nodes[who].CrashIn = crash, at
	w.HealAll()
	w.Run(60_000)
	where := fmt.Sprintf("node %d, crash %d at %d", who, crash, at)
	for _, n := range []*sim.Node{ann, ben, cleo, fay} {
		v := n.Groups[g].Machine.View()
		if v.Status != group.StatusActive || v.NoKeys || v.Title != "B" || len(v.Members) != 4 || len(v.Carrying)+v.Held+v.Unasked != 0 {
			t.Fatalf("%s: %s sees %+v\n%v", where, n.Name, v, w.Trace)
		}
		if got := n.Texts(g); !slices.Equal(got, []string{"split"}) {
			t.Fatalf("%s: %s sees %q", where, n.Name, got)
		}
	}
	if status(dan, g) != group.StatusRemoved || status(eve, g) != group.StatusRemoved {
		t.Fatalf("%s: Dan has status %d, Eve %d", where, status(dan, g), status(eve, g))
	}
	return nodes[who].Crash == sim.NoCrash
}
