package node

import (
	"context"
	"errors"

	"kith/internal/wire"
)

// What is shown of mailboxes and of their tasks.

// A mailNews is what others see of a task.
type mailNews struct {
	news chan struct{}
	back chan struct{} // the mailbox answers again, another task says
	seq  uint64        // see mailState
}

// showSeq has others see up to which own entry all lies at the mailbox.
func (t *mailTask) showSeq() {
	t.n.mu.Lock()
	at := t.n.mailNews[t.key]
	news := at != nil && at.seq != t.state.Seq
	if news {
		at.seq = t.state.Seq
	}
	t.n.mu.Unlock()
	if news {
		t.n.hub.publish(ChatChanged{t.key.group})
	}
}

// noteBox notes whether a mailbox answered.
func (n *Node) noteBox(id boxID, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	n.mu.Lock()
	v := n.boxes[id]
	news := v.Asked == 0 || v.Ready != (err == nil)
	v.Asked, v.Ready, v.Err = n.nowMS(), err == nil, err
	n.boxes[id] = v
	var chats []wire.GroupID
	for key, at := range n.mailNews {
		if !news || key.box != id {
			continue
		}
		chats = append(chats, key.group)
		if err == nil {
			select {
			case at.back <- struct{}{}:
			default:
			}
		}
	}
	n.mu.Unlock()
	if news {
		n.hub.publish(StatusChanged{})
	}
	for _, g := range chats {
		n.hub.publish(ChatChanged{g})
	}
}

// boxedOf returns of which chats with something that waits all lies at a mailbox.
func (n *Node) boxedOf(waiting map[wire.GroupID]int) map[wire.GroupID]bool {
	list := make(map[wire.GroupID]bool)
	for g, count := range waiting {
		if o := n.owner(g); o != nil && count > 0 {
			_, list[g] = n.boxed(g, o.picture.Load().seq)
		}
	}
	return list
}

// boxed reports whether a mailbox that answers, and of which all who are off know, takes what is said
// in a group, and whether one has all own entries up to seq.
func (n *Node) boxed(g wire.GroupID, seq uint64) (takes, has bool) {
	o := n.owner(g)
	if o == nil {
		return false, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, at := range n.mailNews {
		if key.group == g && n.boxes[key.box].Ready && n.awayKnow(o.picture.Load(), key.box) {
			takes, has = true, has || at.seq >= seq
		}
	}
	return takes, has
}
