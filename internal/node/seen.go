package node

import (
	"net/netip"
	"slices"

	"kith/internal/link"
)

// NAT is what others' words say of the router between this node and them.
type NAT uint8

// Kinds of NAT, as a node behind it can tell (RFC 4787 section 4.1: the mapping; who is let
// in shows by trying).
const (
	NATUnknown  NAT = 0 // nobody has told
	NATNone     NAT = 1 // they see an address of this machine's own, and its port
	NATSteady   NAT = 2 // endpoint-independent: all see the same address and port
	NATChanging NAT = 3 // each sees another port
)

const (
	// maxSeen bounds the words that are kept, the newest of each observer.
	maxSeen = 16
	// seenLife is how long a word counts, in ms of the steady clock: a router may have
	// another address the next day.
	seenLife = 12 * 3600 * 1000
)

// A sight is from where one observer sees this node's listening socket.
type sight struct {
	by netip.Addr // the observer: two of one address may be behind one mapping
	at netip.AddrPort
	ms uint64 // by the steady clock
}

// sights are the newest words, the newest at the end.
type sights []sight

// note takes a word, and reports whether anything is new by it.
func (l *sights) note(s sight) (news bool) {
	old := slices.IndexFunc(*l, func(o sight) bool { return o.by == s.by })
	news = old < 0 || (*l)[old].at != s.at
	if old >= 0 {
		*l = slices.Delete(*l, old, old+1)
	}
	if len(*l) == maxSeen {
		*l = slices.Delete(*l, 0, 1)
	}
	*l = append(*l, s)
	return news
}

// fresh returns the words that count.
func (l sights) fresh(now uint64) (list sights) {
	for _, s := range l {
		if s.ms+seenLife >= now {
			list = append(list, s)
		}
	}
	return list
}

// nat judges the newest words. own are the addresses of this machine, port its own. One
// observer alone cannot tell a steady router from a changing one.
func (l sights) nat(own func(netip.AddrPort) bool) NAT {
	if len(l) == 0 {
		return NATUnknown
	}
	newest := l[len(l)-1]
	if own(newest.at) {
		return NATNone
	}
	verdict := NATUnknown
	for _, s := range l[:len(l)-1] {
		switch {
		case s.at.Addr() != newest.at.Addr(): // from before the address changed, or of the other family
		case s.at.Port() == newest.at.Port():
			verdict = max(verdict, NATSteady)
		default:
			verdict = NATChanging
		}
	}
	return verdict
}

// outside are the places where the newest words see this node, the newest first.
func (l sights) outside() (hosts []string) {
	for i := len(l) - 1; i >= 0; i-- {
		if h := link.HostText(l[i].at, true); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}
