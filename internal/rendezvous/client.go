package rendezvous

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"kith/internal/wire"
)

// Config is read once by New. Its zero value works.
type Config struct {
	// Listen opens a socket; network is "udp4" or "udp6". Nil: any port of all
	// interfaces.
	Listen func(network string) (net.PacketConn, error)

	// Shared opens the socket at which others reach this program, that nodes may say at which
	// port its router shows it. It is tried before Listen, and again while it fails. Nil: there is none.
	Shared func(network string) (net.PacketConn, error)

	// Bootstrap are ways into the DHT, HOST:PORT each, asked when no node known before
	// answers. A HOST that is a name is resolved then. Nil: DefaultBootstrap; empty:
	// none.
	Bootstrap []string

	// Known are nodes remembered from an earlier run, or named by friends.
	Known []netip.AddrPort

	// Idle is after how long without use the sockets are closed; 0: 3 minutes.
	Idle time.Duration
}

// DefaultBootstrap are the ways in that programs of BitTorrent have. Each is asked by
// its name, so the name server learns that a DHT is used here.
var DefaultBootstrap = []string{
	"dht.libtorrent.org:25401",
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
}

// A Client publishes and finds records. It opens sockets when it is used, and closes
// them when it was not for a while. All methods may be called at once.
type Client struct {
	config  Config
	nodes   known
	outside outside
	ways    ways
	count   counters

	// Each takes a turn: a program with many friends has no more ways open at once.
	publishing, finding chan struct{}

	life   context.Context
	cancel context.CancelFunc

	mu     sync.Mutex // guards what follows
	socks  []*socket  // open ones
	users  int        // of the sockets
	timer  *time.Timer
	closed bool
	gone   sync.Cond // users became 0
}

// New returns a client that has done nothing yet.
func New(c Config) (*Client, error) {
	if c.Listen == nil {
		c.Listen = func(network string) (net.PacketConn, error) { return net.ListenPacket(network, ":0") }
	}
	if c.Bootstrap == nil {
		c.Bootstrap = DefaultBootstrap
	}
	if len(c.Bootstrap) > maxBootstrap {
		c.Bootstrap = c.Bootstrap[:maxBootstrap]
	}
	for _, s := range c.Bootstrap {
		if _, _, ok := splitWay(s); !ok {
			return nil, fmt.Errorf("%w: %q is not", ErrBootstrap, s)
		}
	}
	if c.Idle == 0 {
		c.Idle = idleAfter
	}
	out := &Client{config: c, ways: ways{list: c.Bootstrap}, publishing: make(chan struct{}, maxPublishing), finding: make(chan struct{}, maxFinding)}
	out.gone.L = &out.mu
	out.life, out.cancel = context.WithCancel(context.Background())
	out.nodes.add(c.Known)
	out.nodes.own = len(c.Known) > 0
	return out, nil
}

// Published says how well a record was put.
type Published struct {
	Nodes  int // that took it
	Places int // of Places, at which at least one node took it
}

