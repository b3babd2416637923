package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
)

// TestVotersGoneForGood: two of four voters are off for 200 days, so that nothing can
// be settled. The group goes on; its admin proposes other voters once, and parks the
// two; what is held of votes and of keys does not grow. When one of them is back
// all of it settles.
func TestVotersGoneForGood(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	before := final(ann, g)
	ben.Stop()
	cleo.Stop()
	votes := 0
	for i := range 200 {
		if i%10 == 0 {
			must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint("week ", i)}))
		}
		daily(t, w, g, 1, ann, dan)
		votes = max(votes, len(ann.Groups[g].Records[group.KindVote]))
		if n := len(ann.Groups[g].Records[group.KindEpoch]); n > 17+7 { // of a week, and 16 below the head
			t.Fatalf("day %d: the secrets of %d epochs are kept", i, n)
		}
	}
	f := final(ann, g)
	if f.Block != before.Block || len(f.Voters) != 4 || votes > 2*4 {
		t.Errorf("settled block %d, %d voters, %d votes", f.Height, len(f.Voters), votes)
	}
	changes := 0
	m := machine(ann, g)
	for _, hash := range m.Chain() {
		for _, op := range m.Blocks().Header(hash).Ops {
			if op.Kind() == chain.KindSetPolicy {
				changes++
			}
		}
	}
	if changes != 2 { // the first, at the beginning
		t.Errorf("the voters were changed %d times", changes)
	}
	if ops, _ := parks(ann, g); ops != 2 {
		t.Errorf("%d devices are parked", ops)
	}
	ben.Start()
	w.Run(6 * 60 * minute)
	settlesAll(t, g, 100, ann, ben, dan)
	if f := final(ann, g); f.Block == before.Block || len(f.Voters) != 3 {
		t.Errorf("Ben is back: settled block %d by %d voters", f.Height, len(f.Voters))
	}
	sees(t, g, ann.Texts(g), ann, ben, dan)
}
