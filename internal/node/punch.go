package node

import (
	"context"
	"slices"
	"time"

	"kith/internal/link"
	"kith/internal/peer"
)

// Two who talk through a relay try to reach each other directly, by sending at the same
// moment: each router then takes the other's packets for answers. The timing is that of DCUtR:
// one asks, and once it is answered says go and waits half of the round trip. It dials, the other
// sends. Both ask in turn: where one router shows each another port, only the machine behind it
// can be the one that dials.

// punching asks for direct connections while a session goes through a relay.
func (n *Node) punching(ctx context.Context, s *peer.Session) {
	for i, wait := range punchTries {
		if i == 0 && !s.Dialed() {
			wait = punchTurn
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-s.Done():
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil || s.Err() != nil {
			return
		}
		n.askPunch(s)
	}
}

func (n *Node) askPunch(s *peer.Session) {
	own := n.candidates()
	if len(own) == 0 || !n.mayKnow(s.Remote()) {
		return
	}
	n.mu.Lock()
	if w := n.ways[s]; w != nil {
		w.asked = nowTime()
		w.tries++
	}
	n.mu.Unlock()
	n.sayWay(s, punch{punchAsk, own})
}

func (n *Node) onPunch(s *peer.Session, w *way, m punch) {
	if s.Kind() != relayKind || !n.mayKnow(s.Remote()) {
		return
	}
	m.hosts = slices.DeleteFunc(m.hosts, func(h string) bool {
		ip, _, ok := hostPort(h)
		return !ok || ip.IsLoopback() || !isQUIC(h)
	})
	if m.step != punchGo && !n.mayPunch(w) {
		return
	}
	switch m.step {
	case punchAsk:
		own := n.candidates()
		if len(own) == 0 || len(m.hosts) == 0 {
			return
		}
		n.mu.Lock()
		w.theirs = m.hosts
		n.mu.Unlock()
		n.sayWay(s, punch{punchAnswer, own})
	case punchAnswer:
		n.mu.Lock()
		asked := w.asked
		w.asked = time.Time{}
		n.mu.Unlock()
		if asked.IsZero() || len(m.hosts) == 0 {
			return
		}
		n.sayWay(s, punch{step: punchGo})
		half := nowTime().Sub(asked) / 2
		n.spawn(func(ctx context.Context) { n.punchThrough(ctx, s, m.hosts, half) })
	case punchGo:
		n.mu.Lock()
		theirs := w.theirs
		w.theirs = nil
		n.mu.Unlock()
		if len(theirs) == 0 {
			return
		}
		n.spawn(func(ctx context.Context) { n.punchTo(ctx, s, theirs) })
	}
}

// mayPunch bounds how often somebody has this node send packets to places that it names.
func (n *Node) mayPunch(w *way) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := nowTime()
	if now.Sub(w.punched) < punchRest {
		return false
	}
	w.punched = now
	return true
}

// punchThrough dials as the other side sends, and knocks at what stands: the session that comes of
// it takes the place of the relayed one.
func (n *Node) punchThrough(ctx context.Context, s *peer.Session, hosts []string, half time.Duration) {
	t := time.NewTimer(half)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return
	}
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	wanted := n.targets[s.Remote().Device]
	if !ok || wanted == nil {
		n.mu.Unlock()
		return
	}
	to := wanted.to
	n.mu.Unlock()
	conn, err := d.Punch(ctx, link.Address{Peer: s.At().Peer, Hosts: hosts})
	if err != nil {
		n.log.Info("no direct way yet, the relay stays", "peer", shortDevice(s.Remote().Device))
		return
	}
	cfg := n.peerConfig()
	cfg.Device = n.as(s).Device
	better, err := peer.Knock(ctx, conn, cfg, to)
	if err != nil {
		n.log.Debug("punched, and not answered", "peer", shortDevice(s.Remote().Device), "err", err)
		return
	}
	if !n.spawn(func(ctx context.Context) { n.session(ctx, better) }) {
		better.Close(nil)
	}
}

// punchTo sends at the moment at which the other side dials; what it dials is accepted as any.
func (n *Node) punchTo(ctx context.Context, s *peer.Session, hosts []string) {
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	n.mu.Unlock()
	if ok {
		_ = d.Expect(ctx, link.Address{Peer: s.At().Peer, Hosts: hosts})
	}
}
