package node

import (
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// A home whose key another copy of it has revoked takes no part any more. What it has
// can be read, and its notes go on; whatever would need others is refused with that
// one reason, since what a group says of it (removed, invited, left) is not why.

// noteRevoked takes note that the person has revoked this home's key at another copy
// of it. It stays as it is: what it has can be read.
func (n *Node) noteRevoked() {
	n.mu.Lock()
	first := !n.revoked
	n.revoked = true
	n.mu.Unlock()
	if !first {
		return
	}
	n.log.Error("this device was revoked, at another device or by a copy of this home: it sends and receives nothing any more")
	if err := n.db.Update(func(tx *store.Tx) error { return tx.Put(bucketSelf, []byte(keyRevoked), []byte{1}) }); err != nil {
		n.log.Error("cannot write", "err", err)
	}
	n.hub.publish(StatusChanged{})
}

// takesPart refuses what a home does with others once its key is revoked.
func (n *Node) takesPart() error {
	if n.isRevoked() {
		return fail(ReasonRevoked, "")
	}
	return nil
}

func (n *Node) isRevoked() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.revoked
}

// shutOut reports whether a chat is over for a home that is revoked: each but its notes.
func (n *Node) shutOut(g wire.GroupID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.revoked && g != n.notes
}

// forOthers reports whether a cause is a person's word that is of no use unless others
// hear it.
func forOthers(c group.Cause) bool {
	switch c.(type) {
	case group.Compose, group.Accept, group.Invite, group.Remove, group.SetRole, group.SetTitle, group.SetHistory, group.SetVoters, group.Restart, group.Resend, group.Leave:
		return true
	}
	return false
}
