package sim_test

import (
	"testing"
	"testing/cryptotest"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestErrandsRarelyRace: what any member may commit is committed once. Six people
// of whom one leaves again and again, all linked or each with its neighbours only,
// with the most senior there or away.
func TestErrandsRarelyRace(t *testing.T) {
	for _, c := range []struct {
		name string
		ring bool   // each is linked with two others
		away bool   // the most senior is off
		slow uint64 // longest delay of a frame, in ms
		most int    // of 100 Leaves so many may be committed twice
	}{
		{"all linked", false, false, 40, 0},
		{"all linked, slow", false, false, 300, 10},
		{"senior away", false, true, 40, 0},
		{"ring", true, false, 40, 10},
		{"ring, senior away", true, true, 40, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 1) // ids decide who is asked first
			const rounds = 12
			w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
			promote(t, w, g, nodes[0], nodes[1])
			w.Delay = func() uint64 { return 1 + w.Rand.Uint64N(c.slow) }
			if c.ring {
				for i, a := range nodes {
					for j, b := range nodes[:i] {
						if i-j != 1 && i-j != len(nodes)-1 {
							w.Cut(a, b)
						}
					}
				}
			}
			if c.away {
				nodes[0].Stop()
			}
			ben, who := nodes[1], nodes[5]
			for i := range rounds {
				must(t, who.Do(g, group.Leave{}))
				w.Run(10_000)
				must(t, ben.Do(g, group.Invite{Newcomers: []group.Newcomer{who.Newcomer()}}))
				w.Run(5_000)
				must(t, who.Do(g, group.Accept{}))
				w.Run(5_000)
				if i%4 == 3 {
					w.Run(900_000) // the voters keep up
				}
			}
			n := forks(ben, g)
			t.Logf("%d of %d Leaves were committed twice", n, rounds)
			if n*100 > c.most*rounds {
				t.Errorf("that is more than %d of 100", c.most)
			}
			if got := made(ben, g, chain.KindLeave); got != rounds {
				t.Errorf("%d Leaves are on the chain", got)
			}
		})
	}
}

// forks counts the blocks at which a chain parts.
func forks(n *sim.Node, g wire.GroupID) (count int) {
	blocks := n.Groups[g].Machine.Blocks()
	for _, hash := range blocks.All() {
		if len(blocks.Children(hash)) > 1 {
			count++
		}
	}
	return count
}

// TestCarryRarelyRaces: ten times a removal loses, and whoever is there carries
// it over, once.
func TestCarryRarelyRaces(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	const rounds = 10
	carries, raced := 0, 0
	for range rounds {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
		promote(t, w, g, nodes[0], nodes[1])
		part(w, nodes[0], nodes[3], nodes[4])
		must(t, nodes[0].Do(g, group.Remove{Person: nodes[4].Self.Person}))
		must(t, nodes[1].Do(g, group.Remove{Person: nodes[3].Self.Person}))
		w.Run(3000)
		w.HealAll()
		w.Run(20_000)
		carries += made(nodes[2], g, chain.KindCarry)
		raced += forks(nodes[2], g) - 1
	}
	t.Logf("%d of %d Carries raced", raced, carries)
	if carries != rounds || raced > rounds/10 {
		t.Errorf("%d Carries, %d raced", carries, raced)
	}
}
