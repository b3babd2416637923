package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestStoredPerBlock: a block does not store the whole tree once more, and what a
// machine lacks it computes from the blocks when it is loaded.
func TestStoredPerBlock(t *testing.T) {
	for _, n := range []int{2, 50, 200} {
		w := sim.New(1)
		ann := w.Add("Ann")
		var list []group.Newcomer
		for range n - 1 {
			o := w.Add("x")
			list = append(list, o.Newcomer())
			o.Stop()
		}
		g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: list})
		w.Run(1000)
		tree := ann.Groups[g].Records[group.KindPublic]
		var whole int
		for _, v := range tree {
			whole = max(whole, len(v))
		}
		sum, blocks := make(map[group.Kind]int), 0
		w.After = func(_ *sim.Node, _ wire.GroupID, eff group.Effects) {
			for _, r := range eff.Write {
				sum[r.Kind] += len(r.Value)
			}
		}
		for range 64 {
			must(t, ann.Do(g, group.SetTitle{Title: "Trip " + string(rune('a'+blocks%26))}))
			blocks++
			w.Run(10)
		}
		w.After = nil
		t.Logf("%d members: written a block %d bytes of trees (one is %d), %d of blocks, %d of epochs; %d trees stored",
			n, sum[group.KindPublic]/blocks, whole, sum[group.KindBlock]/blocks, sum[group.KindEpoch]/blocks, len(tree))
		if per := sum[group.KindPublic] / blocks; per > whole/16 {
			t.Errorf("%d members: a block writes %d bytes of trees, one has %d", n, per, whole)
		}
		if len(tree) > 4 {
			t.Errorf("%d members: %d trees are stored", n, len(tree))
		}
		ann.Stop()
		ann.Start()
		must(t, ann.Do(g, group.SetTitle{Title: "Back"}))
		must(t, ann.Say(g, "hello"))
	}
}

// TestStoredTreesOfTheVersionBefore: it stored the tree of every block.
func TestStoredTreesOfTheVersionBefore(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann := nodes[0]
	for i := range 8 {
		must(t, ann.Do(g, group.SetTitle{Title: string(rune('a' + i))}))
	}
	w.Run(1000)
	tree := ann.Groups[g].Records[group.KindPublic]
	ann.Stop()
	for _, hash := range machine(ann, g).Chain() {
		tree[string(hash[:])] = publicOf(t, ann, g, hash).Marshal()
	}
	ann.Start()
	must(t, ann.Do(g, group.SetTitle{Title: "Back"}))
	if len(tree) != 1 {
		t.Errorf("%d trees are stored", len(tree))
	}
	w.Run(1000)
	alike(t, g, nodes...)
}
