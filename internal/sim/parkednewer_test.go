package sim_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

const kindWant = 5 // docs/spec/sync.md

// TestParkedNewerReadsNothing: a device that is newer than an entry gets the text if
// another of its person was there, but not while it is parked.
func TestParkedNewerReadsNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "one"))
	w.Run(5000)
	renewed(t, w, ben, g)
	var want wire.Writer
	want.U8(kindWant)
	want.Vec(dag.Frontier{}.Marshal())
	want.Group(func(*wire.Writer) {})
	bare := func() bool {
		t.Helper()
		from := ben.Self.Member()
		var eff group.Effects
		for _, c := range []group.Cause{group.PeerUp{Peer: from}, group.Received{From: from, Payload: want.Bytes()}} {
			var err error
			eff, err = machine(ann, g).Step(group.Input{Now: w.Now, Cause: c})
			must(t, err)
		}
		for _, s := range eff.Serve {
			for i, ref := range s.Refs {
				if s.To == from.Device && ref.Device == ann.Self.Device.ID() && ref.Seq == 1 {
					return s.Bare[i]
				}
			}
		}
		t.Fatal("Ann does not answer")
		return false
	}
	ben.Stop()
	if bare() {
		t.Error("Ben's new device does not get what his old one could read")
	}
	must(t, ann.Do(g, group.Park{Device: ben.Self.Device.ID()}))
	w.Run(5000)
	if !bare() {
		t.Error("Ben's new device is parked, and gets a text of before it")
	}
}
