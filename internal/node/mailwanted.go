package node

import (
	"kith/internal/identity"
	"kith/internal/wire"
)

// Which chats are served at mailboxes now.

// mailWanted are the groups that have mailboxes.
func (n *Node) mailWanted() map[mailKey]identity.Box {
	list := make(map[mailKey]identity.Box)
	if !n.Ready() || n.shutOut(wire.GroupID{}) {
		return list
	}
	type wanted struct {
		key mailKey
		box identity.Box
	}
	var first, others []wanted
	own := n.ownBoxes()
	for _, o := range n.allOwners() {
		for _, b := range n.boxesOf(o, own) {
			w := wanted{mailKey{o.id, idOf(b)}, b}
			if o.picture.Load().waiting > 0 { // there is something to be left
				first = append(first, w)
			} else {
				others = append(others, w)
			}
		}
	}
	all := append(first, others...)
	for _, i := range inTurn(len(all), n.steadyMS()) {
		list[all[i].key] = all[i].box
	}
	return list
}

// inTurn returns which of count tasks run at now, in ms: all if there are not too many, else the first
// of them, and of the rest each in its turn.
func inTurn(count int, now uint64) (list []int) {
	steady := count
	if count > maxMail {
		steady = maxMail - mailTurns
	}
	for i := range steady {
		list = append(list, i)
	}
	for i, rest := 0, count-steady; i < min(mailTurns, rest); i++ {
		list = append(list, steady+(int(now/mailTurn)*mailTurns+i)%rest)
	}
	return list
}
