package sim_test

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"kith/internal/dag"
	"kith/internal/sim"
)

// TestCrowd: of a group few are there at a time, for ten minutes each, for a day, and in
// its first seven hours they talk. At its end everybody has everything, in one order.
// KITH_CROWD=1000 plays 1,000 members of whom one in a hundred is there, which takes most of
// an hour, and with KITH_THERE=all everybody is there for an hour; without it, 50 play of whom two are there.
func TestCrowd(t *testing.T) {
	c := sim.Crowd{Members: 50, Online: 2, Session: 10 * minute, Length: 24 * 60 * minute, Talk: 7 * 60 * minute, Messages: 48, Every: 50}
	if n, _ := strconv.Atoi(os.Getenv("KITH_CROWD")); n > 0 {
		c.Members, c.Online, c.Messages, c.Every = n, max(3, n/100), 120, 5_000
	}
	if os.Getenv("KITH_THERE") == "all" {
		c.Online, c.Length, c.Talk, c.Messages = c.Members, 70*minute, 60*minute, 120
	}
	s := sim.PlayCrowd(t, max(1, *seed), c)
	tell(t, c, s)
	if s.End.Ours < 1 || s.Ours == 0 || !s.OneOrder {
		t.Error("not everybody has everything after a day, in one order")
	}
}

// tell prints what a crowd's run shows.
func tell(t *testing.T, c sim.Crowd, s sim.Spread) {
	t.Helper()
	t.Logf("%d members, %d of them there at a time, %d sessions, %d messages of %d bytes each", c.Members, c.Online, s.Sessions, s.Said, int(s.Entries)/max(1, s.Said))
	for _, m := range append(s.Marks, s.End) {
		t.Logf("%5d min: %5.1f %% of the members have a message, and at best %5.1f %%", m.After/minute, 100*m.Ours, 100*m.Ideal)
	}
	t.Logf("everybody has everything after %.2f h, and at best after %.2f h", float64(s.Ours)/(60*minute), float64(s.Ideal)/(60*minute))
	t.Logf("%.2f bytes arrive for each byte of an entry and member", s.Copies(c.Members))
	entry, ack := float64(s.Entries)/float64(max(1, s.Said)), float64(len((&dag.Ack{Version: dag.AckByHeads, Heads: []dag.Ref{{}}}).Marshal()))
	t.Logf("%.2f if everybody read everybody's log, with an Ack of %.0f bytes in each for each message", 1+float64(c.Members-1)*ack/entry, ack)
	for _, kind := range slices.Sorted(maps.Keys(s.Received)) {
		t.Logf("   kind %2d: %.3f", kind, float64(s.Received[kind])/float64(uint64(c.Members)*s.Entries))
	}
}

// TestFewAreToldAtOnce: in a group that has a tree, a change is told to some others at once,
// not to all; and all have everything.
func TestFewAreToldAtOnce(t *testing.T) {
	c := sim.Crowd{Members: 36, Online: 36, Length: 6 * minute, Talk: 2 * minute, Messages: 12, Every: 200}
	s := sim.PlayCrowd(t, 1, c)
	if s.Digests == 0 || s.Digests > 16 {
		t.Errorf("%d are told at once", s.Digests)
	}
	if s.Ours == 0 || !s.OneOrder {
		t.Error("not everybody has everything, in one order")
	}
}
