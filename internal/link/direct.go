package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	multistream "github.com/multiformats/go-multistream"
)

// DirectConfig says how NewDirect listens. Its zero value listens on any port
// of all interfaces with a random key.
type DirectConfig struct {
	// Listen is HOST:PORT; HOST is an IP address, "localhost", or empty for
	// all interfaces; port 0 is any. Empty: any port on all interfaces.
	Listen string
	// KeySeed is the seed of the link key (RFC 8032 section 5.1.5). Zero:
	// random. It is never the device key.
	KeySeed [32]byte
	// LAN keeps the Link on the local network: it dials and accepts only private
	// addresses and those on the networks of this machine's interfaces, and
	// Kind says "lan". It uses no relay and no WebSocket.
	LAN bool
	// Allow is asked about the address of every arriving connection before it
	// is answered; false drops it. Nil allows all.
	Allow func(netip.Addr) bool
	// WebSocket is HOST:PORT to listen at for WebSocket in TLS, for who is behind a
	// network that lets out nothing but HTTPS; usually ":443". Empty: nowhere.
	WebSocket string
	// Proxy is the URL of the HTTP proxy by which WebSocket is dialled. Empty: none.
	Proxy string
	// Many is for a Link that many use who are not friends, as a mailbox is: it
	// takes ten times the connections, and more from one address.
	Many bool
	// Write sees every frame handed to Conn.Write, for tests of secrecy.
	Write func(frame []byte)
	// Log may be nil.
	Log *slog.Logger
}

// direct is a Direct over QUIC, TCP, WebSocket and relays.
type direct struct {
	cfg     DirectConfig
	log     *slog.Logger
	id      peer.ID
	carrier *carrier
	sockets listening
	web     *web // nil: none
	relay   relayServer
	changed chan struct{}
	ready   chan *conn    // opened by peers, for Accept
	arrive  chan struct{} // one token per connection without a stream
	closed  chan struct{}
	wg      sync.WaitGroup

	mu    sync.Mutex // guards the rest; never held across a link write
	conns map[*conn]struct{}
	also  []string       // where the router lets others in
	peers map[string]int // of conns, by the key of the other side
	shut  bool

	expected map[peer.ID][]chan struct{} // by Expect, closed when it comes
	keepers  []*keeper                   // of UseRelays, in its order
	turn     chan struct{}               // closed and made anew when the state of a keeper changes
}

