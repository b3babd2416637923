package node

import (
	"context"
	"sync"

	"kith/internal/group"
	"kith/internal/peer"
)

// A giver gives one peer what it asked the groups for, one answer after the other, as fast
// as the peer takes it. Only what is under way is read from the store, and no owner waits
// for a slow line.
type giver struct {
	mu    sync.Mutex // guards the rest
	asked []asked
	refs  int // entries that asked names

	stir chan struct{} // there may be something to give
}

// asked is what a peer asked a group for.
type asked struct {
	o *owner
	s group.Serve
}

// maxAsked bounds the entries that one peer has asked for and not been given yet, 56 bytes
// each: a screen of each of 1,000 chats. What is beyond is not answered, and asked for again.
const maxAsked = 1 << 16

func newGiver() *giver { return &giver{stir: make(chan struct{}, 1)} }

// add has something given when its turn comes.
func (g *giver) add(o *owner, s group.Serve) {
	g.mu.Lock()
	defer g.mu.Unlock()
	cost := max(1, len(s.Refs)) // no answer is for nothing
	if g.refs+cost > maxAsked {
		return
	}
	g.asked, g.refs = append(g.asked, asked{o, s}), g.refs+cost
	select {
	case g.stir <- struct{}{}:
	default:
	}
}

// next takes what was asked for first.
func (g *giver) next() (a asked, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) == 0 {
		return a, false
	}
	a, g.asked[0] = g.asked[0], asked{}
	g.asked, g.refs = g.asked[1:], g.refs-max(1, len(a.s.Refs))
	return a, true
}

// run gives until the session ends.
func (g *giver) run(ctx context.Context, n *Node, s *peer.Session) {
	for {
		a, ok := g.next()
		if !ok {
			select {
			case <-g.stir:
				continue
			case <-s.Done():
			case <-ctx.Done():
			}
			return
		}
		if s.Room(ctx) != nil || !n.given.await(ctx, n, s) {
			return
		}
		size := a.o.give(s, a.s)
		n.given.use(n.steadyMS(), s.Remote().Device, size+answerCost+readCost*len(a.s.Refs))
	}
}

// giveTo begins to give on a session.
func (n *Node) giveTo(s *peer.Session) {
	g := newGiver()
	n.mu.Lock()
	n.givers[s] = g
	n.mu.Unlock()
	n.spawn(func(ctx context.Context) { g.run(ctx, n, s) })
}

// serve has a peer given what it asked for.
func (o *owner) serve(s group.Serve) {
	o.n.mu.Lock()
	g := o.n.givers[o.n.sessions[s.To]]
	o.n.mu.Unlock()
	if g != nil {
		g.add(o, s)
	}
}

// give reads stored entries and sends them, and returns of how many bytes. If what was asked
// for makes the program panic, it recovers as owner.received does.
func (o *owner) give(to *peer.Session, s group.Serve) (size int) {
	defer func() {
		if p := recover(); p != nil {
			o.n.broken(to, o.id, p)
		}
	}()
	payloads, err := o.answer(s)
	if err != nil {
		o.n.log.Error("cannot read", "group", shortGroup(o.id), "err", err)
		return 0
	}
	for _, payload := range payloads {
		size += len(payload)
		o.n.sendOn(to, o.id, payload)
	}
	return size
}
