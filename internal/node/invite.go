package node

import (
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/wire"
)

// invited takes an invitation for a group that this device does not know.
// Several members may bring one at once.
func (n *Node) invited(s *peer.Session, g wire.GroupID, payload []byte) {
	n.joining.Lock()
	defer n.joining.Unlock()
	defer func() {
		if p := recover(); p != nil { // as in owner.received
			n.broken(s, g, p)
		}
	}()
	from := s.Remote()
	if n.isDamaged(g) {
		return // what is stored of it stays as it is
	}
	if o := n.owner(g); o != nil { // another member was first
		o.post(func() {
			o.received(s, group.Received{From: from, Payload: payload, Secrets: o.secretsFor(payload)})
		})
		return
	}
	var used ownPackage
	void := false // its key package was used up: an honest friend may not know
	m, eff, err := n.join(payload, from, func(u group.Use) ([]byte, bool) {
		own, ok := n.packageFor(u)
		used, void = own, !ok
		return own.Secrets, ok
	})
	if err != nil || m.Group() != g {
		if !void && !errors.Is(err, group.ErrStale) && !errors.Is(err, chain.ErrNewer) {
			s.Punish("invitation", misbehaviourWeight)
		}
		n.log.Debug("invitation refused", "peer", shortDevice(from.Device), "group", shortGroup(g), "err", err)
		return
	}
	view := m.View()
	if n.pending(view.InvitedBy) >= maxPending {
		n.log.Info("invitation refused: too many are unanswered", "peer", shortDevice(from.Device))
		return
	}
	if !used.isFor(view.InvitedBy) || !n.mayInvite(view, from.Person) {
		n.log.Info("invitation refused: not by a friend", "peer", shortDevice(from.Device), "group", shortGroup(g))
		return
	}
	n.log.Debug("invited", "peer", shortDevice(from.Device), "group", shortGroup(g))
	if view.Direct {
		err = n.adoptDirect(from.Person, m, eff)
	} else {
		err = n.adopt(m, eff, also{})
	}
	switch {
	case errors.Is(err, errOwnChat):
		n.log.Info("direct chat refused: there is one", "peer", shortDevice(from.Device), "group", shortGroup(g))
	case err != nil:
		n.log.Error("cannot join", "group", shortGroup(g), "err", err)
	case view.Direct:
		n.greet(s)
	}
}

// join makes the machine of a group that this device, or an earlier one of this
// home that the inviter knows, is invited to. The latter's then adds this one.
func (n *Node) join(payload []byte, from wire.Member, secrets group.Secrets) (m *group.Machine, eff group.Effects, err error) {
	self := n.me()
	m, eff, err = group.Join(self, payload, from, secrets, nowMS())
	for _, d := range self.Former {
		if err == nil {
			break
		}
		before := group.Self{Device: d, Person: self.Person, Headers: self.Headers, Info: self.Info}
		if old, with, oldErr := group.Join(before, payload, from, secrets, nowMS()); oldErr == nil {
			m, eff, err = old, with, nil
		}
	}
	return m, eff, err
}

// secretsFor gives a machine that is here already the private part of the key
// package by which an invitation leads back into its group, on the terms of the
// first invitation: the friend it was given to has used it.
func (o *owner) secretsFor(payload []byte) group.Secrets {
	return func(u group.Use) ([]byte, bool) {
		own, ok := o.n.packageFor(u)
		by, named := group.Inviter(payload)
		if !ok || !named || !own.isFor(by.Person) || !o.n.isFriend(by.Person) {
			return nil, false
		}
		return own.Secrets, true
	}
}

// resortSecrets gives a machine the private part of a last-resort key package, by
// which a member's block may start its group's keys anew.
func (n *Node) resortSecrets(u group.Use) ([]byte, bool) {
	own, ok := n.packageFor(u)
	return own.Secrets, ok && own.LastResort
}

func (n *Node) isDamaged(g wire.GroupID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.damaged, g)
}

func (n *Node) isFriend(p wire.PersonID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.friends[p]
	return f != nil && f.State == FriendFriend
}

// maxPending bounds the unanswered invitations of one friend: each is a group
// that is stored. One that is refused comes again with the next session.
const maxPending = 64

func (n *Node) pending(by wire.PersonID) (count int) {
	for _, o := range n.allOwners() {
		if v := o.picture.Load().view; v.Status == group.StatusInvited && v.InvitedBy == by {
			count++
		}
	}
	return count
}

// mayInvite reports whether the person who added us is a friend; to a direct
// chat, also one whom we have asked, and nobody else brings it.
func (n *Node) mayInvite(v group.View, from wire.PersonID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.friends[v.InvitedBy]
	switch {
	case f == nil:
		return false
	case v.Direct:
		return from == v.InvitedBy && (f.State == FriendFriend || f.State == FriendAsked)
	}
	return f.State == FriendFriend
}

// restore brings back a group that could not be deleted.
func (n *Node) restore(g wire.GroupID) {
	m, err := n.loadMachine(g)
	if err != nil {
		n.log.Error("cannot load", "group", shortGroup(g), "err", err)
		return
	}
	n.start(m)
}
