package node

import (
	"net/netip"
	"slices"

	"kith/internal/wire"
)

// What two nodes tell each other of the ways between them, on a channel of its own
// (docs/spec/path.md). Programs from before it pass over what comes on a channel that they do
// not know. Numbers are on the wire: append only.
//
//	size field
//	1    1, seen: to who dialled this side
//	V    host from where this side sees it, 1 to 128 bytes
//
//	1    2, probe: to a friend; are these mine?
//	V    hosts, each V
//
//	1    3, probed
//	V    those of them that answered, each V
//
//	1    4, punch
//	1    step: 1 ask, 2 answer, 3 go
//	V    hosts from where packets of the sender's will come, each V; none with step 3
//
//	1    5, secret: to a friend
//	32   by which the friend finds the sender at the rendezvous
//
//	1    6, relay: to a friend; without hosts: not any more
//	V    link peer id, at most 64 bytes
//	V    hosts, each V
//	32   ticket
//
//	1    7, nodes: to a friend; nodes of the DHT that answered
//	V    of each: IPv6 address 16, or ::ffff:a.b.c.d; u16 port, not 0; at most 16
const (
	pathSeen   uint8 = 1
	pathProbe  uint8 = 2
	pathProbed uint8 = 3
	pathPunch  uint8 = 4
	pathSecret uint8 = 5
	pathRelay  uint8 = 6
	pathNodes  uint8 = 7
)

// Steps of a punch.
const (
	punchAsk    uint8 = 1
	punchAnswer uint8 = 2
	punchGo     uint8 = 3
)

// pathChannel is no group's: a group id is a hash.
var pathChannel = [32]byte{31: 1}

// A pathMessage is one of those below.
type pathMessage interface{ bytes() []byte }

type (
	seenFrom struct{ host string }
	probe    struct{ hosts []string }
	probed   struct{ hosts []string }
	punch    struct {
		step  uint8
		hosts []string
	}
	findSecret struct{ secret [32]byte }
	relayOffer struct {
		peer   []byte
		hosts  []string
		ticket [32]byte
	}
	dhtNodes []netip.AddrPort // at most maxPathNodes
)

// maxPathNodes bounds the nodes of the DHT that one friend names: enough to find the others from.
const maxPathNodes = 16

func (m seenFrom) bytes() []byte {
	var w wire.Writer
	w.U8(pathSeen)
	w.Vec([]byte(m.host))
	return w.Bytes()
}

func (m probe) bytes() []byte  { return hostsMessage([]byte{pathProbe}, m.hosts) }
func (m probed) bytes() []byte { return hostsMessage([]byte{pathProbed}, m.hosts) }
func (m punch) bytes() []byte  { return hostsMessage([]byte{pathPunch, m.step}, m.hosts) }

func (m findSecret) bytes() []byte { return append([]byte{pathSecret}, m.secret[:]...) }

func (m relayOffer) bytes() []byte {
	var w wire.Writer
	w.U8(pathRelay)
	w.Vec(m.peer)
	writeHosts(&w, m.hosts)
	w.Raw(m.ticket[:])
	return w.Bytes()
}

func (m dhtNodes) bytes() []byte {
	var w wire.Writer
	w.U8(pathNodes)
	w.Group(func(w *wire.Writer) {
		for _, at := range m {
			ip := at.Addr().As16()
			w.Raw(ip[:])
			w.U16(at.Port())
		}
	})
	return w.Bytes()
}

func readNodes(r *wire.Reader) (m dhtNodes) {
	r.Each(maxPathNodes*18, maxPathNodes, func(r *wire.Reader) {
		var ip [16]byte
		r.Fixed(ip[:])
		port := r.U16()
		if port == 0 {
			r.Fail(wire.ErrCanonical)
		}
		m = append(m, netip.AddrPortFrom(netip.AddrFrom16(ip).Unmap(), port))
	})
	return m
}

func hostsMessage(head []byte, hosts []string) []byte {
	var w wire.Writer
	w.Raw(head)
	writeHosts(&w, hosts)
	return w.Bytes()
}

func writeHosts(w *wire.Writer, hosts []string) {
	w.Group(func(w *wire.Writer) {
		for _, h := range hosts {
			w.Vec([]byte(h))
		}
	})
}

func readHosts(r *wire.Reader) (hosts []string) {
	r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) { hosts = append(hosts, readHost(r)) })
	return hosts
}

func readHost(r *wire.Reader) string {
	b := r.Vec(maxOwnHost)
	if len(b) == 0 || slices.ContainsFunc(b, func(c byte) bool { return c <= ' ' || c > '~' }) {
		r.Fail(wire.ErrCanonical)
	}
	return string(b)
}

// parsePath reads what a device says of the ways to it.
func parsePath(b []byte) (m pathMessage, err error) {
	r := wire.NewReader(b)
	switch r.U8() {
	case pathSeen:
		m = seenFrom{readHost(r)}
	case pathProbe:
		m = probe{readHosts(r)}
	case pathProbed:
		m = probed{readHosts(r)}
	case pathPunch:
		p := punch{step: r.U8()}
		p.hosts = readHosts(r)
		if p.step < punchAsk || p.step > punchGo || p.step == punchGo && len(p.hosts) > 0 {
			r.Fail(wire.ErrCanonical)
		}
		m = p
	case pathSecret:
		var f findSecret
		r.Fixed(f.secret[:])
		m = f
	case pathRelay:
		o := relayOffer{peer: slices.Clone(r.Vec(maxOwnPeer))}
		o.hosts = readHosts(r)
		r.Fixed(o.ticket[:])
		m = o
	case pathNodes:
		m = readNodes(r)
	default:
		if len(b) > 0 {
			return nil, nil // of a newer program
		}
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return m, nil
}
