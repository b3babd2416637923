package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
)

// TestBlocksAtRest: whatever was done at once by everybody, a group comes to rest: in
// the second hour nobody signs a block by itself.
func TestBlocksAtRest(t *testing.T) {
	for _, size := range []int{7} {
		for _, what := range []string{"quiet", "restart", "parked", "split"} {
			t.Run(fmt.Sprint(size, " ", what), func(t *testing.T) {
				var names []string
				for i := range size {
					names = append(names, fmt.Sprint("m", i))
				}
				w, nodes, g := published(t, group.Suites()[1], names...)
				ann := nodes[0]
				promote(t, w, g, ann, nodes[1], nodes[2])
				switch what {
				case "restart":
					must(t, ann.Do(g, group.Restart{}))
				case "parked":
					for _, n := range nodes[3:] {
						must(t, ann.Do(g, group.Park{Device: n.Self.Device.ID()}))
					}
				case "split":
					part(w, nodes[:size/2]...)
					for _, n := range nodes {
						must(t, n.Do(g, group.Rekey{}))
						must(t, n.Say(g, "split"))
					}
					for i, n := range nodes[:3] {
						must(t, n.Do(g, group.SetTitle{Title: fmt.Sprint(i)}))
					}
					w.Run(60_000)
					w.HealAll()
				}
				start, held := w.Now, machine(ann, g).Blocks().Len()
				w.Run(60 * minute)
				first := machine(ann, g).Blocks().Len() - held
				steps := sent(nodes)
				w.Run(60 * minute)
				second := machine(ann, g).Blocks().Len() - held - first
				t.Logf("%d blocks in the first hour, %d in the second, %d frames then; %d ms", first, second, sent(nodes)-steps, w.Now-start)
				if second > 0 {
					t.Errorf("%d blocks in the second hour", second)
				}
				for _, n := range nodes {
					if v := machine(n, g).View(); v.NoKeys || v.Status != group.StatusActive {
						t.Errorf("%s: status %d, no keys: %v", n.Name, v.Status, v.NoKeys)
					}
				}
				alike(t, g, nodes...)
			})
		}
	}
}

func sent(nodes []*sim.Node) (n int) {
	for _, o := range nodes {
		n += len(o.Sent)
	}
	return n
}
