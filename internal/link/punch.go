package link

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/quic-go/quic-go"
)

func (d *direct) Punch(ctx context.Context, to Address) (Conn, error) {
	id, hosts, err := d.target(to)
	if err != nil {
		return nil, err
	}
	hosts = slices.DeleteFunc(hosts, func(h host) bool { return h.relayed() || h.over != overQUIC })
	if len(hosts) == 0 {
		return nil, ErrNoHost
	}
	return d.dial(ctx, id, hosts, punchLimit, 0)
}

func (d *direct) Expect(ctx context.Context, from Address) error {
	id, hosts, err := d.target(from)
	if err != nil {
		return err
	}
	hosts = slices.DeleteFunc(hosts, func(h host) bool { return h.relayed() || h.over != overQUIC })
	if len(hosts) == 0 {
		return ErrNoHost
	}
	if err := d.enter(); err != nil {
		return err
	}
	defer d.wg.Done()
	came, forget := d.expect(id)
	defer forget()
	within, cancel := d.until(ctx, punchLimit)
	defer cancel()
	for wait := punchFirst; ; wait = min(2*wait, punchLast) {
		for _, h := range hosts {
			d.carrier.knock(h) // a host that cannot be sent to is not the one
		}
		late := time.NewTimer(wait)
		select {
		case <-late.C:
			continue
		case <-came:
			late.Stop()
			return nil
		case <-within.Done():
			late.Stop()
		}
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("link: expect: %w", ctx.Err())
		case d.isShut():
			return ErrClosed
		}
		return ErrUnreachable
	}
}

// expect returns a channel that is closed once a connection that id has dialled is
// there. What it returns besides must be called.
func (d *direct) expect(id peer.ID) (came chan struct{}, forget func()) {
	came = make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expected[id] = append(d.expected[id], came)
	return came, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		left := slices.DeleteFunc(d.expected[id], func(c chan struct{}) bool { return c == came })
		if d.expected[id] = left; len(left) == 0 {
			delete(d.expected, id)
		}
	}
}

// arrived tells who expects id, whose connection over QUIC has come. The caller holds mu.
func (d *direct) arrived(id peer.ID) {
	for _, c := range d.expected[id] {
		close(c)
	}
	delete(d.expected, id)
}

// knock sends a packet of chance to h from the socket that listens, so that the
// router of this side lets answers from there in.
func (c *carrier) knock(h host) error {
	to := net.UDPAddrFromAddrPort(h.at)
	family := "udp4"
	if h.at.Addr().Is6() {
		family = "udp6"
	}
	t, err := c.reuse.TransportWithAssociationForDial(c.quic, family, to)
	if err != nil {
		return err
	}
	defer t.DecreaseCount()
	packet := make([]byte, punchSize)
	rand.Read(packet)
	packet[0] &= 0x3f // not QUIC (RFC 9443)
	_, err = t.WriteTo(packet, to)
	return err
}

func (d *direct) Probe(ctx context.Context, to Address) ([]string, error) {
	id, hosts, err := d.target(to)
	if err != nil {
		return nil, err
	}
	hosts = slices.DeleteFunc(hosts, host.relayed)
	if len(hosts) == 0 {
		return nil, ErrNoHost
	}
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.wg.Done()
	within, cancel := d.until(ctx, punchLimit)
	defer cancel()
	open := make([]bool, len(hosts))
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { open[i] = d.answers(within, id, h) == nil })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("link: probe: %w", err)
	}
	var found []string
	for i, h := range hosts {
		if open[i] {
			found = append(found, h.String())
		}
	}
	return found, nil
}

// answers is nil if id answers at h a socket that is used for nothing else.
func (d *direct) answers(ctx context.Context, id peer.ID, h host) error {
	if h.over == overQUIC {
		return d.carrier.probe(ctx, id, h)
	}
	a := d.try(ctx, id, h) // each TCP connection has a port of its own
	if a.err != nil {
		return a.err
	}
	defer a.raw.Close()
	_, err := tlsState(a.raw)
	return err
}

// probe shakes hands over QUIC from a new socket.
func (c *carrier) probe(ctx context.Context, id peer.ID, h host) error {
	socket, err := net.ListenUDP("udp", nil)
	if err != nil {
		return err
	}
	defer socket.Close()
	t := &quic.Transport{Conn: socket}
	defer t.Close()
	conf, keys := c.identity.ConfigForPeer(id)
	q, err := t.Dial(ctx, net.UDPAddrFromAddrPort(h.at), conf, &quic.Config{Versions: []quic.Version{quic.Version1}})
	if err != nil {
		return err
	}
	defer q.CloseWithError(0, "")
	var key crypto.PubKey
	select {
	case key = <-keys:
	default:
	}
	switch {
	case key == nil || !id.MatchesPublicKey(key):
		return errNoKey
	case q.ConnectionState().TLS.CurveID != tls.X25519MLKEM768:
		return ErrNotPostQuantum
	}
	return nil
}