// Publish puts r, which is signed for the secret, where its holders look in the slot
// of r.Made. Nodes forget it after 2 hours: publish anew each hour, when the slot
// changes, and when the hosts do, each time with a Made that is at least a second
// later; nodes refuse what is older than what they have. The error is ErrNoWayIn or
// ErrNotTaken if nobody has it.
func (c *Client) Publish(ctx context.Context, s Secret, r Record) (Published, error) {
	if r.Marshal() == nil || len(r.Peer) > MaxPeer || !r.Verify(s) {
		return Published{}, ErrUnsigned
	}
	if _, err := ParseRecord(r.Marshal()); err != nil {
		return Published{}, ErrUnsigned
	}
	ctx, socks, done, err := c.use(ctx, c.publishing)
	if err != nil {
		return Published{}, err
	}
	defer done()
	type outcome struct{ place, took, answers int }
	all := make(chan outcome, Places*len(socks))
	slot := s.Slot(r.Made)
	for i := range Places {
		p := s.place(slot, i)
		value := addText(nil, p.seal(&r))
		seq := p.seq(r.Made)
		item := put{key: p.public(), seq: seq, signature: p.sign(seq, value), value: value}
		for _, sock := range socks {
			l := &lookup{client: c, sock: sock, place: p, secret: s, self: freshID(), wide: c.nodes.hasItem(p.target())}
			go func() {
				near := l.run(ctx)
				all <- outcome{i, l.put(ctx, near, item), l.heard}
			}()
		}
	}
	var out Published
	var places [Places]bool
	answers := 0
	for range Places * len(socks) { // also waits for them
		o := <-all
		out.Nodes += o.took
		answers += o.answers
		places[o.place] = places[o.place] || o.took > 0
	}
	for i, took := range places {
		if took {
			c.nodes.gaveItem(s.place(slot, i).target())
			out.Places++
		}
	}
	switch {
	case out.Nodes > 0:
		return out, nil
	case c.life.Err() != nil:
		return out, ErrClosed
	case ctx.Err() != nil:
		return out, ctx.Err()
	case answers == 0:
		return out, ErrNoWayIn
	}
	return out, ErrNotTaken
}

// Find returns the newest record under the secret that it sees at the time now: the
// first valid one, and for a moment it looks whether there is a newer. want is the
// device whose record counts, zero for anybody's. The error is ErrNotFound or
// ErrNoWayIn.
func (c *Client) Find(ctx context.Context, s Secret, want wire.DeviceID, now time.Time) (Record, error) {
	outer := ctx
	ctx, socks, done, err := c.use(ctx, c.finding)
	if err != nil {
		return Record{}, err
	}
	defer done()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ms := uint64(now.UnixMilli())
	slots := s.Slots(ms)
	n := len(slots) * Places * len(socks)
	var newest newest
	first, sufficed := make(chan struct{}, 1), make(chan struct{})
	ended := make(chan int, n)
	for _, slot := range slots {
		for j := range Places {
			for _, sock := range socks {
				l := &lookup{client: c, sock: sock, place: s.place(slot, j), secret: s, self: freshID(), wide: slot >= slots[0]}
				l.found = func(r Record) {
					if (want == wire.DeviceID{} || r.Device() == want) && ms < r.Expiry+uint64(time.Hour/time.Millisecond) {
						newest.take(r)
						select {
						case first <- struct{}{}:
						default:
						}
					}
				}
				go func() {
					// Behind the slot of now there is nothing newer.
					if slot < slots[0] {
						select {
						case <-time.After(otherSlotAfter):
							l.run(ctx)
						case <-sufficed:
						case <-ctx.Done():
						}
					} else {
						l.run(ctx)
					}
					ended <- l.heard
				}()
			}
		}
	}
	answers := 0
	var enough <-chan time.Time
	for n > 0 {
		select {
		case <-first:
			if enough == nil {
				close(sufficed)
				enough = time.After(lookAround)
			}
		case <-enough:
			stop()
		case a := <-ended:
			n--
			answers += a
		}
	}
	switch {
	case newest.had:
		return newest.Record, nil
	case c.life.Err() != nil:
		return Record{}, ErrClosed
	case outer.Err() != nil:
		return Record{}, outer.Err()
	case answers == 0:
		return Record{}, ErrNoWayIn
	}
	return Record{}, ErrNotFound
}

// newest is the newest record that several lookups of one Find have seen.
type newest struct {
	sync.Mutex // guards the rest; not needed once the lookups have ended
	Record
	had bool
}

func (n *newest) take(r Record) {
	n.Lock()
	defer n.Unlock()
	if !n.had || r.Made > n.Made {
		n.Record, n.had = r, true
	}
}

// Add names nodes that may be asked: what friends' programs remember.
func (c *Client) Add(nodes []netip.AddrPort) { c.nodes.add(nodes) }

