package linktest

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kith/internal/link"
)

// Proxy is a cable on loopback: it forwards UDP and TCP to a target, and while
// it is cut not one byte passes, in either direction, on old connections and
// new. UDP sent meanwhile is lost; TCP waits, as a network stack would resend.
type Proxy struct {
	target netip.AddrPort
	at     netip.AddrPort
	tcp    *net.TCPListener
	udp    *net.UDPConn
	wg     sync.WaitGroup
	passed atomic.Int64
	forget atomic.Bool // the flows, with the next packet

	mu     sync.Mutex    // guards the rest but flows; never held across a write to a socket
	whole  chan struct{} // closed while not cut
	isCut  bool
	closed bool
	open   map[interface{ Close() error }]struct{}
	flows  map[netip.AddrPort]*net.UDPConn // by the client's address; of forwardUDP alone
}

// NewProxy forwards to the port of to on loopback until the test ends.
func NewProxy(t testing.TB, to link.Address) *Proxy {
	t.Helper()
	target, err := loopback(to)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		target: target, whole: make(chan struct{}),
		open:  make(map[interface{ Close() error }]struct{}),
		flows: make(map[netip.AddrPort]*net.UDPConn),
	}
	close(p.whole)
	if err := p.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	p.wg.Go(p.acceptTCP)
	p.wg.Go(p.forwardUDP)
	return p
}

// loopback is the first host of a on 127.0.0.1.
func loopback(a link.Address) (netip.AddrPort, error) {
	for _, h := range a.Hosts {
		part := strings.Split(h, "/")
		if len(part) < 5 || part[2] != "127.0.0.1" {
			continue
		}
		return netip.ParseAddrPort(part[2] + ":" + part[4])
	}
	return netip.AddrPort{}, errors.New("linktest: the target does not listen on 127.0.0.1")
}

func port(at netip.AddrPort) string { return strconv.Itoa(int(at.Port())) }

// listen finds a port that is free for TCP and UDP.
func (p *Proxy) listen() error {
	for {
		l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return err
		}
		p.at = l.Addr().(*net.TCPAddr).AddrPort()
		u, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(p.at))
		if err == nil {
			p.tcp, p.udp = l, u
			return nil
		}
		l.Close()
	}
}

// Address is to with the proxy as its place; kind is "quic", "tcp" or empty for
// both.
func (p *Proxy) Address(to link.Address, kind string) link.Address {
	quic := "/ip4/127.0.0.1/udp/" + port(p.at) + "/quic-v1"
	tcp := "/ip4/127.0.0.1/tcp/" + port(p.at)
	to.Hosts = map[string][]string{"quic": {quic}, "tcp": {tcp}, "": {quic, tcp}}[kind]
	return to
}

// Cut stops everything.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isCut {
		p.isCut, p.whole = true, make(chan struct{})
	}
}

// Heal ends a Cut.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isCut {
		p.isCut = false
		close(p.whole)
	}
}

// Rebind has the target see UDP come from another port, as a router does that
// was started again: what it sends to the old one is lost.
func (p *Proxy) Rebind() { p.forget.Store(true) }

// Passed is how many bytes went through, both ways: UDP payloads, and what TCP carries.
func (p *Proxy) Passed() int64 { return p.passed.Load() }

// wait returns once the proxy is not cut.
func (p *Proxy) wait() {
	p.mu.Lock()
	whole := p.whole
	p.mu.Unlock()
	<-whole
}

func (p *Proxy) cut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.isCut
}

// keep counts c among what close closes; false if that is over.
func (p *Proxy) keep(c interface{ Close() error }) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return false
	}
	p.open[c] = struct{}{}
	return true
}

func (p *Proxy) close() {
	p.Heal()
	p.mu.Lock()
	p.closed = true
	p.tcp.Close()
	p.udp.Close()
	for c := range p.open {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *Proxy) acceptTCP() {
	for {
		c, err := p.tcp.AcceptTCP()
		if err != nil {
			return
		}
		if !p.keep(c) {
			return
		}
		p.wg.Go(func() { p.serveTCP(c) })
	}
}

func (p *Proxy) serveTCP(c *net.TCPConn) {
	p.wait()
	to, err := net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(p.target))
	if err != nil {
		c.Close()
		return
	}
	if !p.keep(to) {
		c.Close()
		return
	}
	p.wg.Go(func() { p.pump(to, c) })
	p.pump(c, to)
}

// pump copies from one connection to the other while the proxy is whole.
func (p *Proxy) pump(to, from *net.TCPConn) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		p.wait()
		if n > 0 {
			p.passed.Add(int64(n))
			if _, err := to.Write(b[:n]); err != nil {
				from.Close()
				return
			}
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// forwardUDP gives each client address a socket of its own to the target.
func (p *Proxy) forwardUDP() {
	b := make([]byte, 64<<10)
	for {
		n, from, err := p.udp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if p.cut() {
			continue
		}
		if p.forget.Swap(false) {
			for _, flow := range p.flows {
				flow.Close()
			}
			clear(p.flows)
		}
		flow, ok := p.flows[from]
		if !ok {
			flow, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(p.target))
			if err != nil || !p.keep(flow) {
				return
			}
			p.flows[from] = flow
			p.wg.Go(func() { p.backUDP(flow, from) })
		}
		flow.Write(b[:n])
		p.passed.Add(int64(n))
	}
}

func (p *Proxy) backUDP(flow *net.UDPConn, to netip.AddrPort) {
	b := make([]byte, 64<<10)
	for {
		n, err := flow.Read(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && !p.cut() {
			p.udp.WriteToUDPAddrPort(b[:n], to)
			p.passed.Add(int64(n))
		}
	}
}
