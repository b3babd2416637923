package link

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/gologshim"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/x/rate"
	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/quic-go/quic-go"
)

// carrier holds the two transports of go-libp2p, used without its host and its
// swarm. So no identify, no ping and no address book exists that could tell a
// stranger something, and no dial backoff that would hide a healed cable.
type carrier struct {
	quic     transport.Transport
	tcp      transport.Transport
	up       transport.Upgrader // of TCP and WebSocket
	circuits transport.Upgrader // of what runs through relays
	identity *p2ptls.Identity
	proxy    func(*http.Request) (*url.URL, error)
	reuse    *quicreuse.ConnManager
	limits   network.ResourceManager

	admits func(context.Context, *quic.ClientInfo) (context.Context, error)
	reset  quic.StatelessResetKey
	token  quic.TokenGeneratorKey
	lent   []lent
}

// newCarrier makes the transports of one link key. Peers at addresses that
// allow refuses are dropped, on QUIC before any answer.
func newCarrier(key crypto.PrivKey, proxy string, many bool, allow func(netip.Addr) bool) (*carrier, error) {
	quiet()
	limits, err := newLimits(many)
	if err != nil {
		return nil, err
	}
	c := &carrier{limits: limits}
	if c.proxy, err = proxyAt(proxy); err != nil {
		c.Close()
		return nil, err
	}
	g := gater{allow}
	if err := c.addTCP(key, g); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.addQUIC(key, g); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *carrier) addTCP(key crypto.PrivKey, g gater) error {
	secure, err := newSecure(key)
	if err != nil {
		return err
	}
	c.identity = secure.identity
	upgrade := func(m muxer, g connmgr.ConnectionGater) (transport.Upgrader, error) {
		return upgrader.New([]sec.SecureTransport{secure}, []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: m}}, nil, c.limits, g)
	}
	if c.up, err = upgrade(newMuxer(streamWindow, tcpWriteLimit), g); err != nil {
		return err
	}
	if c.circuits, err = upgrade(newMuxer(circuitWindow, circuitWrite), nil); err != nil {
		return err
	}
	// With SO_REUSEPORT a second program could share our port unnoticed.
	c.tcp, err = tcp.NewTCPTransport(c.up, c.limits, nil, tcp.DisableReuseport())
	return err
}

func (c *carrier) addQUIC(key crypto.PrivKey, g gater) error {
	if err := derive(key, "kith link stateless reset", c.reset[:]); err != nil {
		return err
	}
	if err := derive(key, "kith link address token", c.token[:]); err != nil {
		return err
	}
	c.admits = c.admit(g)
	reuse, err := quicreuse.NewConnManager(c.reset, c.token,
		quicreuse.ConnContext(c.admits),
		quicreuse.VerifySourceAddress(c.limits.VerifySourceAddress))
	if err != nil {
		return err
	}
	c.reuse = reuse
	ours(reuse.ClientConfig())
	cert, err := timeless()
	if err != nil {
		return err
	}
	c.quic, err = libp2pquic.NewTransport(key, reuse, nil, g, c.limits, libp2pquic.WithTLSIdentityOption(cert))
	return err
}

// ours is what a connection is like that both sides make by this program. The idle
// limit of one is the smaller of both sides' (RFC 9000 section 10.1): with a
// program of before that dials it is 6 s, and 30 s with one that listens.
func ours(conf *quic.Config) {
	conf.MaxIdleTimeout = restIdle
	conf.KeepAlivePeriod = restIdle / 2
	conf.MaxStreamReceiveWindow = streamWindow
	conf.MaxConnectionReceiveWindow = streamWindow
	conf.EnableDatagrams = true // by which either side asks for a sign of life
	conf.Tracer = nil
}

var (
	errNotAllowed = errors.New("link: connections from this address are not allowed")
	errNoTLS      = errors.New("link: a connection without TLS state")
)

// admit puts an arriving QUIC connection under the limits before the handshake.
func (c *carrier) admit(g gater) func(context.Context, *quic.ClientInfo) (context.Context, error) {
	return func(ctx context.Context, from *quic.ClientInfo) (context.Context, error) {
		addr, err := quicreuse.ToQuicMultiaddr(from.RemoteAddr, quic.Version1)
		if err != nil {
			return ctx, err
		}
		if !g.allows(addr) {
			return ctx, errNotAllowed
		}
		scope, err := c.limits.OpenConnection(network.DirInbound, false, addr)
		if err != nil {
			return ctx, err
		}
		ctx = network.WithConnManagementScope(ctx, scope)
		context.AfterFunc(ctx, scope.Done)
		return ctx, nil
	}
}

// Close releases the sockets; every connection must have ended.
func (c *carrier) Close() {
	if c.reuse != nil {
		c.reuse.Close()
	}
	for _, l := range c.lent {
		l.Close()
		l.socket.Close()
	}
	c.limits.Close()
}

// derive fills out from the link key. Keys that outlive a start let a peer
// learn at once that we have restarted (RFC 9000 section 10.3).
func derive(key crypto.PrivKey, use string, out []byte) error {
	raw, err := key.Raw()
	if err != nil {
		return err
	}
	b, err := hkdf.Key(sha256.New, raw, nil, use, len(out))
	copy(out, b)
	return err
}

