package sim_test

import (
	"flag"
	"testing"

	"kith/internal/sim"
)

var five = flag.Uint64("five", 16, "how many schedules TestFive plays")

// TestFive plays random schedules of five members, none of whom lies, and who say texts alone:
// what everybody wrote is read by all it was for, nothing stays undecryptable, and nothing is shown twice.
// The flags five, from and seed say how many and which.
func TestFive(t *testing.T) {
	c := sim.Config{Nodes: 5, Steps: 40, Hostile: -1, Plain: true}
	if *seed != 0 {
		sim.Run(t, *seed, c)
		return
	}
	total := sim.Tally{}
	for s := *from; s < *from+*five && !t.Failed(); s++ {
		total.Add(sim.Count(t, s, c))
	}
	t.Logf("%d schedules: %d messages said, shown %d times; undecryptable %d, shown twice %d", *five, total.Said, total.Shown, total.Unreadable, total.Twice)
	if total.Unreadable+total.Twice > 0 || total.Shown == 0 {
		t.Error("not everything is read once")
	}
}
