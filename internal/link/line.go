package link

import (
	"context"
	"net"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/multiformats/go-multiaddr"
)

// A line is a stream of bytes that carries what TCP carries: a WebSocket, or a circuit
// through a relay.
type line struct {
	net.Conn
	host host // of the other side, as Conn.Remote tells it
}

func (l *line) LocalMultiaddr() multiaddr.Multiaddr  { return nowhere }
func (l *line) RemoteMultiaddr() multiaddr.Multiaddr { return l.host.multiaddr() }

// nowhere stands for the address of a circuit where addresses are counted: loopback is
// not, and the connection below a circuit is counted already.
var nowhere = multiaddr.StringCast("/ip4/127.0.0.1/tcp/1")

// circuitStream is the stream below a circuit; with it ends the connection to the relay.
type circuitStream struct {
	network.MuxedStream
	raw transport.CapableConn
}

func (c circuitStream) Close() error         { return c.raw.Close() }
func (c circuitStream) LocalAddr() net.Addr  { return circuitAddr{} }
func (c circuitStream) RemoteAddr() net.Addr { return circuitAddr{} }

type circuitAddr struct{}

func (circuitAddr) Network() string { return "circuit" }
func (circuitAddr) String() string  { return "circuit" }

// through makes the connection with who, or with anybody if that is empty, in the
// circuit that s has become. It closes raw when it fails.
func (d *direct) through(ctx context.Context, raw transport.CapableConn, s network.MuxedStream, h host, who peer.ID) (transport.CapableConn, error) {
	dir := network.DirOutbound
	if who == "" {
		dir = network.DirInbound
	}
	scope, err := d.carrier.limits.OpenConnection(dir, false, nowhere)
	if err != nil {
		raw.Close()
		return nil, err
	}
	d.wg.Go(func() { alone(raw) })
	return d.carrier.circuits.Upgrade(ctx, d.carrier.tcp, &line{circuitStream{s, raw}, h}, dir, who, scope)
}

// alone ends a connection when the other side opens one more stream, and returns
// once it has ended.
func alone(raw transport.CapableConn) {
	if s, err := raw.AcceptStream(); err == nil {
		s.Reset()
	}
	raw.Close()
}

// hostAt is the host of the other side of raw.
func hostAt(raw transport.CapableConn) (host, bool) {
	var l *line
	if raw.As(&l) {
		return l.host, true
	}
	return hostOf(raw.RemoteMultiaddr())
}
