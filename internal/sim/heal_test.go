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
	blocks := n.Groups[g].Machine.Blocks()
	for _, hash := range blocks.Chain() {
		list = append(list, blocks.Header(hash).Ops...)
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

// TestNothingUnderPendingRemoval: what Cleo writes when she knows of a removal
// that lost, and cannot carry it herself, waits until somebody has; its target
// never reads it, also after a restart in between.
func TestNothingUnderPendingRemoval(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	promote(t, w, g, ann, ben)
	part(w, ann, dan, nodes[4])
	must(t, ann.Do(g, group.Remove{Person: nodes[4].Self.Person}))
	must(t, ben.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	w.HealAll()
	for range 1000 {
		if len(cleo.Groups[g].Machine.View().Carrying) > 0 {
			break
		}
		w.Step()
	}
	if v := cleo.Groups[g].Machine.View(); !slices.Equal(v.Carrying, []wire.PersonID{dan.Self.Person}) {
		t.Fatalf("Cleo is to carry %v", v.Carrying)
	}
	must(t, cleo.Say(g, "not for Dan"))
	if v := cleo.Groups[g].Machine.View(); v.Held != 1 || len(cleo.Texts(g)) != 0 {
		t.Fatalf("%d messages wait, Cleo sees %q", v.Held, cleo.Texts(g))
	}
	cleo.Stop()
	cleo.Start()
	if v := cleo.Groups[g].Machine.View(); v.Held != 1 {
		t.Fatalf("after a restart %d messages wait", v.Held)
	}
	w.Run(20_000)
	sees(t, g, []string{"not for Dan"}, ann, ben, cleo)
	sees(t, g, nil, dan)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		if v := n.Groups[g].Machine.View(); v.Held != 0 || len(v.Members) != 3 {
			t.Errorf("%s: %d wait, %d members", n.Name, v.Held, len(v.Members))
		}
	}
}
