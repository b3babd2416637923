package node

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

// The ways to others: what two nodes tell each other of them over a session (path.go has the
// bytes, docs/spec/path.md what each is for).

const (
	// wayBurst and wayEach bound what one device may say of ways: so much at once, then one
	// each wayEach. What is over it is passed over.
	wayBurst = 32
	wayEach  = 5 * time.Second
	// probeEach is how often one device may have this node dial for it.
	probeEach = time.Minute
	// probeLimit bounds that dialling.
	probeLimit = 5 * time.Second
)

// punchRest is the least time between two times that one session has places sent to.
const punchRest = 5 * time.Second

// punchTurn is when the side that was dialled tries first: after one try of the other's.
const punchTurn = 9 * time.Second

// punchTries are how long a relayed session waits for each try to get a direct one. Routers are
// restarted, and people carry machines about; else what failed thrice fails again.
var punchTries = []time.Duration{time.Second, 30 * time.Second, 5 * time.Minute, time.Hour}

// relayKind is the Kind of a link through a relay.
const relayKind = "relay"

// A way is what a session knows of the ways to its device.
type way struct {
	spent   time.Time // up to when what it may say is used up
	probed  time.Time // when it last had this node dial
	asked   time.Time // when this side asked for a punch; zero: it does not
	punched time.Time // when it last named places
	theirs  []string  // where their packets will come from
	tries   int       // punches begun

	punches bool   // a direct way is tried for
	friends bool   // what only friends are told was said
	probes  bool   // it was asked to dial, and has not said what came of it
	offer   []byte // to be relayed for, as it was made last; nil: none was
}

// openWay says on a new session what there is to say of ways.
func (n *Node) openWay(s *peer.Session) {
	n.mu.Lock()
	n.ways[s] = &way{}
	n.mu.Unlock()
	if s.Kind() == "quic" && !s.Dialed() && n.related(s.Remote()) {
		if at := s.At(); len(at.Hosts) > 0 {
			n.sayWay(s, seenFrom{at.Hosts[0]})
		}
	}
	n.befriendWay(s)
	if n.mayKnow(s.Remote()) {
		n.startPunching(s)
	}
}

// befriendWay says what only friends are told, once in a session: at its beginning, or when the
// friendship begins in it.
func (n *Node) befriendWay(s *peer.Session) {
	n.mu.Lock()
	w, f := n.ways[s], n.contact(s.Remote().Person)
	due := w != nil && !w.friends && f != nil && f.trusted()
	if due {
		w.friends = true
	}
	n.mu.Unlock()
	if due {
		n.giveSecret(s)
		n.giveNodes(s)
		n.offerRelay(s)
		n.askProbe(s)
		n.startPunching(s)
	}
}

// waysAgain tells friends what is another since the addresses of this node are: the router may have
// opened a port long after the sessions began.
func (n *Node) waysAgain() {
	for _, s := range n.liveSessions() {
		n.mu.Lock()
		w := n.ways[s]
		told := w != nil && w.friends
		n.mu.Unlock()
		if told {
			n.offerRelay(s)
			n.askProbe(s)
		}
	}
}

// startPunching has a relayed session become a direct one where that can be.
func (n *Node) startPunching(s *peer.Session) {
	n.mu.Lock()
	w := n.ways[s]
	due := s.Kind() == relayKind && w != nil && !w.punches
	if due {
		w.punches = true
	}
	n.mu.Unlock()
	if due {
		n.spawn(func(ctx context.Context) { n.punching(ctx, s) })
	}
}

func (n *Node) sayWay(s *peer.Session, m pathMessage) { n.sendOn(s, pathChannel, m.bytes()) }

// receiveWay takes what a device says of ways.
func (n *Node) receiveWay(s *peer.Session, payload []byte) {
	m, err := parsePath(payload)
	if err != nil {
		s.Punish("path-message", misbehaviourWeight)
		return
	}
	now := nowTime()
	n.mu.Lock()
	w, f := n.ways[s], n.contact(s.Remote().Person)
	over := w == nil || !w.takes(now)
	n.mu.Unlock()
	if m == nil || over {
		return
	}
	friend := f != nil && f.trusted()
	switch m := m.(type) {
	case seenFrom:
		n.onSeen(s, m)
	case punch:
		n.onPunch(s, w, m)
	case probe:
		if friend {
			n.onProbe(s, w, m)
		}
	case probed:
		if friend {
			n.onProbed(w, m)
		}
	case findSecret:
		if friend {
			n.onSecret(s, m)
		}
	case relayOffer:
		if friend {
			n.onRelayOffer(s, m)
		}
	case dhtNodes:
		if friend {
			n.onNodes(m)
		}
	}
}