// newLimits bounds what all peers together, and one address, can take.
func newLimits(many bool) (network.ResourceManager, error) {
	var conns rcmgr.LimitVal = maxConns
	var memory rcmgr.LimitVal64 = maxMemory
	hostConns, rps := maxHostConns, float64(hostRate)
	if many {
		conns, memory, hostConns, rps = manyConns, manyMemory, manyHostConns, manyHostRate
	}
	var all rcmgr.PartialLimitConfig
	all.System = rcmgr.ResourceLimits{
		Conns: conns, ConnsInbound: conns, ConnsOutbound: conns,
		FD: conns, Memory: memory, Streams: conns, StreamsInbound: conns, StreamsOutbound: conns,
	}
	all.Transient = rcmgr.ResourceLimits{
		Conns: maxHandshakes, ConnsInbound: maxHandshakes, ConnsOutbound: maxHandshakes,
		FD: maxHandshakes, Memory: memory / 8,
	}
	all.PeerDefault = rcmgr.ResourceLimits{
		Conns: maxPeerRaw, ConnsInbound: maxPeerRaw, ConnsOutbound: maxPeerRaw,
		FD: maxPeerRaw, Memory: maxPeerConns * maxConnMemory,
	}
	all.Conn = rcmgr.ResourceLimits{Conns: 1, ConnsInbound: 1, ConnsOutbound: 1, FD: 1, Memory: maxConnMemory}
	limiter := rcmgr.NewFixedLimiter(all.Build(rcmgr.DefaultLimits.AutoScale()))

	loop4, loop6 := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")
	return rcmgr.NewResourceManager(limiter, rcmgr.WithMetricsDisabled(),
		rcmgr.WithNetworkPrefixLimit(
			[]rcmgr.NetworkPrefixLimit{{Network: loop4, ConnCount: math.MaxInt}},
			[]rcmgr.NetworkPrefixLimit{{Network: loop6, ConnCount: math.MaxInt}}),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: hostConns}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 64, ConnCount: hostConns}}),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loop4}, {Prefix: loop6}},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: rps, Burst: hostConns}}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 64, Limit: rate.Limit{RPS: rps, Burst: hostConns}}},
				GracePeriod:      firstStream,
			},
		}))
}

// gater drops connections by address; go-libp2p calls it.
type gater struct{ allow func(netip.Addr) bool }

func (g gater) allows(a multiaddr.Multiaddr) bool {
	ip, err := manet.ToIP(a)
	if err != nil {
		return false
	}
	addr, ok := netip.AddrFromSlice(ip)
	return ok && g.allow(addr.Unmap())
}

func (g gater) InterceptPeerDial(peer.ID) bool                          { return true }
func (g gater) InterceptAddrDial(_ peer.ID, a multiaddr.Multiaddr) bool { return g.allows(a) }

func (g gater) InterceptAccept(c network.ConnMultiaddrs) bool                   { return g.allows(c.RemoteMultiaddr()) }
func (g gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
func (g gater) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

// muxer is yamux that remembers the TLS state below it, which go-libp2p
// otherwise hides.
type muxer struct{ *yamux.Transport }

func newMuxer(window uint32, write time.Duration) muxer {
	conf := *yamux.DefaultTransport.Config()
	conf.KeepAliveInterval = restPulse
	conf.MeasureRTTInterval = tcpMeasure
	conf.ConnectionWriteTimeout = write
	conf.MaxStreamWindowSize = window
	conf.MaxIncomingStreams = 2 // one more than allowed, so that it is noticed
	conf.AcceptBacklog = 2
	return muxer{(*yamux.Transport)(&conf)}
}

func (m muxer) NewConn(nc net.Conn, server bool, scope network.PeerScope) (network.MuxedConn, error) {
	n := &counted{Conn: nc}
	c, err := m.Transport.NewConn(n, server, scope)
	if err != nil {
		return nil, err
	}
	return muxed{c, n}, nil
}

type muxed struct {
	network.MuxedConn
	below *counted
}

func (m muxed) As(target any) bool {
	if to, ok := target.(**counted); ok {
		*to = m.below
		return true
	}
	if to, ok := target.(**line); ok {
		if s, isTLS := m.below.Conn.(*secured); isTLS {
			*to, ok = s.NetConn().(*line)
			return ok
		}
		return false
	}
	if to, ok := target.(*tls.ConnectionState); ok {
		s, ok := m.below.Conn.(interface{ ConnectionState() tls.ConnectionState })
		if ok {
			*to = s.ConnectionState()
		}
		return ok
	}
	return m.MuxedConn.As(target)
}

// tlsState returns the TLS state of c, or ErrNotPostQuantum if it is not one
// we accept.
func tlsState(c transport.CapableConn) (tls.ConnectionState, error) {
	var s tls.ConnectionState
	var q *quic.Conn
	switch {
	case c.As(&q):
		s = q.ConnectionState().TLS
	case c.As(&s):
	default:
		return s, errNoTLS
	}
	if s.Version != tls.VersionTLS13 || s.CurveID != tls.X25519MLKEM768 {
		return s, ErrNotPostQuantum
	}
	return s, nil
}

// quiet keeps the log lines of go-libp2p and quic-go, which name addresses and
// keys, out of ours.
var quiet = sync.OnceFunc(func() {
	gologshim.SetDefaultHandler(slog.DiscardHandler)
	os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
})
