package sim_test

import (
	"fmt"
	"testing"

	"kith/internal/group"
)

// TestOldSecretsGo: what is stored of keys stays within 16 epochs, across
// restarts, once a week has passed; message keys go when they were used.
func TestOldSecretsGo(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	const day = 24 * 3600 * 1000
	for i := range 30 {
		must(t, ann.Do(g, group.SetTitle{Title: fmt.Sprint(i)}))
		must(t, ann.Say(g, fmt.Sprint(i)))
		w.Run(day / 2)
		if i%4 == 0 { // the age of an epoch is not forgotten
			ben.Stop()
			ben.Start()
		}
	}
	for _, n := range nodes {
		records := n.Groups[g].Records
		if got := len(records[group.KindEpoch]); got > 17 {
			t.Errorf("%s keeps %d epochs", n.Name, got)
		}
		for key := range records[group.KindRatchet] {
			if _, ok := records[group.KindEpoch][key[:32]]; !ok {
				t.Fatalf("%s keeps message keys of an epoch that is gone", n.Name)
			}
		}
		for key := range records[group.KindRatchet] {
			if key[32] == 's' {
				t.Errorf("%s keeps the key of a message that was passed over", n.Name)
			}
		}
		if got := len(records[group.KindWelcome]); got > 0 {
			t.Errorf("%s keeps %d welcomes that nobody needs", n.Name, got)
		}
	}
	alike(t, g, ann, ben)
}
