package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"kith/internal/link"
	"kith/internal/rendezvous"
	"kith/internal/store"
)

// Two who know no address of each other's any more find each other at the rendezvous: this node
// leaves its address there for whoever was told another one, and looks there for whoever does
// not answer (docs/spec/rendezvous.md). While neither is needed nothing is asked there.

const (
	// findEach is how often is looked whether there is something to do at the rendezvous.
	findEach = 5 * time.Second
	// leaveAgain is how long what was left is taken to be there: nodes of the DHT keep it for two
	// hours (BEP 44), and come and go.
	leaveAgain = 50 * 60 * 1000
	// leaveMost bounds what is left in an hour, each some 33 kB of packets: the others have their turn
	// in the next.
	leaveMost = 24
	// findTries is after how many dials in vain somebody is looked for.
	findTries = 3
	// findLimit bounds one search or leaving.
	findLimit = 30 * time.Second
	// findFirst and findMost bound how long is waited between two searches for one, in ms.
	findFirst = 8 * 1000
	findMost  = 6 * 3600 * 1000
	// findRest is at least between two searches for somebody who answered in between, in ms.
	findRest = 5 * 60 * 1000
	// foundAhead is how far another's clock may be ahead, in ms.
	foundAhead = 3600 * 1000
	// linkEager is for how long a link is new, in ms; and again once somebody has opened it.
	linkEager = 20 * 60 * 1000
	// linkMost is findMost for own links that nobody has used, over their number, in ms: whoever opens
	// one cannot come in before it was looked for them, where this side's router lets nobody in
	// that was not expected. Four searches an hour take 160 kB.
	linkMost = 15 * 60 * 1000
	// noWayMost bounds how long nothing is asked once no node of the DHT has answered, in ms: most
	// often the network is away.
	noWayMost = 2 * 60 * 1000
	// toldAfter is how long a session goes on after a hello until that counts as heard.
	toldAfter = 10 * time.Second
)

// A finder is what is known of the rendezvous. Its task alone uses it, but for client.
type finder struct {
	client *rendezvous.Client
	known  int                 // nodes of the DHT that are kept
	left   map[[32]byte]uint64 // when the own address was left under a secret, by the steady clock as below
	hour   uint64              // since when done is counted
	done   int                 // what was left since
	asked  uint64              // when nodes last answered; n.mu guards it
	where  [32]byte            // digest of the address that was left
	next   map[[32]byte]uint64 // when to look again under a secret
	wait   map[[32]byte]uint64 // and how long was waited
	opened map[[32]byte]uint64 // when it was found first that somebody opens an own link
	later  uint64              // when to ask again after no node answered; and
	noWay  uint64              // how long was waited for that
}

// answered takes note of whether any node did, and returns that. What none did says nothing of who
// is looked for, and has left nothing.
func (f *finder) answered(err error, now uint64) bool {
	if !errors.Is(err, rendezvous.ErrNoWayIn) {
		f.later, f.noWay = 0, 0
		return true
	}
	f.noWay = min(max(2*f.noWay, findFirst), noWayMost)
	f.later = now + f.noWay
	return false
}

// FinderView is what is shown of the rendezvous.
type FinderView struct {
	On    bool
	Nodes int
	Alone bool // it is wanted, and not on since the node listens on no network

	Left, Found uint64 // ms, when something was left, and somebody found, last; 0: never since the start
}

// finding leaves and looks until ctx ends.
func (n *Node) finding(ctx context.Context) {
	f, err := n.openFinder()
	if err != nil {
		n.log.Error("no rendezvous", "err", err)
		return
	}
	defer f.client.Close()
	n.mu.Lock()
	n.finder = f
	n.mu.Unlock()
	tick := time.NewTicker(findEach)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-n.seek:
		case <-ctx.Done():
			return
		}
		n.noteTold()
		n.chooseRelays()
		n.find(ctx, f)
	}
}

// find does what there is to do at the rendezvous now.
func (n *Node) find(ctx context.Context, f *finder) {
	on := n.seeks()
	n.showFinder(func(v *FinderView) { v.On = on })
	if !on {
		return
	}
	now := n.steadyMS()
	used := false
	list := n.sought()
	f.keep(list, n.moved.Swap(false), now)
	for _, w := range list {
		if f.next[w.secret] <= now && f.later <= now && ctx.Err() == nil {
			n.seekOne(ctx, f, w)
			used = true
		}
	}
	if own := n.ownRecord(); len(own.Hosts) > 0 {
		if where := digestOf(link.Address{Peer: own.Peer, Hosts: own.Hosts}); where != f.where {
			f.where = where
			clear(f.left)
		}
		for _, s := range n.leftFor(f) {
			if f.later <= now && ctx.Err() == nil {
				n.leave(ctx, f, s, own)
				used = true
			}
		}
	}
	if used {
		n.remember(f)
	}
}

// seeks reports whether the rendezvous is asked at all.
func (n *Node) seeks() bool {
	s, err := n.Settings()
	return err == nil && !s.NoRendezvous && n.Ready() && (n.cfg.Bootstrap != nil || !loopbackOnly(n.cfg.Listen)) && n.cfg.Link == nil
}

// seekOne looks for somebody once.
func (n *Node) seekOne(ctx context.Context, f *finder, w seekFor) {
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	r, err := f.client.Find(ctx, rendezvous.Secret(w.secret), w.device, nowTime())
	if !f.answered(err, n.steadyMS()) {
		return
	}
	if w.maker && err == nil && f.opened[w.secret] == 0 {
		f.opened[w.secret] = n.steadyMS()
	}
	f.wait[w.secret] = w.again(f.wait[w.secret], n.nowMS(), f.sinceOpened(w.secret, n.steadyMS()))
	f.next[w.secret] = n.steadyMS() + f.wait[w.secret]
	n.answeredBy(f, err)
	if err != nil {
		n.log.Debug("not found at the rendezvous", "err", err)
		return
	}
	n.showFinder(func(v *FinderView) { v.Found = n.nowMS() })
	if w.maker {
		n.letIn(ctx, link.Address{Peer: r.Peer, Hosts: r.Hosts})
	} else {
		n.foundAt(w, r)
	}
}

