package node

import (
	"context"
	"errors"
	"slices"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// What friends tell each other beside their groups, on channel zero. Numbers are
// on the wire: append only.
//
//	number name      body
//	1      hello     opaque link peer id<V>, hosts: opaque<V>...<V>, u8 key packages of yours that I have left
//	2      packages  opaque key package<V>...<V>, at most 8
const (
	ownHello    uint8 = 1
	ownPackages uint8 = 2
)

const (
	maxOwnPackage = 8 << 10
	maxOwnHost    = 128
	maxOwnHosts   = 8
)

// greet tells a friend where this node is and how many key packages are left.
func (n *Node) greet(s *peer.Session) {
	n.mu.Lock()
	f := n.friends[s.Remote().Person]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend {
		return
	}
	at := n.address()
	var w wire.Writer
	w.U8(ownHello)
	w.Vec(at.Peer)
	w.Group(func(w *wire.Writer) {
		for _, h := range at.Hosts {
			w.Vec([]byte(h))
		}
	})
	w.U8(uint8(min(len(f.Packages), 255)))
	n.say(s, w.Bytes())
}

func (n *Node) say(s *peer.Session, payload []byte) {
	if err := s.Send(peer.Message{Payload: payload}); err != nil {
		n.log.Debug("not sent", "peer", shortDevice(s.Remote().Device), "err", err)
	}
}

func (n *Node) greetPerson(p wire.PersonID) {
	for _, s := range n.liveSessions() {
		if s.Remote().Person == p {
			n.greet(s)
		}
	}
}

// receiveOwn takes what a friend says beside the groups.
func (n *Node) receiveOwn(s *peer.Session, payload []byte) {
	n.mu.Lock()
	f := n.friends[s.Remote().Person]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend {
		return // not yet, or not any more
	}
	r := wire.NewReader(payload)
	var err error
	switch r.U8() {
	case ownHello:
		err = n.onHello(s, r)
	case ownPackages:
		err = n.onPackages(s, r)
	default:
		err = wire.ErrCanonical
	}
	if err != nil {
		s.Punish("own-message", misbehaviourWeight)
	}
}

func (n *Node) onHello(s *peer.Session, r *wire.Reader) error {
	id := slices.Clone(r.Vec(64))
	var hosts []string
	r.Each(maxOwnHosts*(maxOwnHost+2), maxOwnHosts, func(r *wire.Reader) { hosts = append(hosts, string(r.Vec(maxOwnHost))) })
	left := r.U8()
	if err := r.Done(); err != nil {
		return err
	}
	p := s.Remote().Person
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		card, ok := f.card()
		if !ok {
			return true, nil
		}
		card.Peer, card.Hosts = id, hosts
		b, err := card.Marshal()
		if err != nil {
			return true, err
		}
		f.Card = b
		return true, nil
	})
	if err != nil {
		return err
	}
	if left <= packagesLow {
		return n.givePackages(s)
	}
	return nil
}

// givePackages gives a friend new key packages, once their private parts are
// durable.
func (n *Node) givePackages(s *peer.Session) error {
	public, private, err := n.makePackages(s.Remote().Person)
	if err != nil {
		return err
	}
	if err := n.db.Update(func(tx *store.Tx) error { return putPackages(tx, private) }); err != nil {
		n.log.Error("cannot write", "err", err)
		return nil
	}
	var w wire.Writer
	w.U8(ownPackages)
	w.Group(func(w *wire.Writer) {
		for _, b := range public {
			w.Vec(b)
		}
	})
	n.say(s, w.Bytes())
	return nil
}

func (n *Node) onPackages(s *peer.Session, r *wire.Reader) error {
	var list [][]byte
	r.Each(packagesEach*(maxOwnPackage+4), packagesEach, func(r *wire.Reader) { list = append(list, slices.Clone(r.Vec(maxOwnPackage))) })
	if err := r.Done(); err != nil {
		return err
	}
	for _, b := range list {
		if err := group.CheckPackage(b, s.Remote(), nowMS()); err != nil {
			return err
		}
	}
	_, err := n.updateFriend(s.Remote().Person, func(f *friend) (bool, error) {
		f.Packages = append(slices.Clone(f.Packages), list...)
		if over := len(f.Packages) - 2*packagesEach; over > 0 {
			f.Packages = f.Packages[over:]
		}
		return true, nil
	})
	return err
}

// openDirect makes the direct chat with a friend, unless there is one.
func (n *Node) openDirect(p wire.PersonID) error {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend || !f.Opener || f.Chat != (wire.GroupID{}) {
		return nil
	}
	err := n.withNewcomers([]wire.PersonID{p}, func(newcomers []group.Newcomer, take []edit) error {
		m, eff, err := group.Create(n.self, group.CreateParams{Direct: true, Newcomers: newcomers}, nowMS())
		if err != nil {
			return err
		}
		return n.adopt(m, eff, also{edits: append(take, setChat(p, wire.GroupID{}, m.Group()))})
	})
	if errors.Is(err, errOtherChat) {
		return nil // the other opened it meanwhile
	}
	return err
}

func (n *Node) spawnOpen(p wire.PersonID) {
	n.spawn(func(context.Context) {
		if err := n.openDirect(p); err != nil {
			n.log.Error("cannot open the direct chat", "err", err)
		}
	})
}
