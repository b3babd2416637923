package sim_test

import (
	"flag"
	"slices"
	"testing"

	"kith/internal/sim"
)

var (
	seed  = flag.Uint64("seed", 0, "play this one seed; 0: many")
	seeds = flag.Uint64("seeds", 200, "how many seeds TestSim plays, from 1")
	steps = flag.Int("steps", 0, "actions of a run; 0: as TestSim has")
)

// TestSim plays seeded schedules against the oracles.
func TestSim(t *testing.T) {
	c := sim.Config{Steps: *steps}
	if *seed != 0 {
		sim.Run(t, *seed, c)
		return
	}
	for s := uint64(1); s <= *seeds && !t.Failed(); s++ {
		sim.Run(t, s, c)
	}
}

// TestSimRepeats plays one seed twice: every byte must be the same.
func TestSimRepeats(t *testing.T) {
	a, b := sim.Trace(t, 7, sim.Config{}), sim.Trace(t, 7, sim.Config{})
	if !slices.Equal(a, b) {
		t.Fatal("one seed gave two runs")
	}
}
