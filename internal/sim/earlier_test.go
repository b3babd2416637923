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

// talk is a trip of three people who have said something, oldest first.
func talk(t *testing.T, messages int) (w *sim.World, nodes []*sim.Node, g wire.GroupID, said []string) {
	t.Helper()
	w, nodes, g = trip(t, "Ann", "Ben", "Cleo")
	for i := range messages {
		said = append(said, fmt.Sprint("message ", i))
		must(t, nodes[i%3].Say(g, said[i]))
		w.Run(1000)
	}
	w.Run(5000)
	return w, nodes, g, said
}

func earlierOf(n *sim.Node, g wire.GroupID) group.EarlierView {
	return n.Groups[g].Machine.View().Earlier
}

// TestAllHistory: whoever comes in where newcomers get all is given it by any member,
// also one who was given it, while who invited is away, and over restarts.
func TestAllHistory(t *testing.T) {
	w, nodes, g, said := talk(t, 1200) // more than two answers
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Do(g, group.SetHistory{History: chain.HistoryAll}))
	w.Run(5000)
	dan := w.Add("Dan")
	w.Cut(ben, dan)
	w.Cut(cleo, dan)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(1000)
	must(t, dan.Do(g, group.Accept{}))
	ann.Stop() // before Dan has it
	w.Run(5000)
	w.HealAll()
	w.Run(60)
	dan.Stop() // in the middle of it
	dan.Start()
	w.Run(30_000)
	sees(t, g, said, dan)
	if v := earlierOf(dan, g); v.Have != 1200 || v.Of != 1200 || !v.Reached || !v.Proved || v.Lacking != 0 {
		t.Errorf("Dan knows of the past %+v", v)
	}
	eve := w.Add("Eve")
	ann.Start()
	promote(t, w, g, ann, dan)
	for _, n := range []*sim.Node{ann, ben, cleo} {
		w.Cut(n, eve)
	}
	enter(t, w, g, dan, eve)
	must(t, eve.Say(g, "hello"))
	w.Run(30_000)
	sees(t, g, append(slices.Clone(said), "hello"), dan, eve)
}
