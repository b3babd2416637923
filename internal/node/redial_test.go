package node

import (
	"testing"
	"time"
)

// TestRedial: who was here lately is dialled each few seconds, who was not more and more rarely,
// and the maker of a link each minute. Each dial costs some 25 kB.
func TestRedial(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	// dials counts those in an hour, if the target was last seen long ago or goes off now.
	dials := func(to target) (count int) {
		to.seen = n.steadyMS()
		if !to.met {
			to.seen = 0
		}
		for spent := uint64(0); spent < uint64(time.Hour.Milliseconds()); count++ {
			before := n.steadyMS()
			n.backOff(&to)
			spent += to.at - before
			if to.met && spent > lately { // as if the clock had gone on
				to.met = false
			}
		}
		return count
	}
	for _, c := range []struct {
		what        string
		to          target
		least, most int
	}{
		{"who was never here", target{}, 10, 25},
		{"who has gone off just now", target{met: true}, 50, 110},
		{"the maker of a link", target{asked: true}, 60, 140},
	} {
		if got := dials(c.to); got < c.least || got > c.most {
			t.Errorf("%s is dialled %d times in the first hour, want %d to %d", c.what, got, c.least, c.most)
		}
	}
}
