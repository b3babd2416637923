package node

import (
	"kith/internal/group"
	"kith/internal/wire"
)

// How far chats were read. The store keeps it; the machine of the group knows it, tells the
// others if that is wanted, and says when it goes back.

// MarkRead notes how far a chat was read.
func (n *Node) MarkRead(g wire.GroupID, to group.Place) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	if err := n.db.SetLastRead(g, to); err != nil {
		return storeError(err)
	}
	if err := n.shareLater(sharedRead, g); err != nil {
		return err
	}
	o.tellRead(nil)
	n.hub.publish(ChatChanged{g})
	return nil
}

// tellRead has the machine look anew how far was read, and then does what else there is to do. One that
// is not there yet does so by itself.
func (o *owner) tellRead(then func()) {
	o.n.mu.Lock()
	runs := o.started && o.opened
	o.n.mu.Unlock()
	if !runs {
		return
	}
	o.post(func() {
		_ = o.step(o.lastRead())
		if then != nil {
			then()
		}
	})
}

// lastRead is how far the chat was read, as the store has it now. What cannot be read there
// is not told.
func (o *owner) lastRead() group.Read {
	to, err := o.n.db.LastRead(o.id)
	if err != nil {
		return group.Read{}
	}
	s, err := o.n.Settings()
	return group.Read{To: to, Tell: err == nil && s.TellRead}
}

// marksChanged has all chats begin, or cease, to tell what was read and to show what others have.
func (n *Node) marksChanged() {
	for _, o := range n.allOwners() {
		o.tellRead(func() { n.hub.publish(DeliveryChanged{o.id}) })
	}
}
