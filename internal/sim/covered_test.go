package sim_test

import (
	"fmt"
	"testing"
)

// TestCoveredComesAtOnce: who was away while one member wrote much that another has is given
// it without a pause: that other's Ack covers it.
func TestCoveredComesAtOnce(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(10 * minute)
	ben.Stop()
	for i := range 5 * most {
		must(t, ann.Say(g, fmt.Sprint("message ", i)))
		if i%(most/2) == 0 {
			w.Run(5_000)
		}
	}
	w.Run(minute)
	if n := len(cleo.Texts(g)); n != 5*most {
		t.Fatalf("Cleo has %d", n)
	}
	ben.Start()
	for range 10 {
		w.Run(500)
		t.Log(len(ben.Texts(g)))
	}
	if n := len(ben.Texts(g)); n != 5*most {
		t.Errorf("after five seconds Ben has %d", n)
	}
}
