package group_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
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

// TestMoreOfNothing: a member that answers each request at once that there is more, and
// gives nothing, is not asked again and again for what others give, nor does it make the
// stretches narrow that these are asked for.
func TestMoreOfNothing(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	const missed = 2000
	apart(t, w, g, ben, missed, ann)
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return kind == kindEntries })
	asked := 0
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		for _, s := range eff.Serve {
			switch {
			case s.To != ben.Self.Device.ID():
			case n == cleo:
				w.Deliver(cleo, ben, g, []byte{kindEntries, 0, 3}) // none, and there is more
			case n == ann:
				asked++
			}
		}
	}
	ben.Start()
	for i := range byte(50) {
		heads := []dag.Ref{{Device: wire.DeviceID{i, 1}, Seq: 9}}
		w.Deliver(cleo, ben, g, cleo.Groups[g].Machine.HeadsPayload(heads, missed, missed))
		w.Run(100)
	}
	if got := len(ben.Texts(g)); got != missed || asked > 40 {
		t.Errorf("after five seconds Ben has %d of %d, and has asked Ann %d times", got, missed, asked)
	}
}
