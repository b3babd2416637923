package link

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-yamux/v5"
	"github.com/quic-go/quic-go"
)

// A pulse tells whether the peer of a connection is still there.
//
//	       Alert(true), or a Write
//	rest --------------------------> alert
//	     <--------------------------
//	       Alert(false), and something came since the last Write
//
// At rest the dialler of a QUIC connection asks each restPulse for a sign of life;
// on TCP the transport below does. Alert, either side asks each alertPulse; the
// transport of the peer answers whatever program that is of. When alertMissed times
// nothing at all has come in between, the connection is dead.
type pulse struct {
	came    func() uint64 // packets or bytes from the peer so far
	ask     func()        // for a sign of life; does not block
	alert   atomic.Bool   // as Alert was last called
	written atomic.Bool   // since something came
	mark    atomic.Uint64 // came at the last Write
	stir    chan struct{} // there is more to do than at rest
	asks    bool          // at rest
}

// newPulse makes the pulse of raw, which starts what takes time by spawn.
func newPulse(raw transport.CapableConn, dialed bool, spawn func(func())) *pulse {
	p := &pulse{stir: make(chan struct{}, 1), came: func() uint64 { return 0 }, ask: func() {}}
	var q *quic.Conn
	var s *yamux.Session
	var n *counted
	switch {
	case raw.As(&q):
		p.came = func() uint64 { return q.ConnectionStats().PacketsReceived }
		// It is acknowledged like all others and read by nobody. Who dials with a
		// program of before takes none, and notices within 6 s by itself.
		p.ask = func() { _ = q.SendDatagram([]byte{0}) }
		p.asks = dialed && q.ConnectionState().SupportsDatagrams.Remote
	case raw.As(&s) && raw.As(&n):
		p.came = n.came.Load
		p.ask = func() { spawn(func() { s.Ping() }) } // within twice tcpWriteLimit
	}
	return p
}

// wrote is called after each Write.
func (p *pulse) wrote() {
	p.mark.Store(p.came())
	if !p.written.Swap(true) {
		p.wake()
	}
}

func (p *pulse) set(alert bool) {
	if p.alert.Swap(alert) != alert && alert {
		p.wake()
	}
}

func (p *pulse) wake() {
	select {
	case p.stir <- struct{}{}:
	default:
	}
}

// run returns true once the peer is dead, false once done is closed.
func (p *pulse) run(done <-chan struct{}) bool {
	rest := time.NewTicker(restPulse)
	defer rest.Stop()
	if !p.asks {
		rest.Stop()
	}
	for {
		select {
		case <-p.stir:
		case <-rest.C:
			p.ask()
		case <-done:
			return false
		}
		if p.beAlert(done) {
			return true
		}
	}
}

// beAlert returns when the connection may rest, or must end: then it returns true.
func (p *pulse) beAlert(done <-chan struct{}) (dead bool) {
	look := time.NewTicker(alertPulse)
	defer look.Stop()
	last := p.came()
	if p.alert.Load() {
		p.ask()
	}
	for missed := 0; ; {
		select {
		case <-look.C:
		case <-done:
			return false
		}
		if now := p.came(); now != last {
			last, missed = now, 0
			p.answered()
			if !p.alert.Load() && !p.written.Load() {
				return false
			}
		} else if missed++; missed == alertMissed {
			return true
		}
		p.ask()
	}
}

// answered notes that something came, unless it did before the last Write.
func (p *pulse) answered() {
	p.written.Store(false)
	if p.came() <= p.mark.Load() { // also when a Write was made meanwhile
		p.written.Store(true)
	}
}

// counted counts what arrives on a TCP connection, in bytes as yamux reads them.
type counted struct {
	net.Conn
	came atomic.Uint64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.came.Add(uint64(n))
	return n, err
}
