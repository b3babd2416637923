package node

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

// What friends have to know of each other to meet at the rendezvous, and what they were told.

// digestOf stands for an address.
func digestOf(at link.Address) [32]byte {
	h := sha256.New()
	h.Write(at.Peer)
	for _, s := range at.Hosts {
		h.Write([]byte{0})
		h.Write([]byte(s))
	}
	return [32]byte(h.Sum(nil))
}

// giveSecret tells a friend by what it finds this device.
func (n *Node) giveSecret(s *peer.Session) {
	f, err := n.updateFriend(s.Remote().Person, func(f *friend) (bool, error) {
		if len(f.Secret) == 32 || !f.trusted() {
			return f.State != 0, errSame
		}
		f.Secret = wire.Random(32)
		return true, nil
	})
	if err != nil {
		f = *n.friendCopy(s.Remote().Person)
	}
	if len(f.Secret) == 32 {
		n.sayWay(s, findSecret{[32]byte(f.Secret)})
	}
}

// giveNodes tells a friend of nodes of the DHT: its own ways there may be blocked.
func (n *Node) giveNodes(s *peer.Session) {
	n.mu.Lock()
	f := n.finder
	n.mu.Unlock()
	if f == nil || !n.seeks() {
		return
	}
	if nodes := f.client.Sample(maxPathNodes); len(nodes) > 0 { // the newest would tell where was looked
		n.sayWay(s, dhtNodes(nodes))
	}
}

func (n *Node) onNodes(m dhtNodes) {
	n.mu.Lock()
	f := n.finder
	n.mu.Unlock()
	if f != nil {
		f.client.Add(m)
	}
}

func (n *Node) onSecret(s *peer.Session, m findSecret) {
	_, _ = n.updateFriend(s.Remote().Person, func(f *friend) (bool, error) {
		d := f.device(s.Remote().Device)
		if f.State == 0 || d == nil || bytes.Equal(d.Theirs, m.secret[:]) {
			return f.State != 0, errSame
		}
		d.Theirs = slices.Clone(m.secret[:])
		return true, nil
	})
}

// noteTold notes which address a friend's device has heard: one that a session went on after.
func (n *Node) noteTold() {
	type word struct {
		who  wire.Member
		said [32]byte
	}
	var list []word
	now := nowTime()
	n.mu.Lock()
	for s, g := range n.greeted {
		f := n.contact(s.Remote().Person)
		if f == nil || g.said == ([32]byte{}) || now.Sub(g.last) <= toldAfter || s.Err() != nil {
			continue
		}
		if d := f.device(s.Remote().Device); d != nil && !bytes.Equal(d.Told, g.said[:]) {
			list = append(list, word{s.Remote(), g.said})
		}
	}
	n.mu.Unlock()
	for _, w := range list {
		_, _ = n.updateFriend(w.who.Person, func(f *friend) (bool, error) {
			if d := f.device(w.who.Device); d != nil {
				d.Told = slices.Clone(w.said[:])
			}
			return f.State != 0, nil
		})
	}
}

// linkFound is where the maker of a link was found, and what stands in it.
func (n *Node) linkFound(l identity.ContactLink) []link.Address {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []link.Address
	if at, ok := n.found[[32]byte(l.Person)]; ok {
		list = append(list, at.at)
	}
	return append(list, link.Address{Peer: l.Peer, Hosts: l.Hosts})
}
