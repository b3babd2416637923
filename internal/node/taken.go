package node

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// When something came to a chat, by which the chats are listed. What is new stands at the top, whatever
// its author's clock says and however long it was under way; but what comes after an absence stands where
// it would stand if this device had been here, or the order in which members happen to connect would be
// the order of the list.

// caughtUp is how long after the first connection of an absence what comes may still be of that time.
const caughtUp = 2 * time.Minute

// takenAt is when a line of an order counts as come here, in ms: its order, if it can be of the time when
// nobody was connected, else now.
func (n *Node) takenAt(order uint64) uint64 {
	now := n.nowMS()
	n.mu.Lock()
	from := cmp.Or(n.alone, n.started)
	if since := n.company; since != 0 && now > since+uint64(caughtUp.Milliseconds()) {
		from = now - uint64(caughtUp.Milliseconds())
	}
	n.mu.Unlock()
	if from <= order && order < now {
		return order
	}
	return now
}

// countCompany notes when the first session is up, and when the last is over. n.mu is held.
func (n *Node) countCompany() {
	switch {
	case len(n.sessions) > 0 && n.company == 0:
		n.company = n.nowMS()
	case len(n.sessions) == 0 && n.company != 0:
		n.company, n.alone = 0, n.nowMS()
	}
}

// taken is when the newest of what a step brings came here: of the lines that nobody has read, of own
// ones, and of changes that people look for. What is handed over of the time before is not among them,
// see reading. 0: there is none.
func (o *owner) taken(eff group.Effects) (at uint64) {
	for _, e := range eff.Notify {
		changed, _ := e.(group.HeadChanged)
		for _, hash := range changed.Blocks {
			if h := o.machine.Blocks().Header(hash); slices.ContainsFunc(h.Ops, isNews) {
				at = max(at, o.n.takenAt(h.CreatedAt))
			}
		}
	}
	var read *group.Place
	for _, r := range eff.Rows {
		if r.State != group.RowShown || r.Annotation || group.IsAnnotation(r.Content) {
			continue
		}
		if read == nil {
			to, err := o.n.db.LastRead(o.id)
			if err != nil {
				return 0
			}
			read = &to
		}
		if r.Client != "" || r.Place.Order > read.Order {
			at = max(at, o.n.takenAt(r.Place.Order))
		}
	}
	if eff.Behind != nil {
		at = max(at, o.n.takenAt(eff.Behind.Order))
	}
	return at
}

// isNews is false for what devices do by themselves.
func isNews(op chain.Op) bool {
	switch op.Kind() {
	case chain.KindAdd, chain.KindRemove, chain.KindLeave, chain.KindSetRole, chain.KindSetInfo, chain.KindSetPolicy, chain.KindCarry:
		return true
	}
	return false
}

// putTaken keeps when something came to a chat; it goes back only where the clock did.
func putTaken(tx *store.Tx, g wire.GroupID, at, now uint64) error {
	was, err := getTaken(tx, g)
	if err != nil || at <= was && was <= now {
		return err
	}
	return tx.Put(bucketTaken, g[:], binary.BigEndian.AppendUint64(nil, at))
}

// getTaken is 0 where nothing came since there is such a record.
func getTaken(tx *store.Tx, g wire.GroupID) (uint64, error) {
	b, _, err := tx.Get(bucketTaken, g[:])
	if err != nil || len(b) != 8 {
		return 0, err
	}
	return binary.BigEndian.Uint64(b), nil
}

// changedAt is when a chat changed last: when something came here, or was written if that is not known.
// A clock that is ahead keeps no chat at the top.
func (n *Node) changedAt(o *owner, newest *group.Row) (at uint64, err error) {
	err = n.db.View(func(tx *store.Tx) error {
		at, err = getTaken(tx, o.id)
		return err
	})
	if at == 0 {
		if at = o.picture.Load().view.ChangedAt; newest != nil {
			at = max(at, newest.Place.Order)
		}
	}
	return min(at, n.nowMS()), err
}
