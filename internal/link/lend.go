package link

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"

	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/x/rate"
	"github.com/quic-go/quic-go"
)

// A lent is a QUIC transport of ours that go-libp2p uses: one of its own would
// answer with an idle limit of 30 s and a sign of life each 15 s, and lets nobody
// change that.
type lent struct {
	*quic.Transport
	socket *parted
	family string // "udp4" or "udp6"
}

// Listen listens as a dialler of ours dials, and leaves it to the dialler to say
// that it is there: if both did, both would at the same moment, time after time.
func (l lent) Listen(tlsConf *tls.Config, conf *quic.Config) (quicreuse.QUICListener, error) {
	conf = conf.Clone()
	conf.MaxIdleTimeout, conf.KeepAlivePeriod = restIdle, 0
	return l.Transport.Listen(tlsConf, conf)
}

// lend opens a socket at every address of ip's family, which is the only kind that
// can be lent: at one address go-libp2p's own limits hold.
func (c *carrier) lend(ip netip.Addr, port uint16) error {
	family := "udp4"
	if ip.Is6() {
		family = "udp6"
	}
	socket, err := net.ListenUDP(family, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
	if err != nil {
		return err
	}
	shared := newParted(socket)
	l := lent{&quic.Transport{
		Conn: shared, StatelessResetKey: &c.reset, TokenGeneratorKey: &c.token,
		ConnContext: c.admits, VerifySourceAddress: c.verifies(),
	}, shared, family}
	if _, err := c.reuse.LendTransport(family, l, shared); err != nil {
		return errors.Join(err, socket.Close())
	}
	c.lent = append(c.lent, l)
	return nil
}

// verifies reports of an address whether it must prove that it can be reached:
// where it has dialled too often, and while all together do.
func (c *carrier) verifies() func(net.Addr) bool {
	all := rate.Limiter{GlobalLimit: rate.Limit{RPS: unprovedRate, Burst: unprovedRate}}
	return func(from net.Addr) bool {
		at, err := netip.ParseAddrPort(from.String())
		return err != nil || !all.Allow(at.Addr()) || c.limits.VerifySourceAddress(from)
	}
}
