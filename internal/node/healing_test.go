package node

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
)

// TestHealsOnceAKey: however often a group shows that the key was taken out, a home
// that cannot take another one tries once, and again after a while.
func TestHealsOnceAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		n := &Node{log: slog.New(slog.NewTextHandler(&log, nil)), hub: newHub()}
		n.self = group.Self{Device: identity.NewDevice()} // without a person's chain, which no key can be added to
		tries := func() int {
			synctest.Wait()
			return strings.Count(log.String(), "no new device key")
		}
		if n.noteCopy(); tries() != 0 {
			t.Error("it heals before it runs")
		}
		n.running = &running{ctx: ctx}
		for range 5 {
			n.noteCopy()
		}
		if got := tries(); got != 1 {
			t.Errorf("it tries %d times at once", got)
		}
		time.Sleep(healAgain)
		n.noteCopy()
		if got := tries(); got != 2 {
			t.Errorf("after a while it has tried %d times", got)
		}
		n.self.Device = identity.NewDevice()
		if n.noteCopy(); tries() != 3 {
			t.Error("it does not heal for another key")
		}
		cancel()
		n.running.tasks.Wait()
		if got := strings.Count(log.String(), "another copy of this home"); got != 1 {
			t.Errorf("it says %d times that there is a copy", got)
		}
	})
}
