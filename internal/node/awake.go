package node

import (
	"context"
	"errors"
	"time"

	"kith/internal/wire"

	"kith/internal/group"
	"kith/internal/link"
)

// What timers do not notice: that the machine slept, that the program was stopped,
// that the clock was set. A timer does not run while the machine sleeps, a program
// that is stopped runs none, and the clock by which group machines go can jump both
// ways.

const (
	// watchEach is how often the node looks at its two clocks. It takes no more than
	// that, and is the longest that a sleep goes unnoticed after its end.
	watchEach = 2 * time.Second
	// jumpLeast is by how much time must have jumped to be taken for a jump: more than
	// a machine under load is late.
	jumpLeast = 3 * time.Second
)

// errSlept ends sessions that the other side has given up by now.
var errSlept = errors.New("node: this machine slept for longer than others wait")

// nowMS is the clock that people set, in ms: by it group machines go.
func (n *Node) nowMS() uint64 {
	if n.cfg.Clock != nil {
		return uint64(n.cfg.Clock().UnixMilli())
	}
	return nowMS()
}

// steadyMS is a clock that nobody sets, in ms since the node was opened. It may stand
// while the machine sleeps.
func (n *Node) steadyMS() uint64 { return 1 + uint64(time.Since(n.opened).Milliseconds()) }

// watchClocks notices jumps of time until ctx ends.
func (n *Node) watchClocks(ctx context.Context) {
	tick := time.NewTicker(watchEach)
	defer tick.Stop()
	wall, steady := n.nowMS(), n.steadyMS()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		nextWall, nextSteady := n.nowMS(), n.steadyMS()
		byWall := time.Duration(int64(nextWall)-int64(wall)) * time.Millisecond
		bySteady := time.Duration(nextSteady-steady) * time.Millisecond
		wall, steady = nextWall, nextSteady
		switch late := max(byWall, bySteady) - watchEach; {
		case late > jumpLeast:
			n.woke(late)
		case byWall < bySteady-jumpLeast:
			n.setBack(bySteady - byWall)
		}
	}
}

// woke does at once what was due while the machine slept, or the program was
// stopped. A clock that was set forward looks the same.
func (n *Node) woke(after time.Duration) {
	n.log.Info("awake again, or the clock was set forward", "after", after.Round(time.Second))
	if after >= link.Forgotten {
		for _, s := range n.liveSessions() {
			s.Close(errSlept)
		}
	}
	n.networkChanged()
	n.stirMails(func(wire.GroupID) bool { return true })
	n.mu.Lock()
	lan := n.discovery
	n.mu.Unlock()
	if lan != nil {
		lan.Again()
	}
	n.timeJumped()
}

// setBack does what waits for a time that will come a second time. What a message
// says of its order does not go back: it is above that of all before it.
func (n *Node) setBack(by time.Duration) {
	n.log.Info("the clock was set back", "by", by.Round(time.Second))
	if now := n.nowMS(); by.Milliseconds() > clockOff {
		for _, o := range n.allOwners() {
			n.excuse(o.id, aheadSpan{min(n.started, now), now + uint64(by.Milliseconds())})
		}
	}
	n.timeJumped()
}

// timeJumped lets everything that goes by the clock look at it.
func (n *Node) timeJumped() {
	n.forgetClocks()
	for _, o := range n.allOwners() {
		o.tell(group.Tick{})
	}
	select {
	case n.renew <- struct{}{}:
	default:
	}
}

// networkChanged tells everybody where this node is now, dials whoever is not
// connected, and has sessions that are dead noticed.
func (n *Node) networkChanged() {
	n.probe()
	n.remapSoon()
	n.reach()
	n.waysAgain()
	n.dialAgain()
	n.moved.Store(true)
	n.seekSoon()
	n.hub.publish(StatusChanged{})
}
