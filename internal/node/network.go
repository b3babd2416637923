package node

import (
	"net/netip"
	"slices"

	"kith/internal/link"
	"kith/internal/portmap"
	"kith/internal/wire"
)

// A Network says how everybody is reached, and what is in the way.
type Network struct {
	Reachability Reachability
	Addresses    []string // host:port
	Paths        []Path   // by name
	NAT          NAT
	Tried        bool          // somebody outside has tried lately to reach this node
	Reached      bool          // and did
	Asks         bool          // the router is asked to let others in
	Router       portmap.State // what came of that
	Finder       FinderView
	Carries      bool // for friends
	QuietMail    bool // mailboxes are come to at drawn times alone
	Relay        link.RelayStats
	Relays       []RelayUsed
	Mailboxes    []MailboxView
}

// A RelayUsed is one by which others reach this node.
type RelayUsed struct {
	By    Person // whose it is; zero: not known
	Host  string // where it is
	Ready bool
	Err   error // why it is not, if that is known
}

// A Path is how a person is reached now.
type Path struct {
	Person  Person
	Kind    string // of the link; empty: not reached
	Since   uint64 // ms; 0: not known, or not since the start
	State   PathState
	Places  int    // addresses that are known of them
	Tries   int    // dials since they were last connected
	Next    uint64 // ms, when they are dialled next; 0: now, or not at all
	Waiting int    // own messages of the direct chat that they have not confirmed
	Mailbox bool   // all of those lie at a mailbox that answers
}

// PathState says why somebody is reached, or is not.
type PathState uint8

// States of a path.
const (
	PathConnected  PathState = 1
	PathDialing    PathState = 2 // a dial is under way
	PathNoAnswer   PathState = 3 // nobody answers at the addresses that are known
	PathNoAddress  PathState = 4 // none is known
	PathAsking     PathState = 5 // over their contact link, which nobody has answered yet
	PathUnaccepted PathState = 6 // they ask, and wait to be accepted
	PathAside      PathState = 7 // nothing is taken from them for a while
	PathNoLink     PathState = 8 // this node listens nowhere
)

// maxStrangers bounds the members who are no friends in a Network; those connected come first.
const maxStrangers = 64

// Network returns how everybody is reached.
func (n *Node) Network() Network {
	s := n.Status()
	list := Network{Reachability: s.Reachability, Addresses: s.Addresses}
	members := n.memberNames()
	names := make(map[wire.PersonID]Path)
	var strangers []Path
	for _, p := range n.paths() {
		p.Person = n.person(p.Person.ID)
		if p.Person.Name == "" {
			p.Person.Name = members[p.Person.ID]
		}
		if p.Person.Friend || p.State >= PathAsking && p.State <= PathUnaccepted {
			names[p.Person.ID] = p
		} else {
			strangers = append(strangers, p)
		}
	}
	slices.SortFunc(strangers, func(a, b Path) int {
		if c := (a.State == PathConnected) != (b.State == PathConnected); c {
			return int(a.State) - int(b.State)
		}
		return compareNames(a.Person, b.Person)
	})
	for _, p := range names {
		list.Paths = append(list.Paths, p)
	}
	list.Paths = append(list.Paths, strangers[:min(len(strangers), maxStrangers)]...)
	slices.SortFunc(list.Paths, func(a, b Path) int { return compareNames(a.Person, b.Person) })
	n.addWays(&list)
	return list
}

