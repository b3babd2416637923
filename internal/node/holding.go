package node

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/peer"
	"kith/internal/wire"
)

// Friends first say what they hold of each other's person chain, and are told
// what they lack: own.go has the bytes. Who says that it holds more than it does
// is not told what it lacks, and harms nobody else.

// restOf is the digest of what is told beside the headers.
func restOf(info []byte, resorts [][]byte) wire.Digest {
	var w wire.Writer
	w.Vec(info)
	writeVector(&w, resorts)
	return wire.Digest(wire.Hash(wire.HashPerson, w.Bytes()))
}

func headerHash(b []byte) wire.BlockHash { return wire.BlockHash(wire.Hash(wire.HashBlock, b)) }

// holding is what somebody has who was told p.
func (p personNews) holding() holding {
	if len(p.headers) == 0 {
		return holding{}
	}
	return holding{headerHash(p.headers[len(p.headers)-1]), restOf(p.info, p.resorts)}
}

// since returns what follows a header, and all if that is none of them.
func (p personNews) since(head wire.BlockHash) personNews {
	for i, b := range slices.Backward(p.headers) {
		if headerHash(b) == head {
			p.after, p.headers = head, p.headers[i+1:]
			break
		}
	}
	return p
}

// onto returns the whole chain of what follows a header of those held; ok is false
// if that is none of them, or it would be longer than what may be told at once.
func (p personNews) onto(held [][]byte) (whole personNews, ok bool) {
	if p.after == (wire.BlockHash{}) {
		return p, true
	}
	i := slices.IndexFunc(held, func(b []byte) bool { return headerHash(b) == p.after })
	p.headers = slices.Concat(held[:i+1], p.headers)
	p.after = wire.BlockHash{}
	size := 0
	for _, b := range p.headers {
		size += len(b)
	}
	return p, i >= 0 && len(p.headers) <= chain.MaxProofHeaders && size <= maxOwnHeaders
}

// noteAsked takes note whether a session's peer is to say what it holds.
func (n *Node) noteAsked(s *peer.Session, asked bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if g, live := n.greeted[s]; live {
		g.asked = asked
		n.greeted[s] = g
	}
}

// tellHolding tells a friend, once in a session, what is held of its person chain.
func (n *Node) tellHolding(s *peer.Session) {
	n.mu.Lock()
	g, live := n.greeted[s]
	say := live && !g.owned && s.As() == n.self.Device.ID()
	if say {
		g.owned = true
		n.greeted[s] = g
	}
	n.mu.Unlock()
	if !say {
		return
	}
	var h holding
	f := n.friendCopy(s.Remote().Person)
	if self := n.me(); f.State == friendSelf {
		f.Info, f.Headers = self.Info, self.Headers
	}
	if d := f.device(s.Remote().Device); d != nil {
		h = personNews{info: f.Info, headers: f.Headers, resorts: d.Resorts}.holding()
	}
	n.say(s, h.bytes())
}

// onHolding takes what a friend says that it holds, once in a session: so who asks
// again and again is not told again and again.
func (n *Node) onHolding(s *peer.Session, h holding) {
	n.mu.Lock()
	g, live := n.greeted[s]
	first := live && !g.answered
	if first {
		g.answered = true
		if g.told == (holding{}) {
			g.told = h
		}
		n.greeted[s] = g
	}
	n.mu.Unlock()
	if first {
		n.tellPerson(s)
	}
}
