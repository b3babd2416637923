package node

import (
	"context"
	"errors"
	"slices"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/store"
	"kith/internal/wire"
)

// openDirect makes the direct chat with a friend, unless there is one.
func (n *Node) openDirect(p wire.PersonID) error {
	n.making.RLock() // as in CreateGroup
	defer n.making.RUnlock()
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend || !f.Opener || f.Chat != (wire.GroupID{}) {
		return nil
	}
	suite := f.directSuite()
	err := n.withNewcomers([]wire.PersonID{p}, suite, func(newcomers []group.Newcomer, take []edit) error {
		m, eff, err := group.Create(n.me(), group.CreateParams{Direct: true, Newcomers: newcomers, Suite: suite}, n.nowMS())
		if err != nil {
			return err
		}
		return n.adopt(m, eff, also{edits: append(take, setChat(p, wire.GroupID{}, m.Group()))})
	})
	if errors.Is(err, errOtherChat) {
		return nil // the other opened it meanwhile
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == ReasonNoPackage {
		n.log.Info("the direct chat waits for a key package")
		return nil
	}
	return err
}

// directSuite is the suite of the direct chat with a friend: that of new groups,
// unless all that is known of its program is that it reads suite 1 alone.
func (f *friend) directSuite() mls.Suite {
	old := func(d metDevice) bool {
		return !d.Able && len(d.Resorts) == 0 && d.left(suiteFor(false)) > 0 && d.left(group.NewSuite) == 0
	}
	if slices.ContainsFunc(f.Devices, old) {
		return suiteFor(false)
	}
	return group.NewSuite
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

// adoptDirect takes part in the direct chat that a friend has made; who asked has
// thereby accepted the chat with exactly that person. One of one's own may be
// written at any moment of it: then it is decided anew which of the two stays.
func (n *Node) adoptDirect(p wire.PersonID, m *group.Machine, eff group.Effects) error {
	if m.Device() != n.me().Device.ID() { // the invitation is for an earlier device, which says nothing any more
		defer func() {
			if o := n.owner(m.Group()); o != nil {
				o.tell(group.Accept{})
			}
		}()
	} else {
		accepted, err := m.Step(group.Input{Now: n.nowMS(), Cause: group.Accept{}})
		if err != nil {
			return err
		}
		eff.Write = append(eff.Write, accepted.Write...)
		eff.Rows = append(eff.Rows, accepted.Rows...)
	}
	err := errOtherChat
	for try := 0; try < takeTries && errors.Is(err, errOtherChat); try++ {
		err = n.replaceDirect(p, m, eff)
	}
	return err
}

// adoptOwn takes part in a group that another own device has brought this one into: the
// person is a member and is not asked again.
func (n *Node) adoptOwn(m *group.Machine, eff group.Effects) error {
	var with also
	v, me := m.View(), n.me().Person
	for _, who := range v.Members {
		if v.Direct && who.Person != me {
			with.edits = append(with.edits, edit{who.Person, func(f *friend) (bool, error) {
				if f.State != 0 { // else the other device tells of the friend soon
					f.Chat = m.Group()
				}
				return f.State != 0, nil
			}})
		}
	}
	return n.adopt(m, eff, with)
}

// replaceDirect puts the chat of m, that a friend has made, in the place of the
// one there is with them, if that gives way: its end and the other's beginning
// are one transaction.
func (n *Node) replaceDirect(p wire.PersonID, m *group.Machine, eff group.Effects) error {
	n.mu.Lock()
	var chat wire.GroupID
	if f := n.friends[p]; f != nil {
		chat = f.Chat
	}
	n.mu.Unlock()
	with := also{edits: []edit{setChat(p, chat, m.Group())}}
	old := n.owner(chat)
	if old == nil {
		return n.adopt(m, eff, with)
	}
	if !n.givesWay(old, p) {
		return errOwnChat
	}
	n.forget(old) // from here on nothing is written in it
	switch newest, err := n.db.Newest(old.id); {
	case err != nil:
		n.restore(old.id)
		return err
	case newest != nil: // what was written stays, though nobody gets it
		n.restore(old.id)
		return n.adopt(m, eff, with)
	}
	with.write = func(tx *store.Tx) error { return dropChat(tx, old.id) }
	if err := n.adopt(m, eff, with); err != nil {
		n.restore(old.id)
		return err
	}
	n.hub.publish(ChatDeleted{old.id})
	return nil
}

// givesWay decides what becomes of an own direct chat with a friend who has made
// another: of two made at once that of the person with the smaller id stays, and
// so does one that the friend has taken. Both programs decide the same.
func (n *Node) givesWay(own *owner, friend wire.PersonID) bool {
	taken := slices.ContainsFunc(own.picture.Load().view.Members, func(m group.MemberView) bool {
		return m.Person == friend && m.Accepted
	})
	self := n.me().Person
	return !taken && slices.Compare(self[:], friend[:]) > 0
}