// addWays says what is done so that others reach this node.
func (n *Node) addWays(list *Network) {
	list.Reached, list.Tried = n.proved()
	list.Mailboxes = n.mailboxes()
	s, err := n.Settings()
	list.QuietMail = err == nil && s.QuietMail
	list.Asks, list.Carries = err == nil && !s.NoPortMapping && n.faces(), err == nil && s.Relay
	own := n.address().Hosts
	n.mu.Lock()
	list.NAT = n.sights.fresh(n.steadyMS()).nat(func(at netip.AddrPort) bool { return slices.Contains(own, link.HostText(at, true)) })
	list.Router, list.Finder = n.mapState, n.finderView
	list.Finder.Alone = err == nil && !s.NoRendezvous && n.cfg.Bootstrap == nil && loopbackOnly(n.cfg.Listen)
	d, ok := n.internet.(link.Direct)
	owners := make(map[string]wire.PersonID)
	for _, f := range n.friends {
		for _, d := range f.Devices {
			if d.Relay != nil {
				owners[string(d.Relay.Peer)] = f.Person
			}
		}
	}
	n.mu.Unlock()
	if !ok {
		return
	}
	list.Relay = d.RelayStats()
	for _, r := range d.Relays() {
		used := RelayUsed{Host: r.Host, Ready: r.Host != "", Err: r.Err}
		if p, ok := owners[string(r.Peer)]; ok {
			used.By = n.person(p)
		}
		list.Relays = append(list.Relays, used)
	}
}

// paths returns how everybody stands who is a friend, or is to be, or is dialled.
func (n *Node) paths() map[wire.PersonID]Path {
	waiting := n.waitingByChat()
	boxed := n.boxedOf(waiting)
	now, steady := n.nowMS(), n.steadyMS()
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make(map[wire.PersonID]Path)
	for _, t := range n.targets {
		p := t.path(now, steady)
		p.Person.ID = t.to.Member.Person
		if old, ok := list[p.Person.ID]; !ok || p.State < old.State {
			list[p.Person.ID] = p
		}
	}
	for _, f := range n.friends {
		if f.State == FriendBlocked {
			delete(list, f.Person)
			continue
		}
		p, ok := list[f.Person]
		switch t := n.asks[f.Person]; {
		case f.State == FriendAsking:
			p = Path{State: PathUnaccepted}
		case f.State == FriendAsked:
			if p = (Path{State: PathAsking}); t != nil {
				p.Tries = t.tries
				p.Next = wallOf(t.at, now, steady)
			}
		case !ok:
			p = Path{State: PathNoAddress}
		}
		p.Person.ID, p.Waiting, p.Mailbox = f.Person, waiting[f.Chat], boxed[f.Chat]
		list[f.Person] = p
	}
	for _, s := range n.sessions {
		who := s.Remote().Person
		p := list[who]
		p.Person.ID, p.Kind, p.State, p.Next, p.Tries = who, s.Kind(), PathConnected, 0, 0
		if t := n.targets[s.Remote().Device]; t != nil && t.since != 0 {
			p.Since = wallOf(t.since, now, steady)
		}
		list[who] = p
	}
	for who, p := range list {
		if p.State != PathConnected && n.internet == nil {
			p.State = PathNoLink
			list[who] = p
		}
	}
	return list
}

// path is how a device that is wanted stands while there is no session with it.
func (t *target) path(now, steady uint64) Path {
	p := Path{Places: len(t.hosts), Tries: t.tries, State: PathNoAnswer}
	if len(t.lan.Hosts) > 0 {
		p.Places++
	}
	switch {
	case p.Places == 0:
		p.State = PathNoAddress
	case t.dialing:
		p.State = PathDialing
	default:
		p.Next = wallOf(t.at, now, steady)
	}
	return p
}

// wallOf is a moment of the steady clock by the other one, in ms.
func wallOf(at, now, steady uint64) uint64 {
	if at < steady {
		return now - min(now, steady-at)
	}
	return now + at - steady
}

// memberNames returns how the members of the groups here call themselves.
func (n *Node) memberNames() map[wire.PersonID]string {
	list := make(map[wire.PersonID]string)
	for _, o := range n.allOwners() {
		for _, m := range o.picture.Load().view.Members {
			if m.Name != "" {
				list[m.Person] = m.Name
			}
		}
	}
	return list
}

// waitingByChat returns how many own messages of each chat nobody else has.
func (n *Node) waitingByChat() map[wire.GroupID]int {
	list := make(map[wire.GroupID]int)
	for _, o := range n.allOwners() {
		list[o.id] = o.picture.Load().waiting
	}
	return list
}
