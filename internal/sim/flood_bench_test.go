package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

// BenchmarkFutile is one more variant of an old block that Eve sends Ben, after many
// changes of the group: it is not even checked.
func BenchmarkFutile(b *testing.B) {
	for _, n := range []int{50, 800} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, nodes, g := trip(b, "Ann", "Ben", "Eve")
			ann, ben, eve := nodes[0], nodes[1], nodes[2]
			w.Run(minute)
			old := pastOf(b, eve, g)
			for i := range n {
				must(b, ann.Do(g, group.SetTitle{Title: fmt.Sprint("title ", i)}))
				if i%10 == 9 {
					w.Run(10 * minute)
				}
			}
			w.Run(10 * minute)
			var variants [][]byte
			var hashes []wire.BlockHash
			for range 64 {
				hash, v := old.variant(b, eve, g, 0)
				variants, hashes = append(variants, v), append(hashes, hash)
			}
			for _, v := range variants {
				w.Deliver(eve, ben, g, v)
			}
			var futile [][]byte // of those left out what comes again is looked at as the first time
			for i, v := range variants {
				if !machine(ben, g).Blocks().Has(hashes[i]) {
					futile = append(futile, v)
				}
			}
			m := machine(ben, g)
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				_, err := m.Step(group.Input{Now: w.Now, Cause: group.Received{From: eve.Self.Member(), Payload: futile[i%len(futile)]}})
				must(b, err)
			}
		})
	}
}
