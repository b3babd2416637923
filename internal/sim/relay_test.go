package sim_test

import (
	"slices"
	"testing"
)

// TestThirdMember: where a cable is cut, a message comes through the member in
// between within half a second, not at the next Ack.
func TestThirdMember(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, cleo := nodes[0], nodes[2]
	w.Run(10_000)
	w.Cut(ann, cleo)
	must(t, ann.Say(g, "by way of Ben"))
	w.Run(500)
	for _, n := range nodes {
		if want := []string{"by way of Ben"}; !slices.Equal(n.Texts(g), want) {
			t.Errorf("%s sees %q after half a second", n.Name, n.Texts(g))
		}
	}
}
