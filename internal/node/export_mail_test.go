package node

import "kith/internal/wire"

// What tests do with what goes through mailboxes.

// SealMail returns items with all that this node has to say in a group. With no head that the
// group has it is an error.
func (n *Node) SealMail(g wire.GroupID, head wire.BlockHash, secret [32]byte) ([][]byte, error) {
	t := &mailTask{n: n, o: n.owner(g), key: mailKey{group: g}}
	payloads, _, err := t.export(head)
	if err != nil {
		return nil, err
	}
	return t.seal(payloads, secret)
}

// TakeMail takes items as from a mailbox.
func (n *Node) TakeMail(g wire.GroupID, secret [32]byte, items [][]byte) error {
	t := &mailTask{n: n, o: n.owner(g), key: mailKey{group: g}}
	for _, item := range items {
		if err := t.take(item, secret); err != nil {
			return err
		}
	}
	return nil
}

// Head is the head of a group.
func (n *Node) Head(g wire.GroupID) (head wire.BlockHash) {
	o := n.owner(g)
	_ = o.ask(func() error { head = o.machine.Word().Head; return nil })
	return head
}

// DropKeys is of how many heads of a group keys for drops are here.
func (n *Node) DropKeys(g wire.GroupID) (count int) {
	o := n.owner(g)
	_ = o.ask(func() error { count = len(o.machine.DropKeys()); return nil })
	return count
}
