package node

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"time"

	"kith/internal/wire"
)

// How the machines of the groups are made again after a start: the chats are shown from their
// sketches, and behind them one machine after the other is loaded, that of the chat in which something
// happened last first. Somebody who asks for one has it loaded at once.
//
//	Open:  sketch -> owner without machine        no sketch -> machine, owner
//	Run:   owner waits for its turn, or for somebody who asks -> machine -> takes inputs

// turnsAfter is how long the first turn waits for somebody to ask for the chats: whoever starts the program
// to look at it does so at once, and peers take as long to connect.
const turnsAfter = 500 * time.Millisecond

// newSketched returns the owner of a group whose machine is not made yet.
func (n *Node) newSketched(g wire.GroupID, p *picture) *owner {
	o := n.bareOwner(g)
	o.sketched = true
	o.picture.Store(p)
	return o
}

// hurry has the machine made before its turn, if it is not there yet.
func (o *owner) hurry() { o.hurried.Do(func() { close(o.asked) }) }

// open makes the machine, if it is not there, once it is its turn; false if there is none.
func (o *owner) open(ctx context.Context) bool {
	if o.machine != nil {
		return true
	}
	select {
	case <-o.turn:
	case <-o.asked:
	case <-o.deleted:
		return false
	case <-ctx.Done():
		return false
	}
	m, err := o.n.loadMachine(o.id)
	if err != nil {
		o.n.fails(o, err)
		return false
	}
	before := o.picture.Load()
	o.use(m)
	o.n.mu.Lock()
	o.opened = true
	o.n.mu.Unlock()
	if now := o.picture.Load(); !reflect.DeepEqual(before.view, now.view) || before.waiting != now.waiting {
		o.n.hub.publish(ChatChanged{o.id})
		o.n.kickDialer()
	}
	// What tell has kept from it while it was not there.
	_ = o.step(o.n.ownReach(o))
	_ = o.step(o.n.ownPerson())
	return true
}

// fails takes a group out that does not load. Its records stay, for a program that can read them.
func (n *Node) fails(o *owner, err error) {
	n.log.Error("cannot load", "group", shortGroup(o.id), "err", err)
	n.mu.Lock()
	if n.owners[o.id] == o {
		delete(n.owners, o.id)
		n.damaged = append(n.damaged, o.id)
	}
	n.mu.Unlock()
	o.forget.Do(func() { close(o.deleted) })
	n.hub.publish(ChatDeleted{o.id})
	n.hub.publish(StatusChanged{})
}

// giveTurns gives the owners their turns, and waits after each until it is over: two large groups would
// need the memory of both.
func (n *Node) giveTurns(ctx context.Context) {
	t := time.NewTimer(turnsAfter)
	defer t.Stop()
	select {
	case <-n.listed: // what is shown first has the processor to itself
	case <-t.C:
	case <-ctx.Done():
		return
	}
	for _, o := range n.unopened() {
		close(o.turn)
		select {
		case <-o.runs:
		case <-o.ended:
		case <-ctx.Done():
			return
		}
	}
}

// unopened returns the owners without a machine, that of the newest message first.
func (n *Node) unopened() []*owner {
	newest := make(map[*owner]uint64)
	var list []*owner
	for _, o := range n.allOwners() {
		n.mu.Lock()
		opened := o.opened
		n.mu.Unlock()
		if !opened {
			list = append(list, o)
			if row, err := n.db.Newest(o.id); err == nil {
				newest[o], _ = n.changedAt(o, row)
			}
		}
	}
	slices.SortFunc(list, func(a, b *owner) int {
		return cmp.Or(cmp.Compare(newest[b], newest[a]), slices.Compare(a.id[:], b.id[:]))
	})
	return list
}
