package node

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/store"
	"kith/internal/wire"
)

// An edit changes what is kept of one person. It gets a copy, with the zero
// State if nothing is kept yet; with keep false the person is forgotten.
type edit struct {
	person wire.PersonID
	change func(f *friend) (keep bool, err error)
}

// edited runs commit, which is to call write within its transaction. What the
// edits leave is seen by others once that is durable, and nobody else edits
// meanwhile.
func (n *Node) edited(edits []edit, commit func(write func(*store.Tx) error) error) error {
	if len(edits) == 0 {
		return commit(func(*store.Tx) error { return nil })
	}
	n.editing.Lock()
	defer n.editing.Unlock()
	next := make(map[wire.PersonID]*friend)
	err := commit(func(tx *store.Tx) error {
		for _, e := range edits {
			f, changed := next[e.person]
			if !changed {
				f = n.friendCopy(e.person)
			}
			keep, err := e.change(f)
			if err != nil {
				return err
			}
			if !keep {
				f = nil
			}
			next[e.person] = f
		}
		if err := n.shareFriends(tx, next); err != nil {
			return err
		}
		return putFriends(tx, next)
	})
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.namesakes = nil
	for p, f := range next {
		if p == n.self.Person {
			n.own = f
		} else if f != nil {
			n.friends[p] = f
		} else {
			delete(n.friends, p)
		}
	}
	n.mu.Unlock()
	n.kickDialer()
	n.shareSoon()
	for p, f := range next {
		if f != nil && f.State == friendSelf {
			n.hub.publish(StatusChanged{})
		} else if f != nil {
			n.hub.publish(FriendChanged{p})
		} else {
			n.hub.publish(FriendRemoved{p})
		}
	}
	return nil
}

// shareFriends notes of whom other own devices are to be told.
func (n *Node) shareFriends(tx *store.Tx, next map[wire.PersonID]*friend) error {
	for p, f := range next {
		n.mu.Lock()
		before, own := n.friends[p], p == n.self.Person
		n.mu.Unlock()
		if own || !tellsAnew(before, f) {
			continue
		}
		if err := n.share(tx, sharedFriend, p[:]); err != nil {
			return err
		}
	}
	return nil
}

// friendCopy returns what is kept of a person, to be changed.
func (n *Node) friendCopy(p wire.PersonID) *friend {
	n.mu.Lock()
	defer n.mu.Unlock()
	if f := n.contact(p); f != nil {
		next := *f
		next.Devices = slices.Clone(f.Devices)
		return &next
	}
	return &friend{Person: p, Since: n.nowMS()}
}

// contact is what is kept of a friend, or of the own person's other devices; nil:
// nothing. n.mu is held.
func (n *Node) contact(p wire.PersonID) *friend {
	if n.own != nil && p == n.own.Person {
		return n.own
	}
	return n.friends[p]
}

// contacts are all of them. n.mu is held.
func (n *Node) contacts() []*friend {
	list := slices.Collect(maps.Values(n.friends))
	if n.own != nil {
		list = append(list, n.own)
	}
	return list
}

func putFriends(tx *store.Tx, list map[wire.PersonID]*friend) error {
	for p, f := range list {
		err := error(nil)
		if f != nil {
			err = f.put(tx)
		} else {
			err = tx.Delete(bucketFriend, p[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setChat notes which group is the direct chat with a friend, unless another
// than old has become it meanwhile.
func setChat(p wire.PersonID, old, g wire.GroupID) edit {
	return edit{p, func(f *friend) (bool, error) {
		if f.State != FriendFriend && f.State != FriendAsked || f.Chat != old && f.Chat != g {
			return true, errOtherChat
		}
		f.Chat, f.State = g, FriendFriend
		return true, nil
	}}
}

var (
	errSame      = errors.New("node: nothing is new")
	errResort    = errors.New("node: a last resort among the packages for one group each")
	errTaken     = errors.New("node: the key package was used meanwhile")
	errOtherChat = errors.New("node: there is another direct chat")
	errOwnChat   = errors.New("node: the direct chat of one's own stays")
)

// takePackage takes a key package of a friend's, and those of its device and suite
// before it, which are of no use any more.
func takePackage(p wire.PersonID, b []byte) edit {
	same := func(c []byte) bool { return bytes.Equal(b, c) }
	return edit{p, func(f *friend) (bool, error) {
		for i := range f.Devices {
			d := &f.Devices[i]
			if slices.ContainsFunc(d.Resorts, same) {
				return true, nil // is not used up
			}
			at := slices.IndexFunc(d.Packages, same)
			if at < 0 {
				continue
			}
			var rest [][]byte
			for j, c := range d.Packages {
				if j > at || suiteOf(c) != suiteOf(b) {
					rest = append(rest, c)
				}
			}
			d.Packages = rest
			return true, nil
		}
		return true, errTaken
	}}
}

// takeTries is how often key packages are chosen anew when others take them at
// the same time.
const takeTries = 8

// withNewcomers runs add with what is needed to add friends to a group of a suite
// and the edits that take a key package of each, to be written with the group.
func (n *Node) withNewcomers(people []wire.PersonID, suite mls.Suite, add func([]group.Newcomer, []edit) error) error {
	err := errTaken
	for try := 0; try < takeTries && errors.Is(err, errTaken); try++ {
		var list []group.Newcomer
		var take []edit
		for i, p := range people {
			if slices.Contains(people[:i], p) {
				continue
			}
			who, err := n.newcomer(p, suite)
			if err != nil {
				return err
			}
			list, take = append(list, who), append(take, takePackage(p, who.KeyPackage))
			for _, d := range who.Others {
				take = append(take, takePackage(p, d.KeyPackage))
			}
		}
		err = add(list, take)
	}
	if err == nil {
		for _, p := range people {
			n.greetPerson(p) // fewer of their key packages are left
		}
		n.stirInvited(people)
	}
	return err
}

// newcomer returns what is needed to add a friend to a group of a suite, with all
// devices of which there is a key package.
func (n *Node) newcomer(p wire.PersonID, suite mls.Suite) (group.Newcomer, error) {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend {
		return group.Newcomer{}, fail(ReasonNotFriend, n.person(p).Name)
	}
	who := group.Newcomer{Person: p, Headers: f.Headers, Info: f.Info}
	for i := range f.Devices {
		d := &f.Devices[i]
		b := d.usable(f.member(d), suite, n.nowMS())
		switch {
		case b == nil:
		case who.KeyPackage == nil:
			who.KnockKey, who.KeyPackage = d.Knock, b
		default:
			who.Others = append(who.Others, group.NewDevice{KnockKey: d.Knock, KeyPackage: b})
		}
	}
	if who.KeyPackage == nil {
		return group.Newcomer{}, fail(ReasonNoPackage, f.name())
	}
	return who, nil
}

// usable returns a key package of a device for a group of a suite at now, in ms, the
// last resort last; nil if there is none.
func (d *metDevice) usable(who wire.Member, suite mls.Suite, now uint64) []byte {
	for _, b := range slices.Concat(d.Packages, d.Resorts) {
		if kp, err := group.CheckPackage(b, who, now); err == nil && kp.Suite() == suite {
			return b
		}
	}
	return nil
}
