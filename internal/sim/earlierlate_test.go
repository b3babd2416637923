package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
)

// TestHistoryThatComesLater: Eve has asked Ben, the only one there, for the time before, and what
// he wrote beside it reaches her after that. She asks him again (seed 1204 of TestFive).
func TestHistoryThatComesLater(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Do(g, group.SetHistory{History: chain.HistoryAll}))
	w.Run(5000)
	part(w, ben)
	must(t, ben.Say(g, "beside it"))
	must(t, ann.Say(g, "nobody else gets this"))
	eve := w.Add("Eve")
	w.Cut(ben, eve)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(2000)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(50)
	ann.Stop()
	const kindEntries, kindHeads = 4, 23
	ben.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEntries || kind == kindHeads })
	w.Heal(ben, eve)
	w.Run(minute)
	ben.Withhold(nil)
	must(t, ben.Say(g, "after it"))
	w.Run(5 * minute)
	if got := eve.Texts(g); !slices.Contains(got, "beside it") || !slices.Contains(got, "after it") {
		t.Errorf("Eve reads %q", got)
	}
}
