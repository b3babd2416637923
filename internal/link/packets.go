package link

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// ErrNoPackets: no socket can be shared. The Link listens on no network of that family, or
// at one address alone, or somebody shares it already.
var ErrNoPackets = errors.New("link: there is no socket to share")

// packetQueue is how many packets wait for whoever shares a socket; more are dropped, as a
// network does.
const packetQueue = 256

// A parted is the listening socket of one family. Beside QUIC, somebody else may use it: what
// they recognise is theirs, and all else QUIC's, which reads it as before.
type parted struct {
	*net.UDPConn
	batch *ipv4.PacketConn
	mu    sync.Mutex // guards other
	other *Packets   // nil: nobody
}

func newParted(socket *net.UDPConn) *parted {
	return &parted{UDPConn: socket, batch: ipv4.NewPacketConn(socket)}
}

// ReadBatch is by what quic-go reads where it can.
func (p *parted) ReadBatch(list []ipv4.Message, flags int) (int, error) {
	n, err := p.batch.ReadBatch(list, flags)
	for i := range list[:max(n, 0)] {
		p.part(list[i].Buffers[0][:list[i].N], list[i].Addr)
	}
	return n, err
}

// ReadFrom is by what it reads on Windows.
func (p *parted) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.UDPConn.ReadFrom(b)
	if err == nil {
		p.part(b[:n], from)
	}
	return n, from, err
}

// part takes a packet of somebody else's away from quic-go, which drops what is surely no QUIC
// (RFC 9443), as a zero is.
func (p *parted) part(packet []byte, from net.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.other == nil || len(packet) == 0 || !p.other.theirs(packet) {
		return
	}
	select {
	case p.other.in <- arrival{bytes.Clone(packet), from}:
	default:
	}
	packet[0] = 0
}

// share lends the socket to somebody, until they close what it returns or the socket is closed.
func (p *parted) share(write func([]byte, net.Addr) (int, error), theirs func([]byte) bool) (*Packets, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.other != nil {
		return nil, ErrNoPackets
	}
	p.other = &Packets{of: p, write: write, theirs: theirs, in: make(chan arrival, packetQueue), done: make(chan struct{})}
	return p.other, nil
}

// Close closes the socket; whoever shares it reads [net.ErrClosed].
func (p *parted) Close() error {
	p.mu.Lock()
	other := p.other
	p.mu.Unlock()
	if other != nil {
		other.Close()
	}
	return p.UDPConn.Close()
}

type arrival struct {
	packet []byte
	from   net.Addr
}

// Packets is a net.PacketConn of packets that are not QUIC, on the socket at which a Link
// listens. Deadlines do nothing.
type Packets struct {
	of     *parted
	write  func([]byte, net.Addr) (int, error)
	theirs func(packet []byte) bool
	in     chan arrival
	done   chan struct{}
	once   sync.Once
}

// ReadFrom implements net.PacketConn.
func (p *Packets) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case a := <-p.in:
		return copy(b, a.packet), a.from, nil
	case <-p.done:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (p *Packets) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-p.done:
		return 0, net.ErrClosed
	default:
		return p.write(b, to)
	}
}

// Close gives the socket back.
func (p *Packets) Close() error {
	p.once.Do(func() {
		p.of.mu.Lock()
		p.of.other = nil
		p.of.mu.Unlock()
		close(p.done)
	})
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *Packets) LocalAddr() net.Addr { return p.of.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (p *Packets) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (p *Packets) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (p *Packets) SetWriteDeadline(time.Time) error { return nil }

func (d *direct) Packets(network string, theirs func(packet []byte) bool) (net.PacketConn, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.wg.Done()
	for _, l := range d.carrier.lent {
		if l.family == network {
			return l.socket.share(l.WriteTo, theirs)
		}
	}
	return nil, ErrNoPackets
}
