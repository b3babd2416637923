package chain_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What somebody needs stays with all that it is built on, though both are surplus,
// and goes once nobody needs it.
func TestShedKeepsWhatIsNeeded(t *testing.T) {
	for salt := range 200 {
		f := plant(t, salt, "ann ben* cat")
		f.grow("G -> A -> D | G -> B -> E | G -> C -> F", map[string]string{
			"A": "ben rekeys", "B": "ben retitles", "C": "ben admits dan",
			"D": "ben rekeys", "E": "ben rekeys", "F": "ben rekeys",
		})
		root := f.blocks["G"].Hash
		surplus := chain.Surplus(root, f.all())
		if len(surplus) != 2 {
			continue // the third at one height leads to one of two at the next
		}
		held := chain.NewBlocks()
		for _, b := range f.all() {
			held.Insert(b)
		}
		held.Keeps = func(hash wire.BlockHash) bool { return hash == surplus[0] }
		if dropped := held.Shed(root); len(dropped) > 0 || !held.Has(surplus[0]) || !held.Has(surplus[1]) {
			t.Errorf("%d are dropped", len(dropped))
		}
		held.Keeps = func(hash wire.BlockHash) bool { return hash == surplus[1] }
		if dropped := held.Shed(root); len(dropped) != 1 || dropped[0].Hash != surplus[0] {
			t.Errorf("%d are dropped when the child is not needed", len(dropped))
		}
		held.Keeps = nil
		if dropped := held.Shed(root); len(dropped) != 1 || dropped[0].Hash != surplus[1] {
			t.Errorf("%d are dropped when nothing is needed", len(dropped))
		}
		if tips := held.Tips(); slices.Contains(tips, surplus[0]) || len(tips) != 2 {
			t.Errorf("%d tips are left", len(tips))
		}
		return
	}
	t.Fatal("no hashes of 200 make a block and its parent surplus")
}