// Nodes returns the nodes that answered, the latest first, to be remembered over
// restarts. Near which ids they are tells where somebody has looked: friends are
// named a Sample.
func (c *Client) Nodes() []netip.AddrPort { return c.nodes.all() }

// Sample returns n of Nodes, drawn by chance, for a friend's Add.
func (c *Client) Sample(n int) []netip.AddrPort {
	all := c.nodes.all()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(max(n, 0), len(all))]
}

// Traffic is what a client sent and received, without the headers of IP and UDP.
type Traffic struct{ Sent, SentBytes, Received, ReceivedBytes uint64 }

// Traffic returns the sums since New.
func (c *Client) Traffic() Traffic {
	return Traffic{c.count.sent.Load(), c.count.sentBytes.Load(), c.count.received.Load(), c.count.receivedBytes.Load()}
}

// Close ends what is under way and waits for it.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.cancel()
	for c.users > 0 {
		c.gone.Wait()
	}
	c.mu.Unlock()
	c.rest()
	return nil
}

// Awake reports whether sockets are open.
func (c *Client) Awake() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.socks) > 0
}

// use waits for a turn and opens the sockets if they are not open. done is to be
// called once.
func (c *Client) use(ctx context.Context, turns chan struct{}) (_ context.Context, socks []*socket, done func(), err error) {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, nil, ctx.Err()
	case <-c.life.Done():
		return nil, nil, nil, ErrClosed
	}
	if socks, err = c.open(); err != nil {
		<-turns
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(c.life, cancel)
	return ctx, socks, func() {
		unhook()
		cancel()
		<-turns
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.users--; c.users == 0 {
			c.gone.Broadcast()
			if !c.closed {
				c.timer = time.AfterFunc(c.config.Idle, c.rest)
			}
		}
	}, nil
}

// open returns the sockets, for one more user.
func (c *Client) open() ([]*socket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.users == 0 {
		c.discard()
		c.share()
	}
	if len(c.socks) == 0 {
		var err error
		for _, network := range []string{"udp4", "udp6"} {
			s, bad := c.listen(network)
			if bad != nil {
				err = bad
				continue
			}
			c.socks = append(c.socks, s)
		}
		if len(c.socks) == 0 {
			return nil, fmt.Errorf("rendezvous: no socket: %w", err)
		}
	}
	c.users++
	return c.socks, nil
}

// listen opens the socket of a family: the one that is to be shared, or one of its own.
func (c *Client) listen(network string) (*socket, error) {
	if s := c.shared(network); s != nil {
		return s, nil
	}
	conn, err := c.config.Listen(network)
	if err != nil {
		return nil, err
	}
	return newSocket(conn, network == "udp6", false, &c.count), nil
}

// shared opens the socket that is to be shared; nil if there is none now.
func (c *Client) shared(network string) *socket {
	if c.config.Shared == nil {
		return nil
	}
	conn, err := c.config.Shared(network)
	if err != nil {
		return nil
	}
	return newSocket(conn, network == "udp6", true, &c.count)
}

// share puts sockets that can be shared by now in the place of others. c.mu is held and nobody uses
// them.
func (c *Client) share() {
	for i, s := range c.socks {
		if s.shared {
			continue
		}
		network := "udp4"
		if s.ip6 {
			network = "udp6"
		}
		if better := c.shared(network); better != nil {
			s.close()
			c.socks[i] = better
		}
	}
}

// discard closes sockets whose reader has ended by itself. c.mu is held and nobody
// uses them.
func (c *Client) discard() {
	for _, s := range c.socks {
		if s.failed.Load() {
			for _, s := range c.socks {
				s.close()
			}
			c.socks = nil
			return
		}
	}
}

// rest closes the sockets if nobody uses them.
func (c *Client) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users > 0 {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	for _, s := range c.socks {
		s.close()
	}
	c.socks = nil
}
