package node_test

import (
	"testing"
	"time"

	"kith/internal/node"
)

// One clock that is ahead takes the order of display with it for up to 30 days. That is no
// fault of those who write with a right clock meanwhile, and none of theirs is told of.
func TestClockOffIsToldOfWhose(t *testing.T) {
	t.Parallel()
	var clock watch
	ann := start(t, "Ann", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	clock.set(40 * 24 * time.Hour)
	ben.say(g, "ahead")
	ann.sees(g, "ahead")
	ann.say(g, "in time")
	ann.sees(g, "ahead", "in time")
	clock.set(-40 * 24 * time.Hour)
	ben.sees(g, "ahead", "in time")
	ben.say(g, "set right")
	ann.sees(g, "ahead", "in time", "set right")
	for _, p := range []*person{ann, ben} {
		list, _, err := p.Messages(g, nil, 3)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false, false} {
			if list[i].ClockOff != want {
				t.Errorf("%s: message %d of a wrong clock: got %v, want %v", p.name, i, list[i].ClockOff, want)
			}
		}
	}
}
