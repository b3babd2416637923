package node

import (
	"context"
	"maps"
	"sync"
	"time"

	"kith/internal/peer"
	"kith/internal/wire"
)

const (
	// answerBurst is how many bytes one device is given at once of what it asks the groups
	// for: 100,000 messages of 2 KB.
	answerBurst = 256 << 20
	// answerPace is how many it is given in a ms beyond that, 8 MiB a second: as many as a
	// device checks that catches up.
	answerPace = 8 << 10
	// answerCost is what an answer counts besides its bytes, in bytes, and readCost what
	// each entry counts that is looked up for it.
	answerCost = 4 << 10
	readCost   = 128
)

// givenShares say how much devices were given. They outlast sessions: else a new session would
// have a new share.
type givenShares struct {
	mu    sync.Mutex               // guards used
	used  map[wire.DeviceID]uint64 // ms of the steady clock, up to which the share is used
	burst uint64                   // bytes
}

// use counts what a device was given, in bytes.
func (g *givenShares) use(now uint64, d wire.DeviceID, size int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.used, func(_ wire.DeviceID, upTo uint64) bool { return upTo <= now })
	g.used[d] = max(g.used[d], now) + uint64(size)/answerPace
}

// wait is how long a device waits until it is given more.
func (g *givenShares) wait(now uint64, d wire.DeviceID) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	upTo := now + g.burst/answerPace
	return time.Duration(max(g.used[d], upTo)-upTo) * time.Millisecond
}

// await waits until a peer's device may be given more; false if its session ends before.
func (g *givenShares) await(ctx context.Context, n *Node, s *peer.Session) bool {
	wait := g.wait(n.steadyMS(), s.Remote().Device)
	if wait == 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.Done():
	case <-ctx.Done():
	}
	return false
}