// letIn has this side's router let somebody in who dials just now: packets go to where its own will
// come from. What it dials is accepted.
func (n *Node) letIn(ctx context.Context, at link.Address) {
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	n.mu.Unlock()
	if ok {
		_ = d.Expect(ctx, at) // what comes is accepted as any
	}
}

// foundAt has somebody dialled where a record says that they are.
func (n *Node) foundAt(w seekFor, r rendezvous.Record) {
	at := link.Address{Peer: r.Peer, Hosts: r.Hosts}
	n.mu.Lock()
	old := n.found[w.found()]
	// One from the future would hide those that are true when their time comes.
	fresh := r.Made > old.made && r.Made < n.nowMS()+foundAhead && !sameAddress(old.at, at)
	if fresh {
		n.found[w.found()] = foundRecord{at, r.Made}
	}
	if t := n.asks[w.person]; fresh && t != nil {
		t.hurry()
	}
	n.mu.Unlock()
	if fresh {
		n.log.Info("found at the rendezvous")
		n.kickDialer()
	}
}

// A foundRecord is where somebody was found, and when they said so, in ms by their clock.
type foundRecord struct {
	at   link.Address
	made uint64
}

// leave leaves the own address under a secret.
func (n *Node) leave(ctx context.Context, f *finder, secret [32]byte, own rendezvous.Record) {
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	own.Sign(rendezvous.Secret(secret), n.me().Device.Sign)
	_, err := f.client.Publish(ctx, rendezvous.Secret(secret), own)
	if f.answered(err, n.steadyMS()) {
		f.done++
	}
	n.answeredBy(f, err)
	if err != nil {
		n.log.Debug("not left at the rendezvous", "err", err)
		return
	}
	f.left[secret] = n.steadyMS()
	n.showFinder(func(v *FinderView) { v.Left = n.nowMS() })
}

// answeredBy notes that nodes of the DHT have just answered, and so said from where they see this node.
func (n *Node) answeredBy(f *finder, err error) {
	if err == nil || errors.Is(err, rendezvous.ErrNotFound) {
		n.mu.Lock()
		f.asked = n.steadyMS()
		n.mu.Unlock()
	}
}

// ownRecord is where this node is now.
func (n *Node) ownRecord() rendezvous.Record {
	at := n.address()
	hosts := slices.DeleteFunc(slices.Clone(at.Hosts), func(h string) bool {
		ip, _, ok := hostPort(h)
		return ok && ip.IsLoopback()
	})
	for _, h := range n.outsideHosts() {
		if !slices.Contains(hosts, h) && len(hosts) < maxOwnHosts {
			hosts = append(hosts, h)
		}
	}
	return rendezvous.Record{Key: n.me().Device.PublicKey(), Made: n.nowMS(), Peer: at.Peer, Hosts: hosts, Expiry: n.linkExpiry()}
}

// openFinder makes what asks the DHT, which has no socket and no traffic while it is not used.
func (n *Node) openFinder() (*finder, error) {
	var known []string
	err := n.db.View(func(tx *store.Tx) error {
		_, err := getJSON(tx, bucketSelf, []byte(keyDHTNodes), &known)
		return err
	})
	if err != nil {
		return nil, err
	}
	client, err := rendezvous.New(rendezvous.Config{Bootstrap: n.cfg.Bootstrap, Known: parsePlaces(known), Shared: n.packets})
	if err != nil {
		return nil, err
	}
	return &finder{client: client, known: len(known), left: make(map[[32]byte]uint64), next: make(map[[32]byte]uint64), wait: make(map[[32]byte]uint64), opened: make(map[[32]byte]uint64)}, nil
}

// packets shares the socket at which this node listens with what asks the DHT.
func (n *Node) packets(network string) (net.PacketConn, error) {
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	n.mu.Unlock()
	if !ok {
		return nil, link.ErrNoPackets
	}
	return d.Packets(network, rendezvous.Recognises)
}

// remember keeps the nodes of the DHT that answered, for the next start.
func (n *Node) remember(f *finder) {
	nodes := f.client.Nodes()
	if len(nodes) == 0 || len(nodes) == f.known {
		return
	}
	f.known = len(nodes)
	var known []string
	for _, at := range nodes {
		known = append(known, at.String())
	}
	if err := n.db.Update(func(tx *store.Tx) error { return putJSON(tx, bucketSelf, []byte(keyDHTNodes), known) }); err != nil {
		n.log.Error("cannot write", "err", err)
	}
	n.showFinder(func(v *FinderView) { v.Nodes = len(nodes) })
}

// showFinder changes what is shown of the rendezvous.
func (n *Node) showFinder(change func(*FinderView)) {
	n.mu.Lock()
	was := n.finderView
	change(&n.finderView)
	news := n.finderView != was
	n.mu.Unlock()
	if news {
		n.hub.publish(StatusChanged{})
	}
}

// seekSoon has the rendezvous looked at at once.
func (n *Node) seekSoon() {
	select {
	case n.seek <- struct{}{}:
	default:
	}
}

// parsePlaces reads addresses and ports; what is none is left out.
func parsePlaces(list []string) (places []netip.AddrPort) {
	for _, text := range list {
		if at, err := netip.ParseAddrPort(text); err == nil {
			places = append(places, at)
		}
	}
	return places
}
