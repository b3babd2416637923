package sim_test

import (
	"flag"
	"slices"
	"testing"

	"kith/internal/sim"
)

var (
	seed  = flag.Uint64("seed", 0, "play this one seed; 0: many")
	seeds = flag.Uint64("seeds", 500, "how many seeds TestSim plays")
	from  = flag.Uint64("from", 1, "the first of them")
	steps = flag.Int("steps", 0, "actions of a run; 0: as TestSim has")
)

// TestSim plays seeded schedules against the oracles, and says how many persons of
// them lied.
func TestSim(t *testing.T) {
	c := sim.Config{Steps: *steps}
	if *seed != 0 {
		sim.Run(t, *seed, c)
		return
	}
	liars := make(map[int]int)
	for s := *from; s < *from+*seeds && !t.Failed(); s++ {
		liars[max(0, sim.Run(t, s, c).Hostile)]++
	}
	t.Logf("seeds %d to %d by how many persons were hostile: none %d, one %d, two of seven %d", *from, *from+*seeds-1, liars[0], liars[1], liars[2])
}

// TestSimRepeats plays one seed twice: every byte must be the same.
func TestSimRepeats(t *testing.T) {
	a, b := sim.Trace(t, 7, sim.Config{}), sim.Trace(t, 7, sim.Config{})
	if !slices.Equal(a, b) {
		t.Fatal("one seed gave two runs")
	}
}
