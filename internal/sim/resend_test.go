package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Messages across a fork: kept back, read, sealed again.

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

// TestHeldWhileSomebodyCame: what Cleo wrote while a removal was to be carried over
// goes out when she is back; Fay came meanwhile. Cleo is asked before Fay reads it.
func TestHeldWhileSomebodyCame(t *testing.T) {
	for _, answer := range []string{"yes", "no", "more"} {
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
		must(t, cleo.Say(g, "among us"))
		if v := machine(cleo, g).View(); v.Held != 1 {
			t.Fatalf("%d messages wait", v.Held)
		}
		cleo.Stop()
		w.Run(20_000)
		fay := w.Add("Fay")
		must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{fay.Newcomer()}}))
		w.Run(1000)
		must(t, fay.Do(g, group.Accept{}))
		w.Run(3000)
		cleo.Start()
		w.Run(60_000)
		if len(ann.Texts(g)) > 0 { // she heard of the Carry first, and wrote before Fay came in: by the devices' keys, seldom
			sees(t, g, []string{"among us"}, ann, ben, cleo)
			sees(t, g, nil, fay)
			continue
		}
		sees(t, g, nil, ann, ben, fay)
		if v := machine(cleo, g).View(); v.Unasked != 1 || !slices.Equal(v.UnaskedOf, []wire.PersonID{fay.Self.Person}) {
			t.Fatalf("Cleo is asked about %d messages, of %v", v.Unasked, v.UnaskedOf)
		}
		want := []string{"among us"}
		switch answer {
		case "yes":
			must(t, cleo.Do(g, group.Resend{Yes: true}))
		case "no":
			must(t, cleo.Do(g, group.Resend{}))
			want = nil
		case "more": // she knows who reads
			must(t, cleo.Say(g, "and you"))
			want = append(want, "and you")
		}
		w.Run(5000)
		sees(t, g, want, ann, ben, cleo, fay)
		if v := machine(cleo, g).View(); v.Unasked != 0 || v.Held != 0 {
			t.Errorf("%s: %d wait, %d are asked about", answer, v.Held, v.Unasked)
		}
	}
}

// TestSealedAgain: Cleo wrote on the branch that lost, and Dan, who was no member
// there, came in on the other. Cleo is asked before he gets it; who says yes has it
// sealed again, and everybody else sees it once, where it was.
//
//	G ─ promote Ben ─ Ann adds Dan
//	              └─ Ben titles "B" ─ Cleo writes 1, 2
func TestSealedAgain(t *testing.T) {
	for _, yes := range []bool{true, false} {
		t.Run(fmt.Sprint(yes), func(t *testing.T) {
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
			ann, ben, cleo := nodes[0], nodes[1], nodes[2]
			dan := w.Add("Dan")
			promote(t, w, g, ann, ben)
			part(w, ann, dan)
			must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
			must(t, ben.Do(g, group.SetTitle{Title: "B"}))
			w.Run(3000)
			must(t, dan.Do(g, group.Accept{}))
			must(t, cleo.Say(g, "1"))
			must(t, cleo.Say(g, "2"))
			w.Run(3000)
			w.HealAll()
			w.Run(60_000)
			sees(t, g, nil, dan)
			v := cleo.Groups[g].Machine.View()
			if v.Unasked != 2 || !slices.Equal(v.UnaskedOf, []wire.PersonID{dan.Self.Person}) {
				t.Fatalf("Cleo is asked about %d messages for %v", v.Unasked, v.UnaskedOf)
			}
			cleo.Stop()
			cleo.Start()
			must(t, cleo.Do(g, group.Resend{Yes: yes}))
			w.Run(60_000)
			if v := cleo.Groups[g].Machine.View(); v.Unasked != 0 {
				t.Errorf("Cleo is asked again about %d messages", v.Unasked)
			}
			if err := cleo.Do(g, group.Resend{Yes: true}); err == nil {
				t.Error("an answer is taken without a question")
			}
			if yes {
				sees(t, g, []string{"1", "2"}, dan)
			} else {
				sees(t, g, nil, dan)
			}
			sees(t, g, []string{"1", "2"}, ann, ben, cleo)
			for _, n := range []*sim.Node{ann, ben, cleo} {
				for _, row := range n.Groups[g].Shown() {
					if !slices.Contains(n.Groups[g].Machine.Lost(), row.Block) || row.Place.Seq > 2 {
						t.Errorf("%s: %+v", n.Name, row)
					}
				}
			}
		})
	}
}

