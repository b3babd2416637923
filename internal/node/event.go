package node

import (
	"context"
	"sync"

	"kith/internal/wire"
)

// An Event is one change, numbered within one run of the node.
type Event struct {
	Seq    uint64
	Change Happening
}

// Happening is one of MessageChanged, ChatChanged, ChatDeleted, FriendChanged,
// FriendRemoved, StatusChanged, DeliveryChanged, Happened, Typed, Reset.
type Happening interface{ change() }

type (
	// MessageChanged: a message is new, or looks different now.
	MessageChanged struct{ Message Message }
	// ChatChanged: anything of a chat but its messages.
	ChatChanged struct{ Chat wire.GroupID }
	// ChatDeleted: a chat is gone from this device.
	ChatDeleted struct{ Chat wire.GroupID }
	// FriendChanged: a request came, was answered, or somebody connected.
	FriendChanged struct{ Person wire.PersonID }
	// FriendRemoved: a request was declined.
	FriendRemoved struct{ Person wire.PersonID }
	// StatusChanged: the node itself.
	StatusChanged struct{}
	// DeliveryChanged: own messages reached more members.
	DeliveryChanged struct{ Chat wire.GroupID }
	// Typed: somebody is writing in a chat, or is not any more.
	Typed struct {
		Chat   wire.GroupID
		Person wire.PersonID
		On     bool
	}
	// Reset: events were missed; everything is to be loaded anew.
	Reset struct{}
)

func (MessageChanged) change()  {}
func (ChatChanged) change()     {}
func (ChatDeleted) change()     {}
func (FriendChanged) change()   {}
func (FriendRemoved) change()   {}
func (StatusChanged) change()   {}
func (DeliveryChanged) change() {}
func (Typed) change()           {}
func (Reset) change()           {}

// What a client that was away can still catch up on: so many events, of so many
// bytes of content, and for a while twice as much. A first sync brings thousands of messages of up to 64 KiB.
const (
	keptEvents = 4096
	keptBytes  = 4 << 20
)

// manyRows is from how many messages of one step on each is told only if somebody
// watches: to find out how each looks takes a tenth of what it takes to take them in.
const manyRows = 64

// hub numbers events and hands them to subscribers.
type hub struct {
	run string // names this run of the node

	mu     sync.Mutex // guards all below; never held across a send
	last   uint64
	recent []Event
	size   int           // bytes of content in recent
	wake   chan struct{} // closed at the next event
}

func newHub() *hub {
	id := wire.Digest(wire.Random(32))
	return &hub{run: id.String()[:16], wake: make(chan struct{})}
}

func (h *hub) publish(c Happening) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.recent = append(h.recent, Event{h.last, c})
	h.size += contentSize(c)
	if len(h.recent) > 2*keptEvents || h.size > 2*keptBytes {
		h.trim()
	}
	close(h.wake)
	h.wake = make(chan struct{})
}

// forget says that something happened that is not told in events: whoever was away
// loads everything anew.
func (h *hub) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.recent, h.size = nil, 0
	close(h.wake)
	h.wake = make(chan struct{})
}

// trim forgets the oldest events. h.mu is held.
func (h *hub) trim() {
	first := max(0, len(h.recent)-keptEvents)
	for i, e := range h.recent {
		if i >= first && h.size <= keptBytes {
			break
		}
		h.size -= contentSize(e.Change)
		first = max(first, i+1)
	}
	h.recent = append([]Event(nil), h.recent[first:]...)
}

func contentSize(c Happening) int {
	if m, ok := c.(MessageChanged); ok {
		return len(m.Message.Content.Body)
	}
	return 0
}

// newest returns the number of the newest event.
func (h *hub) newest() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// since returns the events after seq, and what is closed at the next one; ok is
// false if some of them are forgotten.
func (h *hub) since(seq uint64) (list []Event, next <-chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first := h.last - uint64(len(h.recent)) // events after this one are kept
	if seq > h.last || seq < first {
		return nil, h.wake, false
	}
	return append([]Event(nil), h.recent[seq-first:]...), h.wake, true
}

// Run names this run of the node: sequence numbers of another run mean nothing.
func (n *Node) EventRun() string { return n.hub.run }

// Subscribe calls each for every event after seq of run, in order, until ctx
// ends, the node stops or each fails. A run that is not this one, or a seq that
// is too old, begins with Reset; run "" begins with what happens next.
func (n *Node) Subscribe(ctx context.Context, run string, seq uint64, each func(Event) error) error {
	defer n.watched()()
	h := n.hub
	last := h.newest()
	if run != h.run {
		seq = last
		if run != "" {
			if err := each(Event{last, Reset{}}); err != nil {
				return err
			}
		}
	}
	for {
		list, next, ok := h.since(seq)
		if !ok {
			h.mu.Lock()
			seq = h.last
			h.mu.Unlock()
			if err := each(Event{seq, Reset{}}); err != nil {
				return err
			}
			continue
		}
		for _, e := range list {
			if err := each(e); err != nil {
				return err
			}
			seq = e.Seq
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		case <-n.stopping:
			return fail(ReasonStopping, "")
		}
	}
}
