package rendezvous

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// known remembers nodes between lookups: those that answered, and those somebody
// named. Neither list grows beyond its bound, and nodes that were only named never
// push out one that answered.
type known struct {
	mu    sync.Mutex   // guards both lists
	good  []remembered // the latest to answer last
	given []netip.AddrPort
	items map[nodeID]time.Time // places that nodes took a record for, and when
	own   bool                 // there are nodes that we learned of ourselves
	lost  map[bool]time.Time   // by whether it is IPv6: when nobody of a family answered
}

type remembered struct {
	node
	missed bool // did not answer when last asked
}

// add takes in addresses that somebody named.
func (k *known) add(addrs []netip.AddrPort) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range addrs {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if !callable(netip.AddrPortFrom(netip.IPv6Loopback(), 1), a) || slices.Contains(k.given, a) || k.at(a) >= 0 {
			continue
		}
		if k.given = append(k.given, a); len(k.given) > maxGiven {
			k.given = k.given[1:]
		}
	}
}

func (k *known) at(a netip.AddrPort) int {
	return slices.IndexFunc(k.good, func(n remembered) bool { return n.addr == a })
}

func (k *known) answered(n node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.at(n.addr); i >= 0 {
		k.good = slices.Delete(k.good, i, i+1)
	}
	k.given = slices.DeleteFunc(k.given, func(a netip.AddrPort) bool { return a == n.addr })
	if k.good = append(k.good, remembered{node: n}); len(k.good) > maxGood {
		k.good = k.good[1:]
	}
}

// silent forgets nodes that did not answer while others did: one that was only
// named at once, one that had answered before at the second time.
func (k *known) silent(addrs []netip.AddrPort) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range addrs {
		k.given = slices.DeleteFunc(k.given, func(x netip.AddrPort) bool { return x == a })
		i := k.at(a)
		if i < 0 {
			continue
		}
		n := k.good[i]
		k.good = slices.Delete(k.good, i, i+1)
		if !n.missed {
			n.missed = true
			k.good = slices.Insert(k.good, 0, n)
		}
	}
}

// seeds returns what a lookup begins with: the nearest nodes of those that answered,
// some of the rest, and nodes whose ids are not known, in any order.
func (k *known) seeds(target nodeID, ip6 bool) (good []node, given []netip.AddrPort) {
	good = k.family(ip6)
	k.mu.Lock()
	defer k.mu.Unlock()
	slices.SortFunc(good, func(a, b node) int {
		switch {
		case nearer(target, a.id, b.id):
			return -1
		case nearer(target, b.id, a.id):
			return 1
		}
		return 0
	})
	for _, a := range k.given {
		if a.Addr().Is6() == ip6 {
			given = append(given, a)
		}
	}
	rand.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
	if len(good) > seedNodes {
		rest := good[seedNodes/2:]
		rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		good = good[:seedNodes]
	}
	return good, given[:min(len(given), 2*seedNodes)]
}

// family returns the nodes of one family that answered.
func (k *known) family(ip6 bool) (out []node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.good {
		if n.addr.Addr().Is6() == ip6 {
			out = append(out, n.node)
		}
	}
	return out
}

// unheard notes that nobody of a family answered.
func (k *known) unheard(ip6 bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lost == nil {
		k.lost = map[bool]time.Time{}
	}
	k.lost[ip6] = time.Now()
}

// strange reports whether nobody of a family is known, and somebody of the other is. A
// machine may have sockets for a family that its network does not carry: hopeless says
// whether it was tried lately, and nobody answered.
func (k *known) strange(ip6 bool) (strange, hopeless bool) {
	ours, others := len(k.family(ip6)) > 0, len(k.family(!ip6)) > 0
	k.mu.Lock()
	defer k.mu.Unlock()
	named := func(six bool) bool {
		return slices.ContainsFunc(k.given, func(a netip.AddrPort) bool { return a.Addr().Is6() == six })
	}
	if ours || named(ip6) || !others && !named(!ip6) {
		return false, false
	}
	return true, others && time.Since(k.lost[ip6]) < retryFamily
}

// all returns the nodes that answered, the latest first.
func (k *known) all() []netip.AddrPort {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []netip.AddrPort
	for _, n := range slices.Backward(k.good) {
		out = append(out, n.addr)
	}
	return out
}

// ours reports whether there is anything but what friends named. If not the list is
// asked too: a friend could else show us a DHT of its own.
func (k *known) ours() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.own
}

func (k *known) listAnswered() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own = true
}

// gaveItem remembers that a record was put at a place. When there are too many it
// forgets what nodes have forgotten.
func (k *known) gaveItem(target nodeID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.items == nil {
		k.items = map[nodeID]time.Time{}
	}
	if len(k.items) >= maxItems {
		maps.DeleteFunc(k.items, func(_ nodeID, when time.Time) bool { return time.Since(when) > itemLife })
	}
	if len(k.items) < maxItems {
		k.items[target] = time.Now()
	}
}

// hasItem reports whether nodes near a place should have a record: if none has, others
// stand there now.
func (k *known) hasItem(target nodeID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	when, ok := k.items[target]
	return ok && time.Since(when) < itemLife
}
