package sim_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestLateVouchedInAnyOrder: what Cleo wrote after her removal, of which neither she nor Dan knew, is
// shown to Ann since Dan refers to it, whichever comes to her first: his reply, her newest or her oldest,
// each whole or its header alone and the text later, with a restart in between or without, and
// also where what was noted of that is lost, as by a program that noted nothing.
func TestLateVouchedInAnyOrder(t *testing.T) {
	want := []string{"before", "late 0", "late 1", "late 2", "reply"}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 0, 1, 2}, {3, 2, 1, 0}, {2, 1, 0, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {0, 3, 2, 1}, {1, 3, 0, 2}} {
		for _, bareFirst := range []int{-1, 0, 1, 2} {
			for _, restart := range []string{"none", "each", "forgetful"} {
				w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
				ann, cleo, dan := nodes[0], nodes[2], nodes[3]
				must(t, cleo.Say(g, "before"))
				w.Run(5000)
				part(w, cleo, dan)
				must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
				for _, text := range want[1:] {
					by := cleo
					if text == "reply" {
						by = dan
					}
					must(t, by.Say(g, text))
					w.Run(3000)
				}
				var late []group.Packed
				for _, text := range want[1:] {
					late = append(late, packed(dan, g, line(t, dan, g, text)))
				}
				silent := true
				dan.Withhold(func(to *sim.Node, _ byte) bool { return silent && to == ann })
				w.Heal(ann, dan)
				w.Run(1000)
				for _, i := range order {
					p := late[i]
					if i == bareFirst {
						p.Ciphertext = nil
					}
					w.Deliver(dan, ann, g, entries(p))
					if restart != "none" {
						ann.Stop()
						if restart == "forgetful" {
							clear(ann.Groups[g].Records[group.KindVouched])
						}
						ann.Start()
						w.Run(1000)
					}
				}
				silent = false
				w.HealAll()
				w.Run(60_000)
				if got := ann.Texts(g); !slices.Equal(got, want) {
					t.Errorf("order %v, header of %d alone, restart %s: Ann sees %q", order, bareFirst, restart, got)
				}
			}
		}
	}
}