// takes counts a message; false if it is one too many.
func (w *way) takes(now time.Time) bool {
	if floor := now.Add(-wayBurst * wayEach); w.spent.Before(floor) {
		w.spent = floor
	}
	next := w.spent.Add(wayEach)
	if next.After(now) {
		return false
	}
	w.spent = next
	return true
}

// onSeen notes from where somebody sees this node: whom it dialled over QUIC on the Internet
// link, since only there its packets come from the port it listens at.
func (n *Node) onSeen(s *peer.Session, m seenFrom) {
	if s.Kind() != "quic" || !s.Dialed() {
		return
	}
	by, _, ok := hostPort(hostOfSession(s))
	at, port, ok2 := hostPort(m.host)
	if !ok || !ok2 || by.IsLoopback() {
		return
	}
	n.noteSight(by, netip.AddrPortFrom(at, uint16(port)))
}

// noteSight takes a word of from where this node is seen.
func (n *Node) noteSight(by netip.Addr, at netip.AddrPort) {
	if !at.IsValid() || at.Port() == 0 || !link.IsPublic(at.Addr()) {
		return // an observer on this side of the router
	}
	n.mu.Lock()
	news := n.sights.note(sight{by, at, n.steadyMS()})
	n.mu.Unlock()
	if news {
		n.hub.publish(StatusChanged{})
		n.refreshOutside()
	}
}

func hostOfSession(s *peer.Session) string {
	if at := s.At(); len(at.Hosts) > 0 {
		return at.Hosts[0]
	}
	return ""
}

// mayKnow reports whether a device may know this machine's address: a friend's, or that of a
// member of a group to which it is told.
func (n *Node) mayKnow(who wire.Member) bool {
	n.mu.Lock()
	f := n.contact(who.Person)
	n.mu.Unlock()
	if f != nil {
		return f.trusted()
	}
	for _, o := range n.allOwners() {
		if p := o.picture.Load(); !outside(p.view.Status) && !n.setting(o.id).OnlyFriends && slices.ContainsFunc(p.devices, isActive(who)) {
			return true
		}
	}
	return false
}

// candidates are the places where packets of this node's will come from: where others see it, and
// its own addresses that they could dial.
func (n *Node) candidates() (hosts []string) {
	add := func(list []string) {
		for _, h := range list {
			if ip, _, ok := hostPort(h); ok && isQUIC(h) && !ip.IsLoopback() && !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	add(n.outsideHosts())
	add(n.address().Hosts)
	return hosts[:min(len(hosts), maxOwnHosts)]
}

// outsideHosts are the places where others see this node: as those say who were dialled. Where the DHT
// has said since that the place is another, or nobody was dialled, also that place. Where it knows no
// port, the port is that at which this node listens: most routers of homes leave it as it is.
func (n *Node) outsideHosts() (hosts []string) {
	port := portOf(n.address())
	n.mu.Lock()
	defer n.mu.Unlock()
	sights := n.sights.fresh(n.steadyMS())
	hosts = sights.outside()
	f := n.finder
	if f == nil || port == 0 || len(sights) > 0 && sights[len(sights)-1].ms >= f.asked {
		return hosts
	}
	var moved []string
	for _, at := range f.client.Outside() {
		known := slices.ContainsFunc(sights, func(s sight) bool {
			return s.at == at || at.Port() == 0 && s.at.Addr() == at.Addr()
		})
		if at.Port() == 0 {
			at = netip.AddrPortFrom(at.Addr(), uint16(port))
		}
		if !known {
			moved = append(moved, link.HostText(at, true))
		}
	}
	return append(moved, hosts...)
}

// refreshOutside tells the link at which places of its router others reach it: those that the
// router has opened, and those at which somebody did.
func (n *Node) refreshOutside() {
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	hosts := append(slices.Clone(n.mapped), n.trial.good...)
	n.mu.Unlock()
	if ok {
		d.AlsoAt(slices.Compact(hosts))
	}
}
