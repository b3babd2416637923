package group_test

import (
	"testing"

	"kith/internal/group"
)

// TestFormerAsksOften: to find out what a former member lacks costs much; who asks over and over without a pause is
// passed over, and heard again a moment later.
func TestFormerAsksOften(t *testing.T) {
	w, ann, ben, g := settledGroup(t, 64)
	do(t, w, ann, g, group.Remove{Person: ben.Self.Person})
	a := &asker{t: t, m: machineOf(ann, g), from: ben, payload: []byte{kindHave, 2, 0, 0, 1, 0, 0, 0}}
	now := w.Now
	a.anew(now)
	if a.ask(now) == 0 {
		t.Fatal("Ben is told nothing")
	}
	costs := func() float64 { return testing.AllocsPerRun(1, func() { a.ask(now) }) }
	once := costs()
	for range 100 {
		a.ask(now)
	}
	often := costs()
	now += 1000
	later := costs()
	if often > once/2 || later < once/2 {
		t.Errorf("a question costs %v allocations, after many %v, and a second later %v", once, often, later)
	}
}
