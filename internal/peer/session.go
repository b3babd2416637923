package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"kith/internal/link"
	"kith/internal/wire"
)

// A Message is what one node says to another on one channel.
type Message struct {
	Channel [32]byte // a group id; zero is the node's own
	Payload []byte
}

// A Session is a connection on which both sides have proved their device. Knock,
// Ask and Accept make it; whoever has it calls Run once, or Close.
type Session struct {
	conn   link.Conn
	cfg    Config
	self   wire.Member
	remote wire.Member
	dialed bool

	queue    *queue
	messages chan Message // owned by Run, which closes it
	done     chan struct{}

	mu      sync.Mutex // guards reason and running
	reason  error      // why it ended; set once
	running bool

	counts counts
}

// Counters are totals of one session since it began.
type Counters struct {
	FramesIn, FramesOut     uint64
	BytesIn, BytesOut       uint64
	MessagesIn, MessagesOut uint64
	Queued                  int // bytes that wait to be sent
}

type counts struct {
	framesIn, framesOut, bytesIn, bytesOut, messagesIn, messagesOut atomic.Uint64
}

// newSession begins a session on a connection; secret is what the two devices
// have got by the handshake.
func newSession(conn link.Conn, cfg Config, remote wire.Member, dialed bool, secret [32]byte) (*Session, error) {
	over, err := newSealedConn(conn, secret, dialed)
	if err != nil {
		return nil, fmt.Errorf("peer: session: %w", err)
	}
	return &Session{
		conn: over, cfg: cfg, self: cfg.self(), remote: remote, dialed: dialed,
		queue:    newQueue(),
		messages: make(chan Message),
		done:     make(chan struct{}),
	}, nil
}

// As returns the own device that the session is of.
func (s *Session) As() wire.DeviceID { return s.self.Device }

// Run moves messages both ways until the session ends, and returns why. It
// closes Messages and the connection. What the peer sent before it closed is
// still delivered.
func (s *Session) Run(ctx context.Context) error {
	defer close(s.messages)
	defer s.conn.Close()
	if !s.begin() {
		return s.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var g sync.WaitGroup
	g.Go(func() { s.end(s.read(ctx)) })
	g.Go(func() {
		// A link that ended may still hold frames to read; the reader says when.
		if err := s.write(ctx); !errors.Is(err, link.ErrClosed) {
			s.end(err)
		}
	})
	select {
	case <-s.done:
	case <-ctx.Done():
		s.end(fmt.Errorf("peer: session: %w", ctx.Err()))
	}
	cancel()
	g.Wait()
	return s.Err()
}

// Messages yields what the peer says. Messages of at most 64 KiB come in the
// order in which they were sent, longer ones when they are complete. While
// nobody receives, nothing is read from the peer.
func (s *Session) Messages() <-chan Message { return s.messages }

// Send queues m and returns at once; the payload must not change afterwards. If
// the peer is so slow that the queue is full, the session ends with ErrSlow.
func (s *Session) Send(m Message) error {
	if len(m.Payload) > MaxMessage {
		return ErrMessageTooLong
	}
	select {
	case <-s.done:
		return s.Err()
	default:
	}
	if !s.queue.put(m) {
		s.end(ErrSlow)
		return ErrSlow
	}
	return nil
}

// Flush waits until the link has taken everything that was sent before: so a
// last message gets out before Close. Whatever is sent meanwhile is waited for
// too.
func (s *Session) Flush(ctx context.Context) error { return s.wait(ctx, 0) }

// Room waits until at most half of what a session queues waits to be sent. Who asks for room
// before each long answer never fills the queue.
func (s *Session) Room(ctx context.Context) error { return s.wait(ctx, maxQueue/2) }

// wait waits until the link has taken all but so many bytes.
func (s *Session) wait(ctx context.Context, most int) error {
	down := s.queue.downTo(most)
	select {
	case <-down:
		return nil
	default:
	}
	select {
	case <-down:
		return nil
	case <-s.done:
		return s.Err()
	case <-s.conn.Done():
		if err := s.Err(); err != nil {
			return err
		}
		return link.ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("peer: session: %w", ctx.Err())
	}
}

// Close ends the session; Run returns reason, or ErrEnded if it is nil. What is
// queued is not sent. Only the first reason counts.
func (s *Session) Close(reason error) {
	if reason == nil {
		reason = ErrEnded
	}
	s.end(reason)
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if !running { // else Run does
		s.conn.Close()
	}
}

// Punish counts a rule that the peer broke, in hundredths of a ban, and ends the
// session once it is banned.
func (s *Session) Punish(rule string, weight int) {
	s.cfg.log().Warn("peer broke a rule", "peer", short(s.remote.Device), "rule", rule, "weight", weight)
	if s.cfg.Bans.PunishDevice(s.remote.Device, rule, weight, s.cfg.now()) {
		s.end(&MisbehaviourError{rule, weight})
	}
}

// Remote is the device on the other side, proved.
func (s *Session) Remote() wire.Member { return s.remote }

// Dialed reports whether this side dialled.
func (s *Session) Dialed() bool { return s.dialed }

// Kind is the kind of link below, for people.
func (s *Session) Kind() string { return s.conn.Kind() }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// At is the link key of the other side and the host it was reached at or is seen from.
func (s *Session) At() link.Address { return s.conn.Remote() }

// Alert has a peer that is gone noticed sooner, see link.Conn.
func (s *Session) Alert(on bool) { s.conn.Alert(on) }

// LinkDone is closed when the connection below is known to be dead, also if Run
// was not called yet.
func (s *Session) LinkDone() <-chan struct{} { return s.conn.Done() }

// Err returns why the session ended, nil while it has not.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Counters returns what went through so far.
func (s *Session) Counters() Counters {
	return Counters{
		FramesIn: s.counts.framesIn.Load(), FramesOut: s.counts.framesOut.Load(),
		BytesIn: s.counts.bytesIn.Load(), BytesOut: s.counts.bytesOut.Load(),
		MessagesIn: s.counts.messagesIn.Load(), MessagesOut: s.counts.messagesOut.Load(),
		Queued: s.queue.bytes(),
	}
}

// Keep returns which of two sessions with one device stays when both were made
// at once: the one that the device with the smaller id dialled, so that both
// sides choose the same. If one device dialled both it has lost the earlier one:
// b, the later, stays.
func Keep(a, b *Session) *Session {
	x, y := a.dialler(), b.dialler()
	if bytes.Compare(x[:], y[:]) < 0 {
		return a
	}
	return b
}

func (s *Session) dialler() wire.DeviceID {
	if s.dialed {
		return s.self.Device
	}
	return s.remote.Device
}

// begin marks the session as run, unless it has ended.
func (s *Session) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		panic("peer: Run called twice")
	}
	s.running = true
	return s.reason == nil
}

