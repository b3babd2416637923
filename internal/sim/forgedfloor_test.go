package sim_test

import (
	"slices"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
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
	// The floor's hash stands in the GroupInfo, which an inviter that lies makes
	// itself; here the record is as such an inviter would have left it.
	f, err := dag.ParseFloor(dan.Groups[g].Records[group.KindFloor][""])
	must(t, err)
	for i := range f.Frontier {
		if f.Frontier[i].Device == ann.Self.Device.ID() {
			f.Frontier[i].Seq, f.Frontier[i].Hash = 1000, wire.Short{1, 2, 3}
		}
	}
	dan.Groups[g].Records[group.KindFloor][""] = f.Marshal()
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
