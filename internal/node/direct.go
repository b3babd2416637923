package node

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

const (
	// ownBurst and ownEach bound what one friend may say beside the groups: so
	// much at once, then one each ownEach. Each may cost a write to the disk. It
	// is said after every start, move and use of a key package.
	ownBurst = 64
	ownEach  = 2 * time.Second

	// maxGiven bounds the unused key packages of ours that one friend has; the
	// oldest of more are void.
	maxGiven = 8 * packagesEach
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
	n.say(s, hello{at.Peer, at.Hosts, uint8(min(len(f.Packages), 255))}.bytes())
}

func (n *Node) say(s *peer.Session, payload []byte) { n.sendOn(s, [32]byte{}, payload) }

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
	if !n.patient(f.Person) {
		s.Punish("own-flood", misbehaviourWeight)
		return
	}
	said, err := parseOwn(payload)
	switch said := said.(type) {
	case hello:
		err = n.onHello(s, said)
	case packages:
		err = n.onPackages(s, said)
	}
	if err != nil {
		s.Punish("own-message", misbehaviourWeight)
	}
}

// patient counts what a friend says; false if it is too much.
func (n *Node) patient(p wire.PersonID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := nowTime()
	spent := n.said[p]
	if floor := now.Add(-ownBurst * ownEach); spent.Before(floor) {
		spent = floor
	}
	spent = spent.Add(ownEach)
	if spent.After(now) {
		return false
	}
	n.said[p] = spent
	return true
}

func (n *Node) onHello(s *peer.Session, h hello) error {
	p := s.Remote().Person
	_, err := n.updateFriend(p, func(f *friend) (bool, error) {
		card, ok := f.card()
		if !ok || bytes.Equal(card.Peer, h.peer) && slices.Equal(card.Hosts, h.hosts) {
			return true, errSame
		}
		card.Peer, card.Hosts = h.peer, h.hosts
		b, err := card.Marshal()
		if err != nil {
			return true, err
		}
		f.Card = b
		return true, nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return n.theirFault(err)
	}
	if h.left <= packagesLow {
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
	err = n.db.Update(func(tx *store.Tx) error {
		if err := dropPackages(tx, s.Remote().Person); err != nil {
			return err
		}
		return putPackages(tx, private)
	})
	if err != nil {
		n.log.Error("cannot write", "err", err)
		return nil
	}
	n.say(s, packages(public).bytes())
	return nil
}

// dropPackages voids what a friend has too many of, and whatever has expired.
func dropPackages(tx *store.Tx, p wire.PersonID) error {
	all, err := tx.List(bucketPackage, nil)
	if err != nil {
		return err
	}
	type given struct {
		key    []byte
		expiry uint64
	}
	var theirs []given
	for _, item := range all {
		var own ownPackage
		if err := json.Unmarshal(item.Value, &own); err != nil {
			return errors.Join(store.ErrDamaged, err)
		}
		switch {
		case own.Expiry < nowMS()/1000:
			if err := tx.Delete(bucketPackage, item.Key); err != nil {
				return err
			}
		case bytes.Equal(own.For, p[:]):
			theirs = append(theirs, given{item.Key, own.Expiry})
		}
	}
	slices.SortFunc(theirs, func(a, b given) int { return cmp.Compare(a.expiry, b.expiry) })
	for i := 0; i+maxGiven-packagesEach < len(theirs); i++ {
		if err := tx.Delete(bucketPackage, theirs[i].key); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) onPackages(s *peer.Session, list packages) error {
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
	return n.theirFault(err)
}

// theirFault returns an error about what a friend said, and takes note of one of
// this node's own.
func (n *Node) theirFault(err error) error {
	if err != nil && !errors.Is(err, peer.ErrCard) {
		n.log.Error("cannot write", "err", err)
		return nil
	}
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

// openDirects makes the direct chats that a crash, or a lack of key packages, has
// left out.
func (n *Node) openDirects() {
	n.mu.Lock()
	var people []wire.PersonID
	for p := range n.friends {
		people = append(people, p)
	}
	n.mu.Unlock()
	for _, p := range people {
		n.spawnOpen(p)
	}
}

func (n *Node) spawnOpen(p wire.PersonID) {
	n.spawn(func(context.Context) {
		if err := n.openDirect(p); err != nil {
			n.log.Error("cannot open the direct chat", "err", err)
		}
	})
}
