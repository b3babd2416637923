package node

import (
	"cmp"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// Orders that a clock drove ahead. Whoever writes after it says a time that is long before the order, and
// its own clock is right. As long as the order lies ahead of this clock that can be seen; for when it does
// not any more, each chat keeps where it was so:
//
//	comes, over ten minutes ahead of now      from now to its order
//	is there at the start, and as far ahead   likewise: the clock was set back while the program was off
//	this clock is set back by as much         from the start of the program to what the clock showed

const (
	// maxAhead bounds the spans that are kept of a chat; then the two oldest become one.
	maxAhead = 16
	// aheadStep is by how much more a span is made longer than it has to be, in ms: or each line that comes
	// while an order is ahead would make it longer.
	aheadStep = uint64(time.Hour / time.Millisecond)
)

// An aheadSpan is a span of orders, both ends of it among them, in ms.
type aheadSpan struct{ From, To uint64 }

// aheadBy is the span for the rows of a step, zero if none is needed.
func aheadBy(rows []group.Row, now uint64) (s aheadSpan) {
	for _, r := range rows {
		if order := r.Place.Order; order > now+clockOff {
			s = aheadSpan{now, max(s.To, order)}
		}
	}
	return s
}

// putAhead keeps a span of a chat.
func putAhead(tx *store.Tx, g wire.GroupID, s aheadSpan) error {
	if s == (aheadSpan{}) {
		return nil
	}
	list, err := getAhead(tx, g)
	if err != nil || slices.ContainsFunc(list, func(is aheadSpan) bool { return is.From <= s.From && s.To <= is.To }) {
		return err
	}
	s.To += aheadStep
	list = append(list, s)
	slices.SortFunc(list, func(a, b aheadSpan) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var merged []aheadSpan
	for i, s := range list {
		if n := len(merged); n > 0 && (s.From <= merged[n-1].To || i == 1 && len(list) > maxAhead) {
			merged[n-1].To = max(merged[n-1].To, s.To)
			continue
		}
		merged = append(merged, s)
	}
	return putJSON(tx, bucketAhead, g[:], merged)
}

func getAhead(tx *store.Tx, g wire.GroupID) (list []aheadSpan, err error) {
	_, err = getJSON(tx, bucketAhead, g[:], &list)
	return list, err
}

// keepAhead is for a clock that was set back while the program was off.
func (o *owner) keepAhead() {
	newest, err := o.n.db.Newest(o.id)
	if err != nil || newest == nil {
		return
	}
	if s := aheadBy([]group.Row{*newest}, o.n.nowMS()); s != (aheadSpan{}) {
		o.n.excuse(o.id, s)
	}
}

// excuse keeps a span of a chat in a transaction of its own. Without it a mark is shown that should not be,
// and no more.
func (n *Node) excuse(g wire.GroupID, s aheadSpan) {
	if err := n.db.Update(func(tx *store.Tx) error { return putAhead(tx, g, s) }); err != nil {
		n.log.Warn("not kept: where an order was ahead", "group", shortGroup(g), "err", err)
	}
}

// clockOffOf reports of each row whether its author's clock is told of.
func (n *Node) clockOffOf(g wire.GroupID, rows []group.Row) (func(group.Row) bool, error) {
	now := n.nowMS()
	off := func(r group.Row) bool { return clockWrong(r.Time, r.Place.Order, now) }
	if !slices.ContainsFunc(rows, off) {
		return off, nil
	}
	var spans []aheadSpan
	err := n.db.View(func(tx *store.Tx) (err error) {
		spans, err = getAhead(tx, g)
		return err
	})
	return func(r group.Row) bool {
		driven := func(s aheadSpan) bool { return s.From <= r.Place.Order && r.Place.Order <= s.To }
		return off(r) && (r.Time > now+clockOff || !slices.ContainsFunc(spans, driven))
	}, err
}
