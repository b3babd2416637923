package link

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
)

// MemNet is a network in memory. It starts no goroutine and asks no clock, so
// it works in a synctest bubble. Its zero value is an empty network.
type MemNet struct {
	mu    sync.Mutex // guards the rest; never held while a frame waits
	links map[string]*memLink
	cuts  map[memPair]bool
	pipes map[*memPipe]struct{}
}

// memPair is two names in order.
type memPair struct{ a, b string }

func pairOf(a, b string) memPair {
	if a > b {
		a, b = b, a
	}
	return memPair{a, b}
}

// NewMemNet returns an empty network.
func NewMemNet() *MemNet { return new(MemNet) }

// Cut separates a and b: connections between them end on both sides at once,
// what was under way is lost, and dialling fails until Heal.
func (n *MemNet) Cut(a, b string) {
	n.mu.Lock()
	if n.cuts == nil {
		n.cuts = make(map[memPair]bool)
	}
	n.cuts[pairOf(a, b)] = true
	var hit []*memPipe
	for p := range n.pipes {
		if p.names == pairOf(a, b) {
			hit = append(hit, p)
		}
	}
	n.mu.Unlock()
	for _, p := range hit {
		p.cut()
	}
}

// Heal ends a Cut.
func (n *MemNet) Heal(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.cuts, pairOf(a, b))
}

// add makes l reachable under its name.
func (n *MemNet) add(l *memLink) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.links == nil {
		n.links = make(map[string]*memLink)
		n.pipes = make(map[*memPipe]struct{})
	}
	n.links[l.name] = l
}

// remove forgets l and returns its connections.
func (n *MemNet) remove(l *memLink) []*memPipe {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.links[l.name] == l {
		delete(n.links, l.name)
	}
	var open []*memPipe
	for p := range n.pipes {
		if p.ends[0].link == l || p.ends[1].link == l {
			open = append(open, p)
		}
	}
	return open
}

// connect makes a pipe from l to the link called name, or returns nil.
func (n *MemNet) connect(l *memLink, name string) *memPipe {
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.links[name]
	if to == nil || n.links[l.name] != l || n.cuts[pairOf(l.name, name)] {
		return nil
	}
	p := newMemPipe(n, l, to)
	n.pipes[p] = struct{}{}
	return p
}

func (n *MemNet) forget(p *memPipe) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pipes, p)
}

// memLink is a Link on a MemNet.
type memLink struct {
	net     *MemNet
	name    string
	queue   chan *memConn
	changed chan struct{}
	closed  chan struct{}
	once    sync.Once
}

// NewMem returns the Link called name on net. A later one of the same name
// takes its place, as a device does that starts again.
func NewMem(net *MemNet, name string) Link {
	l := &memLink{
		net: net, name: name,
		queue:   make(chan *memConn, acceptQueue),
		changed: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	net.add(l)
	return l
}

func (l *memLink) Dial(ctx context.Context, to Address) (Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("link: dial: %w", err)
	}
	select {
	case <-l.closed:
		return nil, ErrClosed
	default:
	}
	if len(to.Hosts) == 0 {
		return nil, ErrNoHost
	}
	if string(to.Peer) == l.name {
		return nil, ErrSelf
	}
	p := l.net.connect(l, string(to.Peer))
	if p == nil {
		return nil, ErrUnreachable
	}
	select {
	case p.ends[1].link.queue <- &p.ends[1]:
		return &p.ends[0], nil
	case <-p.done:
		return nil, ErrUnreachable
	case <-ctx.Done():
		p.end()
		return nil, fmt.Errorf("link: dial: %w", ctx.Err())
	}
}

func (l *memLink) Accept(ctx context.Context) (Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("link: accept: %w", ctx.Err())
	}
}

func (l *memLink) Address() Address {
	return Address{Peer: []byte(l.name), Hosts: []string{"/unix/" + l.name}}
}

func (l *memLink) Changed() <-chan struct{} { return l.changed }

func (l *memLink) Close() error {
	l.once.Do(func() {
		close(l.closed)
		for _, p := range l.net.remove(l) {
			p.end()
		}
	})
	return nil
}

// memPipe is one connection; ends[0] dialled.
type memPipe struct {
	net     *MemNet
	names   memPair
	binding [32]byte
	ends    [2]memConn
	once    sync.Once
	done    chan struct{} // closed when the connection has ended
	lost    chan struct{} // closed before done if what was under way is lost
}

// memConn is one end of a memPipe.
type memConn struct {
	pipe   *memPipe
	link   *memLink
	peer   *memConn
	dialed bool
	in     chan []byte // frames to this end; never closed
}

func newMemPipe(n *MemNet, from, to *memLink) *memPipe {
	p := &memPipe{
		net: n, names: pairOf(from.name, to.name),
		done: make(chan struct{}), lost: make(chan struct{}),
	}
	rand.Read(p.binding[:]) // never fails (crypto/rand)
	p.ends[0] = memConn{pipe: p, link: from, peer: &p.ends[1], dialed: true, in: make(chan []byte, memQueue)}
	p.ends[1] = memConn{pipe: p, link: to, peer: &p.ends[0], in: make(chan []byte, memQueue)}
	return p
}

// end closes the pipe; frames under way can still be read.
func (p *memPipe) end() {
	p.once.Do(func() { close(p.done) })
	p.net.forget(p)
}

// cut closes the pipe and drops what is under way.
func (p *memPipe) cut() {
	p.once.Do(func() {
		close(p.lost)
		close(p.done)
	})
	p.net.forget(p)
}

func (c *memConn) Read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("link: read: %w", err)
	}
	select {
	case <-c.pipe.lost:
		return nil, ErrClosed
	default:
	}
	select {
	case f := <-c.in:
		return f, nil
	default:
	}
	select {
	case f := <-c.in:
		return f, nil
	case <-c.pipe.done:
		return c.last()
	case <-ctx.Done():
		return nil, fmt.Errorf("link: read: %w", ctx.Err())
	}
}

// last returns a frame that was under way when the pipe ended.
func (c *memConn) last() ([]byte, error) {
	select {
	case <-c.pipe.lost:
		return nil, ErrClosed
	default:
	}
	select {
	case f := <-c.in:
		return f, nil
	default:
		return nil, ErrClosed
	}
}

func (c *memConn) Write(ctx context.Context, frame []byte) error {
	if len(frame) > MaxFrame {
		return ErrFrameTooLong
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("link: write: %w", err)
	}
	select {
	case <-c.pipe.done:
		return ErrClosed
	default:
	}
	select {
	case c.peer.in <- append([]byte{}, frame...):
		return nil
	case <-c.pipe.done:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("link: write: %w", ctx.Err())
	}
}

func (c *memConn) Binding() [32]byte     { return c.pipe.binding }
func (c *memConn) Remote() Address       { return c.peer.link.Address() }
func (c *memConn) Kind() string          { return "mem" }
func (c *memConn) Dialed() bool          { return c.dialed }
func (c *memConn) Done() <-chan struct{} { return c.pipe.done }
func (c *memConn) Alert(bool)            {} // a cut ends it at once

func (c *memConn) Close() error {
	c.pipe.end()
	return nil
}
