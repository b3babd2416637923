package mailbox

import (
	"errors"
	"fmt"
	"time"
)

// Facts a caller branches on.
var (
	// ErrRefused: there is no such drop, or the capability is not its own. Who knows
	// the capability to be right learns that the drop is not made, or not any more.
	ErrRefused = errors.New("mailbox: no such drop, or not with this capability")

	// ErrSize: items are of the three sizes alone, and at most MaxItems and MaxBody
	// of them at once.
	ErrSize = errors.New("mailbox: items have 4, 16 or 64 KiB, at most 64 KiB together")

	// ErrLost: the connection ended before the answer. A put may have been stored.
	ErrLost = errors.New("mailbox: the connection ended before the answer")

	// ErrBroken: the mailbox broke the protocol. It is of no use, or hostile.
	ErrBroken = errors.New("mailbox: the mailbox answered what no mailbox answers")

	// ErrFrame refuses bytes that are no frame.
	ErrFrame = errors.New("mailbox: not a frame")

	// ErrInUse: another program has the folder open.
	ErrInUse = errors.New("mailbox: another program has this folder open")

	// ErrDisk: the disk is full or failing; nothing of the write is stored.
	ErrDisk = errors.New("mailbox: the disk is full")

	// ErrNotRunning: no mailbox runs on the folder.
	ErrNotRunning = errors.New("mailbox: no mailbox runs on this folder")

	// ErrNewer: the folder was written by a newer program.
	ErrNewer = errors.New("mailbox: this folder was written by a newer version of Kith; update the program")

	// ErrClosed: the engine or the client was closed.
	ErrClosed = errors.New("mailbox: closed")
)

// A Limit says what is used up.
type Limit uint8

// Limits, as they stand in a refusal; append only.
const (
	LimitDrop Limit = 2 // the drop is full: it takes no more until its reader deletes
	LimitAll  Limit = 3 // the mailbox is full
	LimitRate Limit = 4 // too much from this source or on this connection
	LimitDisk Limit = 5 // the mailbox's disk is full or failing
)

var limitWords = map[Limit]string{
	LimitDrop: "the drop is full", LimitAll: "the mailbox is full",
	LimitRate: "too much was asked for in a short time", LimitDisk: "the mailbox's disk is full",
}

// A FullError refuses what there is no room or no allowance for.
type FullError struct {
	What  Limit
	Retry time.Duration // when to try again; whole seconds
}

func (e *FullError) Error() string {
	return fmt.Sprintf("mailbox: %s; try again in %s", limitWords[e.What], e.Retry)
}
