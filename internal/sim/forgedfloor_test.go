package sim_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestFloorThatClaimsTooMuch: the floor on which Dan came in says that Ann wrote a
// thousand entries. What she writes from then on reaches him all the same.
func TestFloorThatClaimsTooMuch(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann := nodes[0]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	must(t, dan.Do(g, group.Accept{}))
	w.Run(5000)
	dan.Stop()
	claim(t, dan, g, ann, 1000, true)
	dan.Start()
	w.Run(5000)
	dan.Stop()
	must(t, ann.Say(g, "apart"))
	w.Run(1000)
	must(t, nodes[1].Say(g, "Ben"))
	if reached, _ := machine(ann, g).Delivered(ann.Self.Device.ID(), 2); slices.Contains(reached, dan.Self.Person) {
		t.Error("what Dan never got counts as delivered to him")
	}
	dan.Start()
	w.Run(5000)
	must(t, ann.Say(g, "one"))
	must(t, ann.Say(g, "two"))
	w.Run(5000)
	want := []string{"apart", "Ben", "one", "two"} // heads name what a claimed frontier would hide
	if got := dan.Texts(g); !slices.Equal(got, want) {
		t.Fatalf("Dan sees %q", got)
	}
	dan.Stop()
	dan.Start()
	must(t, ann.Say(g, "three"))
	w.Run(5000)
	if got := dan.Texts(g); !slices.Equal(got, append(want, "three")) {
		t.Errorf("after a restart Dan sees %q", got)
	}
	if got, all := machine(dan, g).Frontier()[ann.Self.Device.ID()], machine(ann, g).Frontier()[ann.Self.Device.ID()]; got != all {
		t.Errorf("Dan's frontier has %v of Ann, hers %v", got, all)
	}
}

// TestHistoryBelowALoweredFloor: the floor of Dan, who is given all, says that Ann wrote a
// thousand entries, of which nobody has the last, and leaves out the one she wrote. What she writes next takes that back, and he
// asks at once for what she really wrote before.
func TestHistoryBelowALoweredFloor(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, dan := nodes[0], w.Add("Dan")
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	w.Cut(ann, nodes[1])
	w.Cut(nodes[1], nodes[2])
	must(t, nodes[1].Say(g, "beside"))
	must(t, ann.Say(g, "before"))
	w.HealAll()
	w.Run(5000)
	for _, n := range nodes {
		n.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEarlier })
	}
	enter(t, w, g, ann, dan)
	dan.Stop()
	for _, n := range nodes {
		n.Withhold(nil)
	}
	claim(t, dan, g, ann, 1000, false)
	dan.Start()
	w.Run(minute)
	must(t, ann.Say(g, "after"))
	w.Run(minute)
	if got := dan.Texts(g); !slices.Contains(got, "before") || !slices.Contains(got, "after") {
		t.Errorf("Dan sees %q, and has %+v of the past", got, earlierOf(dan, g))
	}
}

// claim makes the floor of n say that somebody wrote so many entries, and without heads leave out
// the header of the last. The floor's hash stands in the GroupInfo, which an inviter that lies
// makes itself; here the record is as such an inviter would have left it.
func claim(t *testing.T, n *sim.Node, g wire.GroupID, of *sim.Node, seq uint64, heads bool) {
	t.Helper()
	f, err := dag.ParseFloor(n.Groups[g].Records[group.KindFloor][""])
	must(t, err)
	for i := range f.Frontier {
		if f.Frontier[i].Device == of.Self.Device.ID() {
			f.Frontier[i].Seq, f.Frontier[i].Hash = seq, wire.Short{1, 2, 3}
		}
	}
	if !heads {
		f.Heads = slices.DeleteFunc(f.Heads, func(b []byte) bool {
			h, err := dag.ParseHeader(b)
			return err == nil && h.Device == of.Self.Device.ID()
		})
	}
	n.Groups[g].Records[group.KindFloor][""] = f.Marshal()
}
