package node

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"kith/internal/link"
	"kith/internal/peer"
)

// Whether others can reach this node shows by one who tries, from a port that no router has
// opened for it.

const (
	// askProbeEach is how often one set of places is tried for this node.
	askProbeEach = 6 * time.Hour
	// probedLife is how long an answer counts.
	probedLife = 24 * time.Hour
)

// A trial is what a friend found of the places where this node may be reached.
type trial struct {
	places []string  // that were tried
	good   []string  // that answered
	asked  time.Time // zero: never
	told   time.Time // zero: nobody has answered yet
}

// askProbe has a friend try whether this node can be reached, unless that is known.
func (n *Node) askProbe(s *peer.Session) {
	if s.Kind() != "quic" && s.Kind() != "tcp" {
		return
	}
	places := n.publicPlaces()
	slices.Sort(places) // those that answer are named first from then on: these are the same
	now := nowTime()
	n.mu.Lock()
	due := len(places) > 0 && (!slices.Equal(n.trial.places, places) || n.trial.told.IsZero() && now.Sub(n.trial.asked) > probeEach || now.Sub(n.trial.asked) > askProbeEach)
	if due {
		if !slices.Equal(n.trial.places, places) {
			n.trial = trial{places: places}
		}
		n.trial.asked = now
		if w := n.ways[s]; w != nil {
			w.probes = true
		}
	}
	n.mu.Unlock()
	if due {
		n.sayWay(s, probe{places})
	}
}

// publicPlaces are the places of this node where somebody on the Internet may reach it.
func (n *Node) publicPlaces() (hosts []string) {
	for _, h := range n.address().Hosts {
		if ip, _, ok := hostPort(h); ok && link.IsPublic(ip) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// onProbe dials for a friend: only where its own packets come from, so that nobody is made to
// dial others.
func (n *Node) onProbe(s *peer.Session, w *way, m probe) {
	now := nowTime()
	from, _, ok := hostPort(hostOfSession(s))
	n.mu.Lock()
	d, direct := n.internet.(link.Direct)
	again := now.Sub(w.probed) < probeEach
	w.probed = now
	n.mu.Unlock()
	places := slices.DeleteFunc(m.hosts, func(h string) bool { return !isAt(h, from) })
	if again || !ok || !direct || len(places) == 0 {
		return
	}
	n.spawn(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, probeLimit)
		defer cancel()
		good, err := d.Probe(ctx, link.Address{Peer: s.At().Peer, Hosts: places})
		if err == nil {
			n.sayWay(s, probed{good})
		}
	})
}

func isAt(host string, ip netip.Addr) bool {
	at, _, ok := hostPort(host)
	return ok && at == ip
}

// onProbed takes the word of who was asked, once.
func (n *Node) onProbed(w *way, m probed) {
	n.mu.Lock()
	if !w.probes {
		n.mu.Unlock()
		return
	}
	w.probes = false
	good := slices.DeleteFunc(m.hosts, func(h string) bool { return !slices.Contains(n.trial.places, h) })
	n.trial.good, n.trial.told = good, nowTime()
	n.mu.Unlock()
	n.hub.publish(StatusChanged{})
	n.chooseRelays()
}

// proved reports whether somebody has reached this node from the Internet lately; known: that it
// was tried.
func (n *Node) proved() (reached, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	known = !n.trial.told.IsZero() && nowTime().Sub(n.trial.told) < probedLife
	return known && len(n.trial.good) > 0, known
}