// end notes the first reason.
func (s *Session) end(reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != nil {
		return
	}
	s.reason = reason
	close(s.done)
}

// read delivers messages until the link ends or the peer breaks a rule.
func (s *Session) read(ctx context.Context) error {
	var parts assembly
	share := bucket{rate: byteRate, burst: byteBurst}
	turns := bucket{rate: messageRate, burst: messageBurst}
	for {
		frame, err := s.conn.Read(ctx)
		if bad, ok := errors.AsType[*MisbehaviourError](err); ok {
			s.Punish(bad.Rule, bad.Weight)
			return bad
		}
		if err != nil {
			return fmt.Errorf("peer: session: %w", err)
		}
		s.counts.framesIn.Add(1)
		s.counts.bytesIn.Add(uint64(len(frame)))
		m, whole, err := parts.take(frame)
		if bad, ok := errors.AsType[*MisbehaviourError](err); ok {
			s.Punish(bad.Rule, bad.Weight)
			return bad
		}
		if err := share.take(ctx, len(frame)); err != nil {
			return err
		}
		if !whole {
			continue
		}
		if err := turns.take(ctx, 1); err != nil {
			return err
		}
		select {
		case s.messages <- m:
			s.counts.messagesIn.Add(1)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write sends what is queued until the link ends.
func (s *Session) write(ctx context.Context) error {
	for {
		frame, cost, last := s.queue.next()
		if frame == nil {
			select {
			case <-s.queue.wake:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := s.writeFrame(ctx, frame); err != nil {
			return err
		}
		s.queue.sent(cost)
		s.counts.framesOut.Add(1)
		s.counts.bytesOut.Add(uint64(len(frame)))
		if last {
			s.counts.messagesOut.Add(1)
		}
	}
}

func (s *Session) writeFrame(ctx context.Context, frame []byte) error {
	timed, cancel := context.WithTimeoutCause(ctx, writeStall, ErrSlow)
	defer cancel()
	if err := s.conn.Write(timed, frame); err != nil {
		if ctx.Err() == nil && timed.Err() != nil {
			return ErrSlow
		}
		return fmt.Errorf("peer: session: %w", err)
	}
	return nil
}

// short is a device id as logs name it.
func short(d wire.DeviceID) string { return d.String()[:8] }
