package node

import (
	"context"
	"errors"
	"time"

	"kith/internal/wire"
)

// What tests do with what goes through mailboxes.

// SealMail returns items with all that this node has to say in a group. With no head that the
// group has it is an error.
func (n *Node) SealMail(g wire.GroupID, head wire.BlockHash, secret [32]byte) ([][]byte, error) {
	t := &mailTask{n: n, o: n.owner(g), key: mailKey{group: g}}
	payloads, _, err := t.export(head, mailMost)
	if err != nil {
		return nil, err
	}
	return t.seal(g, payloads, secret, false)
}

// TakeMail takes items as from a mailbox.
func (n *Node) TakeMail(g wire.GroupID, secret [32]byte, items [][]byte) error {
	t := &mailTask{n: n, o: n.owner(g), key: mailKey{group: g}}
	for _, item := range items {
		if _, err := t.take(item, secret); err != nil {
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

// QuietDay takes all the turns that this node has today in a group's first mailbox, one after the
// other, and returns how many.
func (n *Node) QuietDay(ctx context.Context, g wire.GroupID) (turns int, err error) {
	for key, box := range n.mailWanted() {
		if key.group != g {
			continue
		}
		t := &mailTask{n: n, o: n.owner(g), key: key, box: box, held: make(map[string]uint64)}
		t.load()
		keys, _, err := t.keys()
		if err != nil {
			return 0, err
		}
		t.state.Turns = nil // those that the node itself has missed today
		begin := nowTime().UTC().Truncate(24 * time.Hour)
		for {
			turn, ok := t.nextTurn(keys, begin)
			if !ok || !turn.At.Before(begin.Add(24*time.Hour)) {
				return turns, t.save()
			}
			t.state.Turns[turn.row] = turn.part + 1
			if err := t.takeTurn(ctx, turn); err != nil {
				return turns, err
			}
			turns++
		}
	}
	return 0, errors.New("no mailbox is used")
}

// Left is how often all that members of a group lack was left once more, and how many blocks lie in
// the drops of older epochs.
func (n *Node) Left(g wire.GroupID) (times, blocks int) {
	for key := range n.mailWanted() {
		if key.group == g {
			t := &mailTask{n: n, key: key}
			t.load()
			times += t.state.Times
			for _, next := range t.state.Next {
				blocks += next
			}
		}
	}
	return times, blocks
}

// DropKeys is of how many heads of a group keys for drops are here.
func (n *Node) DropKeys(g wire.GroupID) (count int) {
	o := n.owner(g)
	_ = o.ask(func() error { count = len(o.machine.DropKeys()); return nil })
	return count
}

// HasLeft reports whether this node has left all that it has said in a group at its mailboxes.
func (n *Node) HasLeft(g wire.GroupID) bool {
	found := false
	for key, box := range n.mailWanted() {
		if key.group != g {
			continue
		}
		t := &mailTask{n: n, o: n.owner(g), key: key, box: box}
		t.load()
		if word, err := t.word(); err != nil || word.All != t.state.Word {
			return false
		}
		found = true
	}
	return found
}
