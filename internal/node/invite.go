package node

import (
	"errors"
	"fmt"
	"slices"

	"kith/internal/bundle"
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
	if o := n.owner(g); o != nil { // another member was first
		o.post(func() {
			o.received(s, group.Received{From: from, Payload: payload, Secrets: n.ownSecrets})
		})
		return
	}
	direct, wrong := n.takeInvitation(n.as(s), from, g, payload)
	if wrong {
		s.Punish("invitation", misbehaviourWeight)
	}
	if direct {
		n.greet(s)
	}
}

// invitedAway takes an invitation, or a page of one, that came in a file.
func (n *Node) invitedAway(from wire.Member, g wire.GroupID, payload []byte) (err error) {
	n.joining.Lock()
	defer n.joining.Unlock()
	defer func() {
		if p := recover(); p != nil { // as in owner.received
			n.log.Error("a bundle broke the program", "group", shortGroup(g), "panic", fmt.Sprint(p))
			err = bundle.ErrFormat
		}
	}()
	if n.owner(g) == nil {
		n.takeInvitation(n.me(), from, g, payload)
	}
	return nil
}

// takeInvitation takes an invitation by somebody who said that it is for self. It reports
// whether a direct chat came of it, and whether from has said what nobody may say. The caller
// holds joining.
func (n *Node) takeInvitation(self group.Self, from wire.Member, g wire.GroupID, payload []byte) (direct, wrong bool) {
	if n.isDamaged(g) {
		return false, false // what is stored of it stays as it is
	}
	c, ok := n.comingOf(g, self, from.Person)
	if !ok {
		n.log.Info("invitation refused: too many come at once", "peer", shortDevice(from.Device))
		return false, false
	}
	var used ownPackage
	void := false // its key package was used up: an honest friend may not know
	m, eff, err := c.Take(n.nowMS(), payload, from, func(u group.Use) ([]byte, bool) {
		own, ok := n.packageFor(u)
		used, void = own, !ok
		return own.Secrets, ok
	})
	if m == nil {
		have, left := c.Progress()
		n.log.Debug("invitation comes in pieces", "group", shortGroup(g), "blocks", have, "left", left)
		n.goOn(g, c, eff)
		n.spareComing(group.MaxComing)
	} else {
		n.arrived(g)
	}
	if err != nil {
		wrong = !void && !errors.Is(err, group.ErrStale) && !errors.Is(err, chain.ErrNewer)
		n.log.Debug("invitation refused", "peer", shortDevice(from.Device), "group", shortGroup(g), "err", err)
	}
	if m == nil {
		return false, wrong
	}
	view := m.View()
	if n.pending(view.InvitedBy) >= maxPending {
		n.log.Info("invitation refused: too many are unanswered", "peer", shortDevice(from.Device))
		return false, wrong
	}
	if !used.isFor(view.InvitedBy) || !n.mayInvite(view, from.Person) {
		n.log.Info("invitation refused: not by a friend", "peer", shortDevice(from.Device), "group", shortGroup(g))
		return false, wrong
	}
	n.log.Debug("invited", "peer", shortDevice(from.Device), "group", shortGroup(g))
	if view.InvitedBy == self.Person {
		err = n.adoptOwn(m, eff)
	} else if view.Direct {
		err = n.adoptDirect(from.Person, m, eff)
	} else {
		err = n.adopt(m, eff, also{})
	}
	switch {
	case errors.Is(err, errOwnChat):
		n.log.Info("direct chat refused: there is one", "peer", shortDevice(from.Device), "group", shortGroup(g))
	case err != nil:
		n.log.Error("cannot join", "group", shortGroup(g), "err", err)
	default:
		direct = view.Direct
	}
	return direct, wrong
}

// ownSecrets gives a machine that is here already the private part of a key
// package: one by which somebody leads this device back into the group, on the
// terms of the first invitation, that the friend it was given to has used it; or a
// last resort, by which a member's block may start the group's keys anew.
func (n *Node) ownSecrets(u group.Use) ([]byte, bool) {
	own, ok := n.packageFor(u)
	if u.By == (wire.PersonID{}) {
		return own.Secrets, ok && own.LastResort
	}
	return own.Secrets, ok && own.isFor(u.By) && (u.By == n.me().Person || n.isFriend(u.By))
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
	case v.InvitedBy == n.self.Person:
		return true // an own device has brought this one in, of which any member may tell
	case f == nil:
		return false
	case v.Direct:
		return from == v.InvitedBy && (f.State == FriendFriend || f.State == FriendAsked)
	}
	return f.State == FriendFriend
}

// Hidden reports whether a chat is an invitation by somebody who is blocked: it is not
// listed until the block is taken back.
func (n *Node) Hidden(g wire.GroupID) bool {
	o := n.owner(g)
	return o != nil && n.hides(o)
}

func (n *Node) hides(o *owner) bool {
	v := o.picture.Load().view
	if v.Status != group.StatusInvited || v.Direct {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.friends[v.InvitedBy]
	return f != nil && f.State == FriendBlocked
}

// showInvitations tells whoever watches that the invitations of somebody are listed,
// or are no longer.
func (n *Node) showInvitations(by wire.PersonID) {
	for _, o := range n.allOwners() {
		switch v := o.picture.Load().view; {
		case v.Status != group.StatusInvited || v.Direct || v.InvitedBy != by:
		case n.hides(o):
			n.hub.publish(ChatDeleted{o.id})
		default:
			n.hub.publish(ChatChanged{o.id})
		}
	}
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
