package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
)

// TestEarlierAfterSleep: the only member that is there is silent for some seconds while it
// hands over what was said before, and goes on. The rest comes.
func TestEarlierAfterSleep(t *testing.T) {
	w, nodes, g, _ := talk(t, 6)
	ann, dan := nodes[0], w.Add("Dan")
	gives(t, w, g, ann, group.SetHistory{History: chain.HistoryAll})
	for _, n := range nodes[1:] {
		n.Stop()
	}
	silent := true
	ann.Withhold(func(to *sim.Node, kind byte) bool { return silent && to == dan && kind == kindEarlier })
	enter(t, w, g, ann, dan)
	w.Run(8_000)
	silent = false
	if v := earlierOf(dan, g); v.Have > 0 || v.Reached {
		t.Fatalf("Dan has some of it though Ann was silent: %+v", v)
	}
	w.Run(60_000)
	if v := earlierOf(dan, g); !v.Reached || v.Have == 0 || v.Lacking > 0 {
		t.Errorf("a minute after Ann goes on Dan has %+v", v)
	}
}
