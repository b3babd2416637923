package node

import (
	"kith/internal/group"
	"kith/internal/wire"
)

// Look says which chat the person has before it: what that one lacks is fetched before
// what others lack.
func (n *Node) Look(g wire.GroupID) {
	n.mu.Lock()
	same := n.open == g
	n.open = g
	n.mu.Unlock()
	if same {
		return
	}
	for _, o := range n.allOwners() {
		o.tell(group.Attend{Elsewhere: o.id != g})
	}
}
