package node

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

// How who made a contact link is asked.

// askLinks opens the contact links that nobody has answered yet, and returns when
// one is to be opened again.
func (n *Node) askLinks() (next uint64) {
	type open struct {
		person wire.PersonID
		link   identity.ContactLink
		given  [][]byte
	}
	var list []open
	now := n.steadyMS()
	next = math.MaxUint64
	n.mu.Lock()
	for _, f := range n.friends {
		if f.State != FriendAsked && (f.State != FriendFriend || n.isConnected(f.Person)) {
			continue
		}
		l := n.opens(f)
		if l == nil {
			continue
		}
		t := n.asking(f.Person)
		if t.dialing {
			continue
		}
		if t.at > now {
			next = min(next, t.at)
			continue
		}
		t.dialing = true
		t.tries++
		list = append(list, open{f.Person, *l, f.Given})
	}
	n.mu.Unlock()
	for _, o := range list {
		n.spawn(func(ctx context.Context) {
			until, cancel := context.WithCancel(ctx)
			defer cancel()
			n.mu.Lock()
			t := n.asking(o.person)
			t.cancel = cancel
			n.mu.Unlock()
			err := n.askLink(until, o.link, o.given)
			n.mu.Lock()
			t.dialing, t.cancel = false, nil
			if until.Err() == nil {
				n.backOff(t)
			}
			first := t.tries == 1
			n.mu.Unlock()
			n.dialSoon()
			if err != nil && first {
				n.seekSoon()
			}
			if err != nil {
				n.log.Debug("contact link not answered", "err", err)
			}
		})
	}
	return next
}

// opens is the contact link of somebody that waits for an answer; nil: there is none,
// or it has expired.
func (n *Node) opens(f *friend) *identity.ContactLink {
	if f.Link == "" {
		return nil
	}
	l, err := identity.ParseContactLink(f.Link, n.nowMS()/1000)
	if err != nil {
		return nil
	}
	return &l
}

// asking is the state of dialling the link of somebody not met yet. n.mu is held.
func (n *Node) asking(p wire.PersonID) *target {
	t := n.asks[p]
	if t == nil {
		t = &target{seen: n.steadyMS(), asked: true}
		n.asks[p] = t
	}
	return t
}

// askLink asks over a contact link; when it is answered a session is up.
func (n *Node) askLink(ctx context.Context, l identity.ContactLink, given [][]byte) error {
	n.mu.Lock()
	internet := n.internet
	n.mu.Unlock()
	if internet == nil {
		return errNoLink
	}
	var conn link.Conn
	err := link.ErrNoHost
	for _, at := range n.linkFound(l) {
		if conn, err = internet.Dial(ctx, at); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	s, theirs, err := peer.Ask(ctx, conn, n.peerConfig(), l, n.ownCard(given))
	if err != nil {
		return err
	}
	if err := n.answered(l, theirs); err != nil {
		s.Close(err)
		return err
	}
	if !n.spawn(func(ctx context.Context) { n.session(ctx, s) }) {
		s.Close(nil)
		return errors.New("node: stopping")
	}
	return nil
}

// linkHosts are the places that a contact link names, the best first: one that the Internet reaches by
// QUIC, those by WebSocket for whose network lets out nothing else, relays, what else the Internet
// reaches, then the own network.
func linkHosts(hosts []string) (list []string) {
	rank := func(h string) int {
		ip, _, ok := hostPort(h)
		switch {
		case isCircuit(h):
			return 2
		case !ok || !link.IsPublic(ip):
			return 4
		case strings.HasSuffix(h, "/ws"):
			return 1
		}
		return 3
	}
	if i := slices.IndexFunc(hosts, func(h string) bool { return rank(h) == 3 && isQUIC(h) }); i >= 0 {
		list = append(list, hosts[i])
	}
	rest := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return slices.Contains(list, h) })
	slices.SortStableFunc(rest, func(a, b string) int { return rank(a) - rank(b) })
	return append(list, rest[:min(len(rest), identity.MaxLinkHosts-len(list))]...)
}
