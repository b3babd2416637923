package sim_test

import (
	"flag"
	"runtime/debug"
	"testing"

	"kith/internal/sim"
)

var five = flag.Uint64("five", 250, "how many schedules TestFive plays")

// fiveMembers none of whom lies.
var fiveMembers = sim.Config{Nodes: 5, Steps: 32, Hostile: -1, Plain: true, Rarely: true}

// TestFiveAgain plays the schedules by which faults were found (docs/assurance.md, "Five members").
func TestFiveAgain(t *testing.T) {
	for _, s := range []uint64{
		1204, 1232, 2371, 4013, 6291, 7015, 7284, 7379, 10471, 12079, 30861, 35212, 37285, 41815, 48586, 51849, 54050, 55342, 57038, 60225, 61010, 65904, 67086,
		69778, 72756, 78455, 82093, 85429, 85842, 86543, 102838, 106293,
	} {
		sim.Run(t, s, fiveMembers)
	}
}

// TestFive plays random schedules of five members, none of whom lies, and who say texts alone:
// what everybody wrote is read by all it was for, nothing stays undecryptable, and nothing is shown twice.
// The flags five, from and seed say how many and which.
func TestFive(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a schedule is over before it is worth tidying up
	c := fiveMembers
	if *seed != 0 {
		sim.Run(t, *seed, c)
		return
	}
	total := sim.Tally{}
	for s := *from; s < *from+*five && !t.Failed(); s++ {
		total.Add(sim.Count(t, s, c))
		if n := s - *from + 1; n%1000 == 0 && n < *five {
			t.Logf("%d schedules, to seed %d: %d messages said, shown %d times; undecryptable %d, shown twice %d", n, s, total.Said, total.Shown, total.Unreadable, total.Twice)
		}
	}
	t.Logf("%d schedules, seeds %d to %d: %d messages said, shown %d times; undecryptable %d, shown twice %d", *five, *from, *from+*five-1, total.Said, total.Shown, total.Unreadable, total.Twice)
	t.Logf("at rest %d took part, of %d blocks %d on branches that lost; what happened: %s", total.Members, total.Blocks+total.Beside, total.Beside, total.Happened())
	if total.Unreadable+total.Twice > 0 || total.Shown < total.Said {
		t.Error("not everything is read once")
	}
}
