package link

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
)

// conn is a Conn over whatever go-libp2p makes a connection of.
//
// Four goroutines serve it: receive reads frames, guard waits for the end of
// the transport, beat for a peer that is silent, part takes leave. Close lets receive run on until the peer has taken our last
// frames and closes in turn, or farewell is over.
type conn struct {
	link    *direct
	raw     transport.CapableConn
	stream  network.MuxedStream
	binding [32]byte
	remote  Address
	kind    string
	dialed  bool
	pulse   *pulse

	frames  chan []byte   // from receive, which closes it after setting cause
	cause   error         // why receive ended
	turn    chan struct{} // holds a token while somebody writes
	ended   chan struct{} // closed by receive at its end
	closing chan struct{} // closed by Close
	done    chan struct{} // closed once the connection is dead
	onClose sync.Once
	onDone  sync.Once
}

// open makes a conn of a negotiated stream and starts serving it.
func (d *direct) open(raw transport.CapableConn, s network.MuxedStream, state tls.ConnectionState, dialed bool) (*conn, error) {
	key, err := state.ExportKeyingMaterial(bindingLabel, nil, 32)
	if err != nil {
		return nil, fmt.Errorf("link: binding: %w", err)
	}
	c := &conn{
		link: d, raw: raw, stream: s, dialed: dialed,
		pulse:   newPulse(raw, dialed, d.wg.Go),
		binding: [32]byte(key),
		remote:  Address{Peer: []byte(raw.RemotePeer())},
		kind:    "tcp",
		frames:  make(chan []byte),
		turn:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	if h, ok := hostAt(raw); ok {
		c.remote.Hosts = []string{h.String()}
		c.kind = h.kind()
	}
	if d.cfg.LAN {
		c.kind = "lan"
	}
	if err := d.add(c); err != nil {
		return nil, err
	}
	return c, nil
}

// receive hands frames to Read until the stream ends.
func (c *conn) receive() {
	r := bufio.NewReader(c.stream)
	for {
		frame, err := readFrame(r)
		if err != nil {
			c.cause = err
			break
		}
		select {
		case c.frames <- frame:
		case <-c.closing: // nobody reads any more
		}
	}
	close(c.frames)
	c.end()
	close(c.ended)
}

// guard waits for the transport to end and refuses further streams.
func (c *conn) guard() {
	if s, err := c.raw.AcceptStream(); err == nil {
		s.Reset()
		c.link.log.Debug("connection ended: the peer opened a second stream")
	}
	c.end()
}

// beat ends the connection once its peer is silent.
func (c *conn) beat() {
	if c.pulse.run(c.done) {
		c.link.log.Debug("connection ended: the peer is silent")
		c.end()
	}
}

// end makes the connection dead at once.
func (c *conn) end() {
	c.onDone.Do(func() { close(c.done) })
	c.raw.Close()
}

func (c *conn) Read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("link: read: %w", err)
	}
	select {
	case <-c.closing:
		return nil, ErrClosed
	default:
	}
	select {
	case frame, ok := <-c.frames:
		if !ok && errors.Is(c.cause, ErrFrameTooLong) {
			return nil, fmt.Errorf("%w: %w", ErrClosed, c.cause)
		}
		if !ok {
			return nil, ErrClosed
		}
		return frame, nil
	case <-c.closing:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("link: read: %w", ctx.Err())
	}
}

func (c *conn) Write(ctx context.Context, frame []byte) error {
	if len(frame) > MaxFrame {
		return ErrFrameTooLong
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("link: write: %w", err)
	}
	if c.link.cfg.Write != nil {
		c.link.cfg.Write(frame)
	}
	select {
	case c.turn <- struct{}{}:
	case <-c.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("link: write: %w", ctx.Err())
	}
	defer func() { <-c.turn }()
	select {
	case <-c.done:
		return ErrClosed
	default:
	}
	return c.send(ctx, appendFrame(make([]byte, 0, frameHeader+len(frame)), frame))
}

// send writes b, which holds one frame, while this goroutine has the turn.
func (c *conn) send(ctx context.Context, b []byte) error {
	release := interrupt(ctx, c.stream.SetWriteDeadline)
	n, err := c.stream.Write(b)
	release()
	if n > 0 {
		c.pulse.wrote()
	}
	if err == nil {
		return nil
	}
	if n > 0 {
		c.end() // the peer could not tell where the next frame begins
	}
	if ctx.Err() != nil {
		return fmt.Errorf("link: write: %w", ctx.Err())
	}
	if n == 0 {
		select {
		case <-c.closing: // Close interrupted us; earlier frames may still go
		default:
			c.end()
		}
	}
	return ErrClosed
}

// interrupt makes deadline pass when ctx ends. The function returned restores
// it and must be called.
func interrupt(ctx context.Context, deadline func(time.Time) error) func() {
	passed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		deadline(time.Unix(1, 0))
		close(passed)
	})
	return func() {
		if !stop() {
			<-passed
			deadline(time.Time{})
		}
	}
}

func (c *conn) Binding() [32]byte     { return c.binding }
func (c *conn) Remote() Address       { return c.remote }
func (c *conn) Kind() string          { return c.kind }
func (c *conn) Dialed() bool          { return c.dialed }
func (c *conn) Done() <-chan struct{} { return c.done }
func (c *conn) Alert(on bool)         { c.pulse.set(on) }

func (c *conn) Close() error {
	c.onClose.Do(func() {
		close(c.closing)
		c.onDone.Do(func() { close(c.done) })
	})
	return nil
}

// part waits for either side to close. It is the last user of the connection.
func (c *conn) part() {
	select {
	case <-c.closing:
		c.sayFarewell()
	case <-c.ended:
	}
	c.raw.Close()
	c.link.remove(c)
}

// sayFarewell tells the peer that no frame follows and waits until it closes.
func (c *conn) sayFarewell() {
	late := time.AfterFunc(farewell, func() { c.raw.Close() })
	defer late.Stop()
	c.stream.SetWriteDeadline(time.Unix(1, 0)) // whoever writes stops
	c.turn <- struct{}{}
	c.stream.SetWriteDeadline(time.Time{})
	if err := c.stream.CloseWrite(); err != nil {
		c.raw.Close()
	}
	<-c.ended
}
