package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestCopiesThatAllChange: four copies of Ben's home each give the group a title.
// Three of these are to be done again when their homes take new keys, and so many
// blocks of one device at one height nobody keeps. Each home opens all the same.
func TestCopiesThatAllChange(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Do(g, group.SetRole{Person: ben.Self.Person, Role: chain.RoleAdmin}))
	w.Run(5000)
	ben.Stop()
	var copies []*sim.Node
	for i := range 4 {
		n := ben.Copy(fmt.Sprint("Ben's copy ", i))
		copies = append(copies, n)
		n.Start()
		part(w, n)
		must(t, n.Do(g, group.SetTitle{Title: fmt.Sprint("Journey ", i)}))
		w.Run(500)
		n.Stop()
		w.HealAll()
	}
	for _, n := range copies {
		n.Start()
		w.Run(5000)
		n.Stop()
	}
	undone, dropped := 0, 0
	for _, n := range copies {
		n.Start()
		w.Run(5000)
		undone += len(n.Groups[g].Records[group.KindUndone])
		must(t, n.Renew())
		w.Run(30_000)
		if left := len(n.Groups[g].Records[group.KindUndone]); left > 0 {
			t.Errorf("%s is to do again %d blocks of its earlier device", n.Name, left)
		}
		for range 3 { // its own records, and those of what it hears meanwhile
			n.Stop()
			n.Start() // panics where they do not fit together
			w.Run(5000)
		}
		own := func(hash wire.BlockHash) bool {
			return machine(n, g).Blocks().Header(hash).Author.Device == ben.Self.Device.ID()
		}
		if len(slices.DeleteFunc(machine(n, g).Blocks().All(), func(hash wire.BlockHash) bool { return !own(hash) })) < len(copies) {
			dropped++
		}
		n.Stop()
	}
	if undone == 0 || dropped == 0 {
		t.Fatalf("%d blocks were to be done again and %d homes had dropped one", undone, dropped)
	}
}
