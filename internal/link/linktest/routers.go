package linktest

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"kith/internal/link"
)

// Routers stands between two Links on loopback as two routers do that let packets in only
// from where one has gone out to (port-restricted, RFC 3489 section 5). Each Link has a
// host there, at which the other finds it. A packet that does not come from the socket
// on which a Link listens would get another mapping, and is dropped.
type Routers struct {
	sides  [2]*side
	strays atomic.Int64
	wg     sync.WaitGroup
}

// A side is one Link, and how the other sees it.
type side struct {
	link   link.Address
	inside netip.AddrPort
	at     *net.UDPConn // the other side sends here
	spoke  atomic.Bool  // towards the other side
}

// NewRouters stands between a and b until the test ends.
func NewRouters(t testing.TB, a, b link.Address) *Routers {
	t.Helper()
	r := new(Routers)
	for i, l := range []link.Address{a, b} {
		inside, err := loopback(l)
		if err != nil {
			t.Fatal(err)
		}
		at, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		r.sides[i] = &side{link: l, inside: inside, at: at}
	}
	for i, s := range r.sides {
		r.wg.Go(func() { r.forward(s, r.sides[1-i]) })
	}
	t.Cleanup(func() {
		for _, s := range r.sides {
			s.at.Close()
		}
		r.wg.Wait()
	})
	return r
}

// Addresses are those at which b finds a, and a finds b.
func (r *Routers) Addresses() (a, b link.Address) {
	return r.sides[0].seen(), r.sides[1].seen()
}

func (s *side) seen() link.Address {
	at := s.at.LocalAddr().(*net.UDPAddr).AddrPort()
	return link.Address{Peer: s.link.Peer, Hosts: []string{"/ip4/127.0.0.1/udp/" + port(at) + "/quic-v1"}}
}

// Strays is how many packets came from sockets that do not listen.
func (r *Routers) Strays() int64 { return r.strays.Load() }

// forward takes what from sends to the other side.
func (r *Routers) forward(to, from *side) {
	b := make([]byte, 64<<10)
	for {
		n, source, err := to.at.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if source != from.inside {
			r.strays.Add(1)
			continue
		}
		from.spoke.Store(true)
		if to.spoke.Load() {
			from.at.WriteToUDPAddrPort(b[:n], to.inside)
		}
	}
}
