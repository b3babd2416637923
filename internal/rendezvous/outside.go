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
	by netip.Prefix // the network of the node
	at netip.Addr
}

const (
	// maxWords bounds the words that are kept.
	maxWords = 16
	// outsideWords is how many networks have to say the same: nodes that lie do so for
	// reasons of their own, and seldom together.
	outsideWords = 3
)

// said takes a word of the node at by.
func (o *outside) said(by, at netip.Addr) {
	if !at.IsValid() || !at.IsGlobalUnicast() || at.IsPrivate() || by.IsLoopback() {
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
	o.words = slices.DeleteFunc(o.words, func(w word) bool { return w.by == network && w.at.Is4() == at.Is4() })
	if o.words = append(o.words, word{network, at}); len(o.words) > maxWords {
		o.words = o.words[1:]
	}
}

// agreed returns the addresses that enough networks name and no other of the family more, IPv4
// first.
func (o *outside) agreed() (list []netip.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, four := range []bool{true, false} {
		count := make(map[netip.Addr]int)
		var best netip.Addr
		for _, w := range o.words {
			if w.at.Is4() != four {
				continue
			}
			count[w.at]++
			if count[w.at] >= max(count[best], outsideWords) { // the newer of two
				best = w.at
			}
		}
		if best.IsValid() {
			list = append(list, best)
		}
	}
	return list
}

// readSeen reads an address and a port as BEP 42 has them; the zero value if it is neither form.
func readSeen(b []byte) netip.Addr {
	if len(b) != 4+2 && len(b) != 16+2 || binary.BigEndian.Uint16(b[len(b)-2:]) == 0 {
		return netip.Addr{}
	}
	ip, _ := netip.AddrFromSlice(b[:len(b)-2])
	return ip.Unmap()
}

// Outside returns the addresses at which nodes of the DHT see this machine: of each family one at
// most, the newest that several networks agree on. The port that they see is that of the client's
// own socket.
func (c *Client) Outside() []netip.Addr { return c.outside.agreed() }
