package node

import (
	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// SetHistory says what newcomers of a group are given of the time before they came; days
// count for chain.HistorySince alone.
func (n *Node) SetHistory(g wire.GroupID, history chain.History, days uint16) error {
	return n.inGroup(g, group.SetHistory{History: history, Days: days})
}

// reading has a group that is new here begin as read up to where its floor is: what is
// handed over of the time before is no news.
func (w also) reading(m *group.Machine) also {
	at := m.Latest()
	if at == (group.Place{}) {
		return w
	}
	before := w.write
	w.write = func(tx *store.Tx) error {
		if before != nil {
			if err := before(tx); err != nil {
				return err
			}
		}
		return tx.SetLastRead(m.Group(), at)
	}
	return w
}
