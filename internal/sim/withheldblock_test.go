package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestBlockThatNobodyGives: Ann tells Ben of a block and does not give it. He asks her ever more rarely, and gets
// it once she tells of another.
func TestBlockThatNobodyGives(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	const pages = 15 // docs/spec/sync.md
	ann.Withhold(func(to *sim.Node, kind byte) bool {
		return kind == kindBlocks || kind == kindInvitation || kind == pages
	})
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(10 * minute)
	before := len(w.History)
	w.Run(10 * minute)
	if n := len(w.History) - before; n > 40 {
		t.Errorf("%d frames in ten minutes", n)
	}
	w.Run(60 * minute)
	before = len(w.History)
	w.Run(60 * minute)
	if n := len(w.History) - before; n > 0 {
		t.Errorf("%d frames in an hour", n)
	}
	ann.Withhold(nil)
	must(t, ann.Do(g, group.SetTitle{Title: "Voyage"}))
	w.Run(10 * minute)
	if machine(ben, g).Head() != machine(ann, g).Head() {
		t.Error("Ben does not ask any more")
	}
}
