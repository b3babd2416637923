package rendezvous

import (
	"net/netip"
	"slices"
	"time"
)

// candidates are the nodes that one lookup knows of, nearest to its target first.
// A lookup's one goroutine owns them.
type candidates struct {
	target nodeID
	near   []*candidate
	known  map[netip.AddrPort]bool
}

type candidate struct {
	node
	state  state
	asked  time.Time
	secure bool
	token  []byte
	item   bool // gave a record
}

type state uint8

const (
	fresh    state = iota // not asked
	asked                 // and young: the lookup waits for it
	slow                  // asked, and not waited for
	answered              //
	failed                // silent, or not who it was said to be
)

func newCandidates(target nodeID) *candidates {
	return &candidates{target: target, known: map[netip.AddrPort]bool{}}
}

// add takes in a node unless it is known. When there are too many the farthest that
// was not asked goes.
func (c *candidates) add(n node) {
	if c.known[n.addr] {
		return
	}
	c.insert(n)
	if len(c.near) <= maxCandidates {
		return
	}
	for i := len(c.near) - 1; i >= 0; i-- {
		if c.near[i].state == fresh {
			c.near = slices.Delete(c.near, i, i+1)
			return
		}
	}
}

func (c *candidates) insert(n node) *candidate {
	x := &candidate{node: n, secure: secure(n.id, n.addr.Addr())}
	c.known[n.addr] = true
	at, _ := slices.BinarySearchFunc(c.near, n.id, func(x *candidate, id nodeID) int {
		if nearer(c.target, x.id, id) {
			return -1
		}
		return 1
	})
	c.near = slices.Insert(c.near, at, x)
	return x
}

// drop takes out whoever has the address.
func (c *candidates) drop(a netip.AddrPort) {
	c.near = slices.DeleteFunc(c.near, func(x *candidate) bool { return x.addr == a })
}

// closest returns at most n of the nearest nodes that are not silent, and at most
// safe of the nearest secure ones beyond. Of one network two that answered count.
func (c *candidates) closest(n, safe int) []*candidate {
	var out []*candidate
	count := map[netip.Prefix]int{}
	for _, x := range c.near {
		if len(out) >= n && (safe == 0 || !x.secure) {
			continue
		}
		net := network(x.addr.Addr())
		if x.state == failed || x.state == slow || !x.addr.Addr().IsLoopback() && count[net] >= perNetwork {
			continue
		}
		if x.state == answered {
			count[net]++
		}
		if len(out) >= n {
			safe--
		}
		out = append(out, x)
		if len(out) >= n && safe == 0 {
			break
		}
	}
	return out
}

// next returns the nearest of the closest that was not asked, or nil.
func (c *candidates) next(n, safe int) *candidate {
	for _, x := range c.closest(n, safe) {
		if x.state == fresh {
			return x
		}
	}
	return nil
}

// young counts those the lookup waits for, after those that were asked too long ago
// have become slow.
func (c *candidates) young(now time.Time) int {
	n := 0
	for _, x := range c.near {
		if x.state == asked && now.Sub(x.asked) >= slowAfter {
			x.state = slow
		}
		if x.state == asked {
			n++
		}
	}
	return n
}

// settled reports whether all of the closest were asked and had their time.
func (c *candidates) settled(now time.Time) bool {
	return c.young(now) == 0 && c.next(closestNodes, closestSecure) == nil
}
