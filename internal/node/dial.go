package node

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

// Redialling, in ms. A healed cable is found within redialMost while somebody
// was connected lately. Who was not is tried after twice the time each time, up to
// redialRare: whoever comes back dials too, so that this is for those who cannot reach
// this node. A dial to four places costs some 25 kB. The maker of a link that is not
// answered yet does not know this node's place, and is tried each redialAsk.
const (
	redialFirst = 300
	redialMost  = 3_000
	redialRare  = 15 * 60 * 1000
	redialAsk   = 60_000
	lately      = 2 * 60 * 1000
	// steady is how long a session must last before its end is one of a cable,
	// after which dialling begins anew, and not of a peer that always hangs up.
	steady = 5_000
	// laterTurn is the head start of the device with the smaller id, so that two
	// rarely dial each other at once.
	laterTurn = 700
)

// A target is a device this node wants to be connected with.
type target struct {
	to      peer.Target
	hosts   []link.Address // on the Internet link, at most maxPlaces
	stale   []link.Address // that have expired, by this device's clock
	lan     link.Address   // on the local link, as last seen
	at      uint64         // when to dial next, by the steady clock as all below
	wait    uint64         // of the last back-off
	seen    uint64         // when it was last connected
	since   uint64         // the session there is began about then; 0: none
	tries   int            // since it was last connected
	met     bool           // it was connected since the start
	asked   bool           // it is the maker of a link that is not answered yet
	dialing bool
	cancel  context.CancelFunc // of the dial under way
}

// know adds an address, unless it is known or says nothing.
func (t *target) know(at link.Address) {
	if len(at.Hosts) > 0 && len(t.hosts) < maxPlaces && !slices.ContainsFunc(t.hosts, func(a link.Address) bool { return sameAddress(a, at) }) {
		t.hosts = append(t.hosts, at)
	}
}

// hurry has t dialled at once, and anew if a dial to its old addresses is under
// way. n.mu is held.
func (t *target) hurry() {
	t.at, t.wait, t.tries = 0, 0, 0
	if t.cancel != nil {
		t.cancel()
	}
}

const (
	// dialTime bounds one dial, and the knock after it: a cable that heals in the
	// middle is used soon after, since the next dial begins with fresh packets.
	// Every fourth may take as long as the link allows, for very slow lines.
	dialTime  = 4 * time.Second
	slowTurns = 4
	// maxPlaces bounds the addresses of one device that are dialled at once.
	maxPlaces = 4
	// lanTurn is the head start of the local network.
	lanTurn = 100 * time.Millisecond
)

// wanted returns the devices this node wants to be connected with: friends who
// were met, and members of the groups it takes part in.
func (n *Node) wanted() []target {
	list := make(map[wire.DeviceID]target)
	n.mu.Lock()
	self, me := n.self.Device, n.self.Person
	for _, f := range n.contacts() {
		if f.State == FriendBlocked || f.State == FriendAsking {
			continue
		}
		for i := range f.Devices {
			d := &f.Devices[i]
			t := target{to: peer.Target{Member: f.member(d), Key: d.Key, KnockKey: d.Knock}}
			if at, ok := n.found[d.id()]; ok {
				t.know(at.at)
			}
			t.know(link.Address{Peer: d.Peer, Hosts: d.Hosts})
			list[d.id()] = t
		}
	}
	blocked, friends := n.inState(FriendBlocked), n.inState(FriendFriend)
	n.mu.Unlock()
	for _, o := range n.allOwners() {
		p := o.picture.Load()
		if p.view.Status != group.StatusActive && p.view.Status != group.StatusLeaving {
			continue
		}
		onlyFriends := n.setting(o.id).OnlyFriends
		for _, d := range p.devices {
			if onlyFriends && !friends[d.Member.Person] {
				continue
			}
			if self != nil && d.Member.Person == me && !n.isLinked(d.Member.Device) { // of a copy of this home
				continue
			}
			if d.Former || blocked[d.Member.Person] || self != nil && d.Member.Device == self.ID() {
				continue
			}
			t, ok := list[d.Member.Device]
			if !ok {
				t.to = peer.Target{Member: d.Member, Key: d.Key[:], KnockKey: d.KnockKey}
			}
			if d.Reach != nil {
				at := link.Address{Peer: d.Reach.Peer, Hosts: d.Reach.Hosts}
				if d.Reach.Expiry > n.nowMS() {
					t.know(at)
				} else {
					t.stale = append(t.stale, at)
				}
			}
			list[d.Member.Device] = t
		}
	}
	out := make([]target, 0, len(list))
	for _, t := range list {
		if len(t.hosts) == 0 { // nothing better is known, and a clock may be wrong
			for _, at := range t.stale {
				t.know(at)
			}
		}
		out = append(out, t)
	}
	return out
}

// inState returns the people with whom a friendship stands so. n.mu is held.
func (n *Node) inState(s FriendState) map[wire.PersonID]bool {
	list := make(map[wire.PersonID]bool)
	for _, f := range n.friends {
		if f.State == s {
			list[f.Person] = true
		}
	}
	return list
}

func (n *Node) kickDialer() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// dialSoon has the dialler look when the next dial is due.
func (n *Node) dialSoon() {
	select {
	case n.due <- struct{}{}:
	default:
	}
}

// refreshEach is how often the dialler looks anew who is wanted when nobody says
// that it has changed, as where an address expires.
const refreshEach = 30_000

