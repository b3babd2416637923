package sim_test

import (
	"fmt"
	"testing"
	"testing/cryptotest"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestScenario17HalfAndHalf: two and two write and change the group for a month, and
// meet again. All four vote, so neither side settles anything meanwhile. Nobody loses a message. Beyond
// the time for which keys are kept the side that lost comes back by itself, each is handed over what the
// other wrote, and the group goes on.
func TestScenario17HalfAndHalf(t *testing.T) {
	for _, days := range []uint64{29, 45} {
		t.Run(fmt.Sprint(days, " days"), func(t *testing.T) {
			w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
			ann, ben := nodes[0], nodes[1]
			promote(t, w, g, ann, ben)
			part(w, ann, nodes[2])
			for i := range 12 {
				must(t, nodes[i%4].Say(g, fmt.Sprint(i)))
				if i%4 == 0 { // at once, so that who is more senior wins
					must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("A", i)}))
					must(t, ben.Do(g, group.SetTitle{Title: fmt.Sprint("B", i)}))
				}
				w.Run(days * day / 12)
			}
			if a, b := final(ann, g), final(ben, g); a.Block != b.Block || a.Block == machine(ann, g).Head() {
				t.Fatalf("apart, Ann has settled %d and Ben %d", a.Height, b.Height)
			}
			w.HealAll()
			w.Run(120_000)
			for _, n := range nodes {
				if v := machine(n, g).View(); v.NoKeys || v.Title != "A8" || len(v.Members) != 4 {
					t.Errorf("%s: %+v", n.Name, v)
				}
				must(t, n.Say(g, n.Name+" is here"))
				w.Run(5000)
			}
			w.Run(20_000)
			if days < 30 {
				alike(t, g, nodes...)
			}
			for _, n := range nodes {
				if got := n.Texts(g); len(got) != 16 || got[15] != "Dan is here" {
					t.Errorf("%s sees %q", n.Name, got)
				}
				if machine(n, g).Head() != machine(ann, g).Head() {
					t.Errorf("%s has another head", n.Name)
				}
			}
		})
	}
}

// TestScenario34SameTree: a program with bad randomness makes two commits that leave
// the same tree and have different transcripts. They are two blocks with two epochs,
// of which one counts for everybody.
func TestScenario34SameTree(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	twin := func(op chain.Op) []byte {
		return crafted{ann, op, nil, func(core []byte) (*mls.StagedCommit, error) {
			cryptotest.SetGlobalRandom(t, 34)
			return epochOf(t, ann, g).Commit(mls.CommitParams{AuthenticatedData: core, Signer: ann.Self.Device})
		}, nil}.payload(t, ann, g)
	}
	one, two := twin(&chain.Rekey{}), twin(&chain.SetInfo{Info: wire.Digest{1}})
	alone(w, cleo)
	alone(w, dan)
	for _, n := range []*sim.Node{cleo, dan} {
		w.Heal(ben, n)
		w.Deliver(ben, n, g, one)
		w.Deliver(ben, n, g, two)
		w.Cut(ben, n)
	}
	blocks := machine(cleo, g).Blocks()
	tips := blocks.Tips()
	if len(tips) != 2 {
		t.Fatalf("Cleo holds %d tips", len(tips))
	}
	a, b := blocks.Header(tips[0]), blocks.Header(tips[1])
	if a.TreeHash != b.TreeHash || a.Transcript == b.Transcript || a.Height != b.Height {
		t.Fatal("not the same tree with two transcripts")
	}
	if machine(dan, g).Head() != machine(cleo, g).Head() || machine(cleo, g).View().NoKeys || machine(dan, g).View().NoKeys {
		t.Fatal("Cleo and Dan do not follow the same block")
	}
	w.Heal(cleo, dan)
	must(t, cleo.Say(g, "under one of them"))
	w.Run(5000)
	sees(t, g, []string{"before", "under one of them"}, cleo, dan)
	lost := tips[0]
	if lost == machine(cleo, g).Head() {
		lost = tips[1]
	}
	if k := dan.Groups[g].Records[group.KindEpoch]; string(k[string(lost[:])]) == string(k[blockKey(dan, g)]) {
		t.Error("two epochs have the same keys")
	}
}

func blockKey(n *sim.Node, g wire.GroupID) string {
	head := machine(n, g).Head()
	return string(head[:])
}

// TestScenario35SameEpochNumber: two blocks of one height have epochs of one number.
// What was written in each is read with its own keys, by everybody.
func TestScenario35SameEpochNumber(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	promote(t, w, g, ann, ben)
	part(w, ann, nodes[2])
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	a, b := machine(ann, g).Blocks(), machine(ben, g).Blocks()
	if a.Head() == b.Head() || a.State(a.Head()).Epoch() != b.State(b.Head()).Epoch() {
		t.Fatal("not two epochs of one number")
	}
	w.Run(1000)
	for i, n := range nodes {
		must(t, n.Say(g, fmt.Sprint(i)))
		w.Run(1000)
	}
	w.HealAll()
	w.Run(10_000)
	alike(t, g, nodes...)
	sees(t, g, []string{"0", "1", "2", "3"}, nodes...)
}
