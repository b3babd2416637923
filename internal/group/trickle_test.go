package group_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestTrickle: a member that says again and again to have more, and answers each request
// with frames that bring nothing, one just before the time for the next is over, holds up
// what others have no longer than one that is silent.
func TestTrickle(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	const missed = 1500
	apart(t, w, g, ben, missed, ann)
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEntries })
	ben.Start()
	for i := range byte(150) {
		heads := []dag.Ref{{Device: wire.DeviceID{i, 1}, Seq: 9}}
		w.Deliver(cleo, ben, g, cleo.Groups[g].Machine.HeadsPayload(heads, 2*missed, 2*missed))
		if i%20 == 0 {
			w.Deliver(cleo, ben, g, []byte{kindEntries, 0, 2}) // none, and more follow
		}
		w.Run(200)
	}
	if got := len(ben.Texts(g)); got != missed {
		t.Errorf("after half a minute Ben has %d of %d", got, missed)
	}
}
