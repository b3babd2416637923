package rendezvous

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
)

// outside is where nodes of the DHT say that our packets come from (BEP 42). Each may
// lie, so that is believed which several of different networks say.
type outside struct {
	mu    sync.Mutex // guards words
	words []word     // one of each network, the newest last
}

type word struct {
	by netip.Prefix   // the network of the node
	at netip.AddrPort // port 0: of a socket of the client's own
}

const (
	// maxWords bounds the words that are kept.
	maxWords = 16
	// outsideWords is how many networks have to say the same: nodes that lie do so for
	// reasons of their own, and seldom together.
	outsideWords = 3
)

// said takes a word of the node at by.
func (o *outside) said(by netip.Addr, at netip.AddrPort) {
	if ip := at.Addr(); !ip.IsValid() || !ip.IsGlobalUnicast() || ip.IsPrivate() || by.IsLoopback() {
		return
	}
	bits := 24
	if by.Is6() {
		bits = 48
	}
	network, err := by.Prefix(bits)
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.words = slices.DeleteFunc(o.words, func(w word) bool { return w.by == network && w.at.Addr().Is4() == at.Addr().Is4() })
	if o.words = append(o.words, word{network, at}); len(o.words) > maxWords {
		o.words = o.words[1:]
	}
}

// agreed returns the addresses that enough networks name and no other of the family more, IPv4
// first, and of each the port for which the same holds; 0: they name several, or none.
func (o *outside) agreed() (list []netip.AddrPort) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, four := range []bool{true, false} {
		var ips []netip.Addr
		for _, w := range o.words {
			if w.at.Addr().Is4() == four {
				ips = append(ips, w.at.Addr())
			}
		}
		ip, ok := most(ips)
		if !ok {
			continue
		}
		var ports []uint16
		for _, w := range o.words {
			if w.at.Addr() == ip && w.at.Port() != 0 {
				ports = append(ports, w.at.Port())
			}
		}
		port, _ := most(ports)
		list = append(list, netip.AddrPortFrom(ip, port))
	}
	return list
}

// most returns what enough of a list say and nothing else more, of two the newer.
func most[T comparable](words []T) (best T, ok bool) {
	count := make(map[T]int)
	for _, w := range words {
		count[w]++
		if count[w] >= max(count[best], outsideWords) {
			best, ok = w, true
		}
	}
	return best, ok
}

// readSeen reads an address and a port as BEP 42 has them; the zero value if it is neither form.
func readSeen(b []byte) netip.AddrPort {
	if len(b) != 4+2 && len(b) != 16+2 {
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(b[:len(b)-2])
	port := binary.BigEndian.Uint16(b[len(b)-2:])
	if port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.Unmap(), port)
}

// Outside returns the places at which nodes of the DHT see this machine: of each family one at
// most, the newest that several networks agree on. The port is that of the socket of
// [Config].Shared, as its router shows it to all; 0 where it shows several, or nothing was shared.
func (c *Client) Outside() []netip.AddrPort { return c.outside.agreed() }
