package group_test

import (
	"testing"

	"kith/internal/sim"
)

// TestSilentForAWhile: the only member that is there says nothing for some seconds, in the
// middle of what it was asked for, and goes on. The rest comes, though it has nothing new to
// say.
func TestSilentForAWhile(t *testing.T) {
	w, g, ann, ben, cleo := three(t)
	apart(t, w, g, ben, 900, ann, cleo)
	ann.Stop()
	silent := true
	cleo.Withhold(func(_ *sim.Node, kind byte) bool { return silent && kind == kindEntries && len(ben.Texts(g)) > 0 })
	ben.Start()
	w.Run(8_000)
	silent = false
	if got := len(ben.Texts(g)); got == 900 {
		t.Fatal("Ben has all though Cleo was silent")
	}
	w.Run(60_000)
	if got := len(ben.Texts(g)); got != 900 {
		t.Errorf("Ben has %d of 900 a minute after Cleo goes on, %d are missing", got, ben.Groups[g].Machine.View().Missing)
	}
}
