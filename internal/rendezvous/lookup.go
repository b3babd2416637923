package rendezvous

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A lookup goes towards one place in one family's DHT (BEP 5): it asks the nearest
// nodes it knows for the item, and they name nearer ones.
type lookup struct {
	client *Client
	sock   *socket
	place  place
	secret Secret
	self   nodeID // that it shows, its own
	found  func(Record)
	wide   bool // a record should be there: goes on among farther nodes if the nearest have none

	near    *candidates
	seeds   []netip.AddrPort // whose ids are not known
	seeded  []time.Time      // when those were asked
	routers []netip.AddrPort // of the list: they know no items, only nodes
	listed  int              // how much of the list was taken: nothing, numbers, names too
	step    time.Time        // when the lookup began, or took the numbers
	names   chan []netip.AddrPort
	naming  bool // names are being resolved
	routing int  // of the list, asked and not heard of
	results chan result
	wait    sync.WaitGroup
	pending int
	queries int
	answers int
	heard   int // of them, those of nodes that may hold items
	silent  []netip.AddrPort
	widened bool

	remembered bool // all nodes that ever answered were taken in
}

type result struct {
	from *candidate // nil for a seed
	addr netip.AddrPort
	find bool // asked by find_node
	r    reply
	err  error
}

// run asks until the nearest nodes have all answered or fallen silent, and returns
// them, those that answered. It waits for what it started.
func (l *lookup) run(ctx context.Context) []*candidate {
	if strange, hopeless := l.client.nodes.strange(l.sock.ip6); hopeless {
		return nil
	} else if strange {
		// The other family may do: then no host of the list is troubled.
		select {
		case <-time.After(bootstrapAfter):
		case <-ctx.Done():
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	l.near = newCandidates(l.place.target())
	l.results = make(chan result, maxQueries) // with room for all: a question never waits to hand in
	defer func() {
		cancel()
		l.wait.Wait()
		if l.answers > 0 { // else it is our network that is silent
			l.client.nodes.silent(l.silent)
		} else if l.pending == 0 {
			l.client.nodes.unheard(l.sock.ip6)
		}
	}()
	good, given := l.client.nodes.seeds(l.near.target, l.sock.ip6)
	for _, n := range good {
		l.near.add(n)
	}
	l.seeds = given
	l.step, l.names = time.Now(), make(chan []netip.AddrPort, 1)
	for {
		now := time.Now()
		l.askList(ctx, now)
		l.start(ctx)
		if ctx.Err() != nil || l.pending == 0 || l.done(now) {
			if ctx.Err() == nil && l.remember() {
				continue
			}
			break
		}
		select {
		case res := <-l.results:
			l.pending--
			l.take(res)
		case l.routers = <-l.names:
			l.pending--
			l.naming = false
		case <-time.After(slowAfter / 4):
		case <-ctx.Done():
		}
	}
	var out []*candidate
	for _, x := range l.near.closest(l.breadth(), closestSecure) {
		if x.state == answered {
			out = append(out, x)
		}
	}
	return out
}

// askList takes the list to help if nobody has answered in a while or nobody is left, or
// if all that is known was named by friends: its numbers first, then its names.
func (l *lookup) askList(ctx context.Context, now time.Time) {
	ours, late := l.client.nodes.ours(), now.Sub(l.step) >= bootstrapAfter
	left := l.heard < closestNodes && l.pending == 0 && !l.startable()
	switch {
	case l.listed == 0 && (!ours || late && l.answers == 0 || left):
		l.listed, l.step = 1, now
		if l.routers = l.client.ways.numeric(l.sock.ip6); len(l.routers) > 0 {
			return
		}
	case l.listed == 1 && (late && (!ours || l.answers == 0) || left):
	default:
		return
	}
	l.listed, l.naming = 2, true
	l.pending++
	l.wait.Go(func() { l.names <- l.client.ways.named(ctx, l.sock.ip6) })
}

// remember takes in all nodes that ever answered, once, where those named on the way are
// too few to keep a record: many may be gone that others still name.
func (l *lookup) remember() bool {
	n := 0
	for _, x := range l.near.closest(closestNodes, 0) {
		if x.state == answered {
			n++
		}
	}
	if n >= closestNodes || l.remembered {
		return false
	}
	l.remembered = true
	for _, x := range l.client.nodes.family(l.sock.ip6) {
		l.near.add(x)
	}
	return l.startable()
}

// done reports whether nothing more is to be expected of anybody who is not slow. Where
// only friends have named nodes the list is waited for.
func (l *lookup) done(now time.Time) bool {
	if l.near.young(now) > 0 || l.answers == 0 || l.startable() {
		return false
	}
	return l.client.nodes.ours() || l.listed == 2 && !l.naming && l.routing == 0
}

// breadth is how many of the nearest are asked: more once all of them have had their
// time and none has a record that should be there. Others that had one do not count,
// since hostile nodes may have come before them; behind these there may be a newer one.
func (l *lookup) breadth() int {
	if l.wide && !l.widened && l.answers > 0 && l.near.settled(time.Now()) {
		l.widened = !slices.ContainsFunc(l.near.closest(closestNodes, 0), func(x *candidate) bool { return x.item })
	}
	if l.widened {
		return wideNodes
	}
	return closestNodes
}

func (l *lookup) startable() bool {
	return l.queries < maxQueries && (len(l.routers) > 0 || l.answers < 2 && len(l.seeds) > 0 || l.near.next(l.breadth(), closestSecure) != nil)
}

// start asks as many as may be under way: those whose ids are known, nearest first,
// and until two have answered those of unknown ids too.
func (l *lookup) start(ctx context.Context) {
	for ; l.queries < maxQueries && len(l.routers) > 0; l.routers = l.routers[1:] {
		l.routing++
		l.ask(ctx, nil, l.routers[0], true)
	}
	now := time.Now()
	for l.queries < maxQueries && l.near.young(now)+l.seeding(now) < parallel {
		if x := l.near.next(l.breadth(), closestSecure); x != nil {
			x.state, x.asked = asked, now
			l.ask(ctx, x, x.addr, false)
		} else if l.answers < 2 && len(l.seeds) > 0 {
			l.seeded = append(l.seeded, now)
			l.ask(ctx, nil, l.seeds[0], false)
			l.seeds = l.seeds[1:]
		} else {
			return
		}
	}
}

// seeding counts the young questions to nodes of unknown ids while nobody has answered.
func (l *lookup) seeding(now time.Time) (n int) {
	for _, when := range l.seeded {
		if l.answers == 0 && now.Sub(when) < slowAfter {
			n++
		}
	}
	return n
}

func (l *lookup) ask(ctx context.Context, x *candidate, addr netip.AddrPort, find bool) {
	q := query{call: "get", self: l.self, target: l.near.target, ip6: l.sock.ip6}
	if find {
		q.call = "find_node"
	}
	l.queries++
	l.pending++
	l.wait.Go(func() {
		r, err := l.sock.ask(ctx, addr, q)
		l.results <- result{x, addr, find, r, err}
	})
}

// take reads an answer.
func (l *lookup) take(res result) {
	x := res.from
	if res.find {
		l.routing--
	}
	if res.err != nil || res.r.refused != 0 {
		if x != nil {
			x.state = failed
		}
		if errors.Is(res.err, errSilent) {
			l.silent = append(l.silent, res.addr)
		}
		return
	}
	l.answers++
	l.client.outside.said(res.addr.Addr(), l.sock.place(res.r.seen))
	if res.find {
		l.client.nodes.listAnswered()
	} else {
		l.heard++
		// Its own word counts for its id, not that of who named it: an id made up for
		// the address of an honest node must not keep it out.
		if x == nil || x.id != res.r.id {
			l.near.drop(res.addr)
			x = l.near.insert(node{res.r.id, res.addr})
		}
		x.state, x.token = answered, res.r.token
		if len(x.token) == 0 {
			x.state = failed // it keeps nothing, and only names others
		}
		l.client.nodes.answered(x.node)
	}
	for i, n := range res.r.nodes {
		if i == maxReplyNodes {
			break
		}
		if n.addr.Addr().Is4() == !l.sock.ip6 && callable(res.addr, n.addr) {
			l.near.add(n)
		}
	}
	if res.r.value == nil || !l.place.verify(res.r.seq, res.r.value, res.r.signature) {
		return
	}
	box, ok := text(res.r.value)
	if !ok {
		return
	}
	if rec, err := l.place.open(l.secret, res.r.seq, box); err == nil {
		if x != nil {
			x.item = true
		}
		if l.found != nil {
			l.found(rec)
		}
	}
}

// put has the nodes keep an item, and returns how many took it.
func (l *lookup) put(ctx context.Context, nodes []*candidate, p put) int {
	ctx, cancel := context.WithTimeout(ctx, 2*queryLimit)
	defer cancel()
	took := make(chan bool, len(nodes))
	for _, x := range nodes {
		p := p
		p.token = x.token
		l.wait.Go(func() {
			r, err := l.sock.ask(ctx, x.addr, query{call: "put", self: l.self, put: &p})
			took <- err == nil && r.refused == 0
		})
	}
	l.wait.Wait()
	n := 0
	for range nodes {
		if <-took {
			n++
		}
	}
	return n
}
