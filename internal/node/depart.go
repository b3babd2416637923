package node

import (
	"errors"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// How a chat ends here.

// DeclineGroup declines an invitation.
func (n *Node) DeclineGroup(g wire.GroupID) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	if o.picture.Load().view.Status != group.StatusInvited {
		return fail(ReasonNotInvited, o.picture.Load().view.Title)
	}
	return o.do(group.Leave{Successor: successorIfAlone(o.picture.Load().view)})
}

// successorIfAlone names somebody else where the only admin is the one who goes,
// which an invited person can be by a race alone.
func successorIfAlone(v group.View) wire.PersonID {
	admins := 0
	var other wire.PersonID
	for _, m := range v.Members {
		if m.Admin {
			admins++
		} else {
			other = m.Person
		}
	}
	if v.Admin && admins == 1 {
		return other
	}
	return wire.PersonID{}
}

// LeaveGroup leaves a group, as soon as another member's node takes note. A
// direct chat is not left: one blocks the other.
func (n *Node) LeaveGroup(g wire.GroupID, successor wire.PersonID) error {
	if o := n.owner(g); o != nil && o.picture.Load().view.Direct {
		return &group.Refusal{Reason: group.ReasonDirect}
	}
	return n.inGroup(g, group.Leave{Successor: successor})
}

// DeleteChat forgets a chat that one is not in any more, or alone in.
func (n *Node) DeleteChat(g wire.GroupID) error {
	n.joining.Lock() // or an invitation brought it back while it is deleted
	defer n.joining.Unlock()
	o, err := n.in(g)
	if err != nil {
		return err
	}
	v := o.picture.Load().view
	alone := len(v.Members) == 1 && g != n.notes
	if !alone && !outside(v.Status) {
		return fail(ReasonStillIn, v.Title)
	}
	n.forget(o)
	if err := n.db.Update(func(tx *store.Tx) error { return dropChat(tx, g) }); err != nil {
		n.restore(g)
		return storeError(err)
	}
	n.indexSoon()
	n.mu.Lock()
	delete(n.settings, g)
	var with []wire.PersonID
	for p, f := range n.friends {
		if f.Chat == g {
			with = append(with, p)
		}
	}
	n.mu.Unlock()
	for _, p := range with {
		if _, err := n.updateFriend(p, func(f *friend) (bool, error) {
			f.Chat = wire.GroupID{}
			return true, nil
		}); err != nil {
			return err
		}
	}
	n.hub.publish(ChatDeleted{g})
	return nil
}

// dropChat deletes all that is stored of a chat.
func dropChat(tx *store.Tx, g wire.GroupID) error {
	for _, bucket := range []string{bucketDrop, bucketMail} {
		pairs, err := tx.List(bucket, g[:])
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if err := tx.Delete(bucket, p.Key); err != nil {
				return err
			}
		}
	}
	return errors.Join(tx.DeleteGroup(g), tx.Delete(bucketDraft, g[:]), tx.Delete(bucketChat, g[:]), tx.Delete(bucketTaken, g[:]), tx.Delete(bucketAhead, g[:]))
}

// forget ends an owner, after what it has under way.
func (n *Node) forget(o *owner) {
	n.mu.Lock()
	if n.owners[o.id] == o {
		delete(n.owners, o.id)
	}
	runs := o.started
	n.mu.Unlock()
	o.forget.Do(func() { close(o.deleted) })
	if runs {
		<-o.ended
	}
}
