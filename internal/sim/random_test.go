package sim_test

import (
	"cmp"
	"os"
	"testing"

	"kith/internal/sim"
)

// TestRandomRun is the run that Jami plays on its own program: 25 accounts and, with
// KITH_RANDOM=big, 5,000 random events of every kind that a schedule has; without,
// 150. The flags seed and steps choose others.
func TestRandomRun(t *testing.T) {
	c := sim.Config{Nodes: 25, Steps: 150}
	if os.Getenv("KITH_RANDOM") == "big" {
		c.Steps = 5000
	}
	if *steps != 0 {
		c.Steps = *steps
	}
	sim.Run(t, cmp.Or(*seed, 1), c)
}
