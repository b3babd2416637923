package node_test

import (
	"runtime"
	"testing"
	"time"
)

// TestNothingStays: who has stopped leaves no goroutine behind, though others
// still wanted to talk. It runs alone, before the tests that run beside each
// other.
func TestNothingStays(t *testing.T) {
	once := func(t *testing.T) {
		ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
		befriend(t, ann, ben)
		g := together(t, "Trip", ann, ben)
		ben.stop()
		ann.say(g, "anybody there?")
		ben = ben.again()
		ben.sees(g, "anybody there?")
		ben.stop()
		ann.until("Ben is off", func() bool { return !ann.connected(g, ben) })
		ann.stop() // and dials him
	}
	t.Run("first", once) // what libraries start once stays
	before := runtime.NumGoroutine()
	for range 3 {
		t.Run("again", once)
	}
	// What ends by itself has ended when a stop returns, but for the last steps of
	// goroutines that have told so already: the machine may be busy elsewhere.
	for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(limit); {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		b := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, b[:runtime.Stack(b, true)])
	}
}