// TestSealedAgainUnasked: whom Cleo has spoken to since needs no question, nor does
// who was a member all the time and has not got it.
func TestSealedAgainUnasked(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Eve")
	ann, ben, cleo, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	dan := w.Add("Dan")
	promote(t, w, g, ann, ben)
	eve.Stop()
	part(w, ann, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	w.Run(3000)
	must(t, dan.Do(g, group.Accept{}))
	must(t, cleo.Say(g, "split"))
	w.Run(3000)
	w.HealAll()
	w.Run(60_000)
	if v := cleo.Groups[g].Machine.View(); v.Unasked != 1 {
		t.Fatalf("Cleo is asked about %d messages", v.Unasked)
	}
	must(t, cleo.Say(g, "hello Dan"))
	w.Run(60_000)
	if v := cleo.Groups[g].Machine.View(); v.Unasked != 0 {
		t.Fatalf("Cleo is asked about %d messages", v.Unasked)
	}
	sees(t, g, []string{"split", "hello Dan"}, ann, ben, cleo)
	sees(t, g, []string{"hello Dan", "split"}, dan)
	if seq := cleo.Groups[g].Machine.OwnSeq(); seq != 3 {
		t.Errorf("Cleo's log has %d entries", seq)
	}
	eve.Start()
	w.Run(60_000)
	sees(t, g, []string{"split", "hello Dan"}, eve)
	if seq := cleo.Groups[g].Machine.OwnSeq(); seq != 3 {
		t.Errorf("Cleo's log has %d entries", seq)
	}
}

// TestAuthorOfLosingBranchGone: Cleo wrote on the branch that lost, and never comes
// back. Who was a member there reads it, through anybody; who came in on the other
// branch sees nothing, not even a gap, and nobody waits for it.
func TestAuthorOfLosingBranchGone(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	eve := w.Add("Eve")
	promote(t, w, g, ann, ben)
	dan.Stop()
	part(w, ann, eve)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	w.Run(3000)
	must(t, eve.Do(g, group.Accept{}))
	must(t, cleo.Say(g, "last words"))
	w.Run(3000)
	cleo.Stop()
	w.HealAll()
	w.Run(20_000)
	ben.Stop()
	dan.Start() // has it from Ann alone
	w.Run(20_000)
	ben.Start()
	w.Run(20_000)
	sees(t, g, []string{"last words"}, ann, ben, dan)
	sees(t, g, nil, eve)
	if n := len(eve.Groups[g].Rows); n != 0 {
		t.Errorf("Eve has %d rows", n)
	}
	for _, n := range []*sim.Node{ann, ben, dan, eve} {
		if v := n.Groups[g].Machine.View(); v.Missing != 0 || v.Title != "B" {
			t.Errorf("%s lacks %d, the title is %q", n.Name, v.Missing, v.Title)
		}
	}
	must(t, dan.Say(g, "after"))
	w.Run(5000)
	sees(t, g, []string{"last words", "after"}, ann, ben, dan)
	sees(t, g, []string{"after"}, eve)
}

// TestLateMessageVouched: what Cleo wrote after the cut of her removal stays kept
// back though an accomplice refers to it, who knows of the removal; before the cut
// nothing is.
func TestLateMessageVouched(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, cleo.Say(g, "before the cut"))
	w.Run(5000)
	part(w, cleo, dan)
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	must(t, cleo.Say(g, "late"))
	w.Run(3000)
	w.Part(func(n *sim.Node) bool { return n == cleo })
	for _, n := range []*sim.Node{ann, ben} {
		w.Heal(n, dan)
	}
	w.Run(10_000) // Dan knows of the removal now, and refers to what he has of Cleo
	must(t, dan.Say(g, "she said"))
	w.HealAll()
	w.Run(20_000)
	sees(t, g, []string{"before the cut", "she said"}, ann, ben)
	sees(t, g, []string{"before the cut", "late", "she said"}, dan)
	sees(t, g, []string{"before the cut", "late"}, cleo)
}
