package node

import (
	"context"
	"errors"
	"time"

	"kith/internal/store"
)

// A full disk. Whoever wants something kept is told by [ReasonFull]; beside that the node says it of
// itself for as long as it lasts, since what others send is not kept either, and nobody asked for that.

// roomEach is how often a disk that is full is asked whether it still is.
const roomEach = 2 * time.Second

// diskFull takes note of a write that the disk had no room for.
func (n *Node) diskFull() {
	n.setFull(true)
	select {
	case n.roomless <- struct{}{}:
	default:
	}
}

func (n *Node) setFull(full bool) {
	n.mu.Lock()
	same := n.full == full
	n.full = full
	n.mu.Unlock()
	if !same {
		n.hub.publish(StatusChanged{})
	}
}

// watchRoom finds out when the disk has room again. It looks once at the start, where nothing may be
// written for long, and then only after a write that failed.
func (n *Node) watchRoom(ctx context.Context) {
	full := errors.Is(n.db.Room(), store.ErrFull)
	again := time.NewTimer(roomEach)
	defer again.Stop()
	for {
		n.setFull(full)
		again.Stop()
		if full {
			again.Reset(roomEach)
		}
		select {
		case <-n.roomless: // a write may need more than is asked for here: it counts for a while
			full = true
		case <-again.C:
			full = errors.Is(n.db.Room(), store.ErrFull)
		case <-ctx.Done():
			return
		}
	}
}