// dialing keeps sessions with everybody who is wanted. While all are connected it
// sleeps.
func (n *Node) dialing(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	refresh, refreshed := true, uint64(0)
	for {
		if now := n.steadyMS(); refresh || refreshed+refreshEach <= now {
			n.refreshTargets()
			refreshed = now
		}
		at := min(n.askLinks(), n.dialDue(), refreshed+refreshEach)
		now := n.steadyMS()
		next.Reset(time.Duration(max(at, now+1)-now) * time.Millisecond)
		refresh = false
		select {
		case <-next.C:
		case <-n.due:
		case <-n.kick:
			refresh = true
		case <-ctx.Done():
			return
		}
	}
}

// refreshTargets takes the wanted devices over, keeping what is known of each.
func (n *Node) refreshTargets() {
	wanted := n.wanted()
	n.mu.Lock()
	defer n.mu.Unlock()
	next := make(map[wire.DeviceID]*target, len(wanted))
	for _, t := range wanted {
		d := t.to.Member.Device
		if old := n.targets[d]; old != nil {
			if !slices.EqualFunc(old.hosts, t.hosts, sameAddress) {
				old.hurry() // it may be there: do not wait for the old place
			}
			old.to, old.hosts = t.to, t.hosts
			next[d] = old
			continue
		}
		t.seen, t.lan = n.steadyMS(), n.sightings.of(t.to.KnockKey)
		if n.self.Device != nil && lessDevice(d, n.self.Device.ID()) {
			t.at = t.seen + laterTurn
		}
		next[d] = &t
	}
	for d, t := range n.targets {
		if next[d] == nil && t.cancel != nil {
			t.cancel()
		}
	}
	n.targets = next
}

// dialAgain has everybody dialled at once: the network is another.
func (n *Node) dialAgain() {
	n.mu.Lock()
	for _, t := range n.targets {
		t.hurry()
	}
	for _, t := range n.asks {
		t.hurry()
	}
	n.mu.Unlock()
	n.kickDialer()
}

// dialDue starts a dial to everybody whose turn it is, and returns when it is
// somebody's next.
func (n *Node) dialDue() (next uint64) {
	now := n.steadyMS()
	next = math.MaxUint64
	n.mu.Lock()
	var due []*target
	for d, t := range n.targets {
		if s := n.sessions[d]; s != nil && (s.As() != n.self.Device.ID() || !n.outsideWith(d)) {
			if t.since == 0 {
				t.since = now
			}
			continue
		}
		switch {
		case t.dialing || len(t.hosts) == 0 && len(t.lan.Hosts) == 0:
		case t.at <= now:
			t.dialing = true
			due = append(due, t)
		default:
			next = min(next, t.at)
		}
	}
	n.mu.Unlock()
	for _, t := range due {
		if !n.spawn(func(ctx context.Context) { n.dial(ctx, t) }) {
			break
		}
	}
	return next
}

// dial tries to reach a target once, at all places where it may be.
func (n *Node) dial(ctx context.Context, t *target) {
	until, cancel := context.WithCancel(ctx)
	defer cancel()
	n.mu.Lock()
	t.cancel = cancel
	t.tries++
	patience := dialTime
	if t.tries%slowTurns == 0 {
		patience = time.Minute // the link and the handshake have bounds of their own
	}
	as, to, list := n.knockAs(t.to.Member.Device, t.tries), t.to, places(n.lan, t.lan, n.internet, t.hosts)
	n.mu.Unlock()
	s, err := n.knock(until, as, to, list, patience)
	n.mu.Lock()
	t.dialing, t.cancel = false, nil
	if s == nil && until.Err() == nil {
		n.backOff(t)
	}
	wanted := n.targets[to.Member.Device] == t
	n.mu.Unlock()
	n.dialSoon()
	if s != nil && !wanted {
		s.Close(errNotWanted)
		return
	}
	if s != nil {
		n.session(ctx, s)
		return
	}
	n.log.Debug("not reached", "peer", shortDevice(to.Member.Device), "err", err)
}

// errNotWanted ends a session that came up when its target was given up.
var errNotWanted = errors.New("node: no session with this device is wanted any more")

// backOff says when to dial t next. n.mu is held.
func (n *Node) backOff(t *target) {
	most := uint64(redialMost)
	now := n.steadyMS()
	switch {
	case t.met && t.seen+lately >= now:
	case t.asked:
		most = redialAsk
	default:
		most = redialRare
	}
	t.wait = min(max(2*t.wait, redialFirst), most)
	t.at = now + t.wait/2 + rand.Uint64N(t.wait/2+1)
}

// dialChat has those of a chat who are not here, and are dialled rarely by now, dialled
// soon: somebody looks at it, or has written.
func (n *Node) dialChat(o *owner) {
	p := o.picture.Load()
	n.mu.Lock()
	soon := false
	for _, d := range p.devices {
		if t := n.targets[d.Member.Device]; t != nil && !t.dialing && t.wait > redialAsk && !d.Former {
			t.at, t.wait, soon = n.steadyMS(), redialAsk, true
		}
	}
	n.mu.Unlock()
	if soon {
		n.kickDialer()
	}
}

func sameAddress(a, b link.Address) bool {
	return string(a.Peer) == string(b.Peer) && slices.Equal(a.Hosts, b.Hosts)
}

func lessDevice(a, b wire.DeviceID) bool { return string(a[:]) < string(b[:]) }
