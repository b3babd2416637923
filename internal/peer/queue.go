package peer

import (
	"slices"
	"sync"
)

// A queue holds what waits to be sent on one session and cuts it into frames. A
// message of one fragment goes before the next fragment of a longer one, but
// after shortRun of them a longer one gets its turn; two longer ones take turns.
type queue struct {
	mu     sync.Mutex // guards the rest
	short  []Message
	long   []Message
	active [maxStreams]outgoing
	turn   int           // the stream to serve next
	run    int           // short ones since a long one was served
	size   int           // bytes queued or under way, queueCost included
	wake   chan struct{} // has a value when there may be something to send
	waits  []waiter
}

// outgoing is a long message under way; the zero value is a free stream.
type outgoing struct {
	m    Message
	sent int
}

// A waiter waits until at most so many bytes are queued or under way.
type waiter struct {
	most int
	done chan struct{}
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put queues m unless the queue would hold more than maxQueue. A message that
// meets an empty queue always fits.
func (q *queue) put(m Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	cost := len(m.Payload) + queueCost
	if q.size > 0 && q.size+cost > maxQueue {
		return false
	}
	q.size += cost
	if len(m.Payload) <= fragmentSize {
		q.short = append(q.short, m)
	} else {
		q.long = append(q.long, m)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// next returns the next frame, what it frees once it is sent, and whether it is
// the last of its message; a nil frame if there is none.
func (q *queue) next() (frame []byte, cost int, last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.start()
	stream, busy := q.pick()
	if len(q.short) > 0 && (!busy || q.run < shortRun) {
		q.run++
		m := q.short[0]
		q.short[0] = Message{}
		q.short = q.short[1:]
		f := fragment{flags: flagFirst | flagLast, channel: m.Channel, payload: m.Payload}
		return f.bytes(), len(m.Payload) + queueCost, true
	}
	if !busy {
		return nil, 0, false
	}
	q.run, q.turn = 0, (stream+1)%maxStreams
	return q.cut(stream)
}

// start gives each free stream a message.
func (q *queue) start() {
	for i := range q.active {
		if q.active[i].m.Payload == nil && len(q.long) > 0 {
			q.active[i] = outgoing{m: q.long[0]}
			q.long[0] = Message{}
			q.long = q.long[1:]
		}
	}
}

// pick returns the busy stream whose turn it is.
func (q *queue) pick() (stream int, busy bool) {
	for i := range q.active {
		stream = (q.turn + i) % maxStreams
		if q.active[stream].m.Payload != nil {
			return stream, true
		}
	}
	return 0, false
}

// cut returns the next frame of a busy stream.
func (q *queue) cut(stream int) (frame []byte, cost int, last bool) {
	o := &q.active[stream]
	f := fragment{stream: uint8(stream + 1), channel: o.m.Channel}
	if o.sent == 0 {
		f.flags |= flagFirst
	}
	f.payload = o.m.Payload[o.sent:]
	if len(f.payload) > fragmentSize {
		f.payload = f.payload[:fragmentSize]
	}
	o.sent += len(f.payload)
	cost = len(f.payload)
	if o.sent == len(o.m.Payload) {
		f.flags |= flagLast
		cost += queueCost
		*o = outgoing{}
	}
	return f.bytes(), cost, f.last()
}

// sent frees what a frame took, once the link has it.
func (q *queue) sent(cost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.size -= cost
	q.waits = slices.DeleteFunc(q.waits, func(w waiter) bool {
		if q.size <= w.most {
			close(w.done)
		}
		return q.size <= w.most
	})
}

// downTo returns a channel that is closed once at most so many bytes wait.
func (q *queue) downTo(most int) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := make(chan struct{})
	if q.size <= most {
		close(c)
	} else {
		q.waits = append(q.waits, waiter{most, c})
	}
	return c
}

func (q *queue) bytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.size
}