// NewDirect listens on QUIC and TCP, at the same port, and on WebSocket.
func NewDirect(cfg DirectConfig) (Direct, error) {
	key, err := linkKey(cfg.KeySeed)
	if err != nil {
		return nil, fmt.Errorf("link: key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("link: key: %w", err)
	}
	d := &direct{
		cfg: cfg, id: id, log: cfg.Log,
		changed: make(chan struct{}, 1),
		ready:   make(chan *conn, acceptQueue),
		arrive:  make(chan struct{}, acceptQueue),
		closed:  make(chan struct{}),
		conns:   make(map[*conn]struct{}),
		peers:   make(map[string]int),
		turn:    make(chan struct{}),

		expected: make(map[peer.ID][]chan struct{}),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.carrier, err = newCarrier(key, cfg.Proxy, cfg.Many, d.allows); err != nil {
		return nil, fmt.Errorf("link: start: %w", err)
	}
	if d.sockets, err = listen(d.carrier, cfg.Listen, cfg.LAN); err != nil {
		d.carrier.Close()
		return nil, err
	}
	if err := d.listenWeb(cfg.WebSocket); err != nil {
		d.sockets.Close()
		d.carrier.Close()
		return nil, err
	}
	for _, l := range d.sockets.open {
		d.wg.Go(func() { d.accept(l) })
	}
	d.wg.Go(d.watch)
	return d, nil
}

// linkKey is the Ed25519 key of seed, or a random one.
func linkKey(seed [32]byte) (crypto.PrivKey, error) {
	if seed == [32]byte{} {
		rand.Read(seed[:])
	}
	return crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
}

// allows reports whether peers at ip may connect.
func (d *direct) allows(ip netip.Addr) bool {
	if d.cfg.LAN && !onLocalNet(ip) {
		return false
	}
	return d.cfg.Allow == nil || d.cfg.Allow(ip)
}

// accept serves one socket until it is closed.
func (d *direct) accept(l transport.Listener) {
	for {
		raw, err := l.Accept()
		if err != nil {
			select {
			case <-d.closed:
			default:
				d.log.Error("a listening socket has failed: start Kith again")
			}
			return
		}
		select {
		case d.arrive <- struct{}{}:
			d.wg.Go(func() {
				serve := d.welcome(raw)
				<-d.arrive
				serve()
			})
		default:
			raw.CloseWithError(network.ConnRateLimited)
		}
	}
}

// welcome waits for the one stream of an arriving connection. Until then, and
// to anyone who asks for another protocol, it says nothing. What it returns is to be
// called next, and serves a connection to our relay until its end.
func (d *direct) welcome(raw transport.CapableConn) (serve func()) {
	ctx, cancel := d.until(context.Background(), firstStream)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	known := []string{protocolID}
	if d.relay.on() {
		known = append(known, relayProtocol)
	}
	state, s, protocol, err := d.negotiate(raw, known...)
	var first relayFrame
	if err == nil && protocol == relayProtocol {
		first, err = readRelayFrame(s, kindReserve, kindCall, kindTake)
	}
	if err != nil || !stop() {
		d.log.Debug("arriving connection refused", "reason", reason(err))
		raw.Close()
		return func() {}
	}
	if protocol == relayProtocol {
		return func() { d.relay.serve(raw, s, first) }
	}
	d.deliver(raw, s, state)
	return func() {}
}

// negotiate accepts the one stream of raw, which is to speak one of the protocols.
func (d *direct) negotiate(raw transport.CapableConn, known ...string) (tls.ConnectionState, network.MuxedStream, string, error) {
	state, err := tlsState(raw)
	if err != nil {
		return state, nil, "", err
	}
	s, err := raw.AcceptStream()
	if err != nil {
		return state, nil, "", err
	}
	protocols := multistream.NewMultistreamMuxer[string]()
	for _, p := range known {
		protocols.AddHandler(p, nil)
	}
	protocol, _, err := protocols.Negotiate(s)
	return state, s, protocol, err
}

// deliver makes a Conn of an arriving connection, for Accept.
func (d *direct) deliver(raw transport.CapableConn, s network.MuxedStream, state tls.ConnectionState) {
	c, err := d.open(raw, s, state, false)
	if err != nil {
		d.log.Debug("arriving connection refused", "reason", reason(err))
		raw.Close()
		return
	}
	select {
	case d.ready <- c:
	default:
		c.Close()
	}
}

func (d *direct) Accept(ctx context.Context) (Conn, error) {
	select {
	case c := <-d.ready:
		return c, nil
	case <-d.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("link: accept: %w", ctx.Err())
	}
}

func (d *direct) Address() Address {
	relays := d.relayHosts()
	hosts := d.ownHosts()
	web := d.web.hosts()
	web = web[:min(len(web), 2)]
	hosts = hosts[:min(len(hosts), MaxHosts-len(relays)-len(web))]
	return Address{Peer: []byte(d.id), Hosts: slices.Concat(hosts, web, relays)}
}

func (d *direct) Changed() <-chan struct{} { return d.changed }

// watch tells Changed when the interfaces have new addresses.
func (d *direct) watch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d.wg.Go(func() {
		select {
		case <-d.closed:
			cancel()
		case <-ctx.Done():
		}
	})
	last := d.sockets.hosts()
	followNetwork(ctx, func() {
		now := d.sockets.hosts()
		if slices.Equal(now, last) {
			return
		}
		last = now
		d.tellChanged()
		d.stirRelays()
	})
}

// tellChanged has Changed yield.
func (d *direct) tellChanged() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

func (d *direct) Close() error {
	d.mu.Lock()
	if d.shut {
		d.mu.Unlock()
		d.wg.Wait()
		return nil
	}
	d.shut = true
	open := d.conns
	d.conns = nil
	d.mu.Unlock()

	close(d.closed)
	d.UseRelays(nil)
	d.relay.set(nil)
	d.web.Close()
	for c := range open {
		c.Close()
	}
	err := d.sockets.Close()
	d.wg.Wait()
	d.carrier.Close()
	if err != nil {
		return fmt.Errorf("link: close: %w", err)
	}
	return nil
}

// until returns ctx that also ends after limit and when the Link is closed.
func (d *direct) until(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-d.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

// add counts c among the open connections and starts its goroutines.
func (d *direct) add(c *conn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return ErrClosed
	}
	if d.peers[string(c.remote.Peer)] >= maxPeerConns {
		return errManyConns
	}
	d.peers[string(c.remote.Peer)]++
	d.conns[c] = struct{}{}
	if !c.dialed && c.kind == "quic" {
		d.arrived(peer.ID(c.remote.Peer))
	}
	d.wg.Go(c.receive)
	d.wg.Go(c.guard)
	d.wg.Go(c.beat)
	d.wg.Go(c.part)
	return nil
}

// remove forgets c.
func (d *direct) remove(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
	if p := string(c.remote.Peer); d.peers[p] > 1 {
		d.peers[p]--
	} else {
		delete(d.peers, p)
	}
}

var errManyConns = errors.New("link: too many connections with this key")

// reason is what the log says of err: never the text of a peer or an address.
func reason(err error) string {
	if errors.Is(err, ErrNotPostQuantum) {
		return "not post-quantum"
	}
	return "no stream of ours"
}
