package sim_test

import (
	"bytes"
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

// TestHistoryThatComesMeanwhile: Eve asks one member, the only one there, for what another wrote,
// and what that member wrote itself reaches her before its answer, which brings nothing. It is in
// the order of names before what she asked for, and she asks again (seed 1204 of TestFive).
func TestHistoryThatComesMeanwhile(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, low, high := nodes[0], nodes[1], nodes[2]
	if a, b := low.Self.Device.ID(), high.Self.Device.ID(); bytes.Compare(a[:], b[:]) > 0 {
		low, high = high, low
	}
	must(t, ann.Do(g, group.SetHistory{History: chain.HistoryAll}))
	w.Run(5000)
	w.Cut(low, high)
	part(w, ann)
	must(t, low.Say(g, "beside it"))
	must(t, high.Say(g, "nobody else gets this"))
	eve := w.Add("Eve")
	w.Cut(low, eve)
	w.Cut(high, eve)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{eve.Newcomer()}}))
	w.Run(2000)
	must(t, eve.Do(g, group.Accept{}))
	w.Run(2000)
	silent := func(_ *sim.Node, kind byte) bool { return kind == kindEarlier }
	high.Withhold(silent)
	w.Heal(high, eve)
	w.Run(minute)
	high.Stop()
	ann.Stop()
	if got := earlierOf(eve, g).Lacking; got != 1 {
		t.Fatalf("Eve lacks %d texts", got)
	}
	low.Withhold(silent)
	before := len(eve.Sent)
	asked := func() int {
		return len(slices.DeleteFunc(slices.Clone(eve.Sent[before:]), func(p sim.Payload) bool { return p.To != low || p.Bytes[0] != kindAskEarlier }))
	}
	w.Heal(low, eve)
	for end := w.Now + minute; w.Now < end && (asked() == 0 || earlierOf(eve, g).Lacking < 2); {
		w.Run(20)
	}
	if got := asked(); got != 1 {
		t.Fatalf("Eve asked %d times", got)
	}
	low.Withhold(nil)
	w.Deliver(low, eve, g, []byte{kindEarlier, 0, 1})
	w.Run(2000)
	if got := eve.Texts(g); !slices.Contains(got, "beside it") {
		t.Errorf("Eve reads %q", got)
	}
}
