package node

import (
	"maps"
	"slices"

	"kith/internal/group"
	"kith/internal/wire"
)

// What others' messages say of the clock of this machine. Nothing is written after it was read, and
// nothing before what it stands on:
//
//	theirs comes, and its time is ahead of this clock         this clock is behind, or theirs is ahead
//	theirs stands on one of here, and says an earlier time    this clock is ahead, or theirs is behind
//	theirs comes, and its time is this clock's                both are right
//
// Which of two clocks is wrong is known where more people speak against this one than for it. Only what
// came since the start, or since this clock was last set, counts.

// maxStanding bounds how far what a line stands on is followed, in lines.
const maxStanding = 16

// A ClockApart is how far this machine's clock is from that of others.
type ClockApart struct {
	Ahead bool     // else it is behind
	By    uint64   // ms, at least; over [clockOff]
	Of    []Person // by whose clocks
}

// heed takes what rows that came say of this clock: of each person the last. They are stored.
func (o *owner) heed(rows []group.Row) {
	n, told, me := o.n, make(map[wire.PersonID]int64), o.n.me().Person
	heard := make(map[wire.PersonID]bool)
	for _, r := range slices.Backward(rows) {
		if r.Person == me || heard[r.Person] {
			continue
		}
		heard[r.Person] = true
		if ahead, says := o.aheadOf(r, me); says {
			told[r.Person] = ahead
		}
	}
	n.mu.Lock()
	maps.DeleteFunc(told, func(who wire.PersonID, ahead int64) bool {
		was, known := n.clocks[who]
		return known && was == ahead
	})
	if len(told) == 0 {
		n.mu.Unlock()
		return
	}
	was := n.apartNow()
	for who, ahead := range told {
		n.clocks[who] = ahead
	}
	is := n.apartNow()
	n.mu.Unlock()
	if was.ahead != is.ahead || len(was.of) != len(is.of) {
		n.hub.publish(StatusChanged{})
	}
}

// aheadOf is how far this clock is ahead of that of a row's author, in ms, at least; 0: they agree. Not
// says: the row tells nothing of it.
func (o *owner) aheadOf(r group.Row, me wire.PersonID) (ahead int64, says bool) {
	now := o.n.nowMS()
	switch {
	case r.Time > now+clockOff:
		return int64(now) - int64(r.Time), true
	case apart(r.Time, now) <= clockOff:
		return 0, true
	case r.Place.Order <= r.Time+clockOff:
		return 0, false // it was long under way
	}
	return o.aheadByOrder(r, me)
}

// aheadByOrder looks whether the order of a row is ahead of its time because one of here is what it stands
// on: without a clock, an order is one above that.
func (o *owner) aheadByOrder(r group.Row, me wire.PersonID) (ahead int64, says bool) {
	before, err := o.n.db.Page(o.id, &r.Place, maxStanding)
	if err != nil {
		return 0, false
	}
	order := r.Place.Order
	for _, b := range slices.Backward(before) {
		if b.Place.Order+1 != order {
			break
		}
		if order = b.Place.Order; b.Person == me && b.Time == order {
			return int64(b.Time) - int64(r.Time), o.n.wroteByThisClock(b.Time)
		}
	}
	return 0, false
}

// wroteByThisClock reports whether a time of here is of the clock as it is set now.
func (n *Node) wroteByThisClock(time uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clockSet <= time && time <= n.nowMS()
}

// forgetClocks is for a clock that was set: what was said of it counts no more.
func (n *Node) forgetClocks() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.clockSet = n.nowMS()
	clear(n.clocks)
}

// verdict is what all who speak for or against this clock come to.
type verdict struct {
	ahead bool
	by    uint64 // ms; 0: nothing is to be told
	of    []wire.PersonID
}

// apartNow weighs them. n.mu is held.
func (n *Node) apartNow() verdict {
	var ahead, behind verdict
	ahead.ahead = true
	agree := 0
	for who, by := range n.clocks {
		switch {
		case by > 0:
			ahead.add(who, uint64(by))
		case by < 0:
			behind.add(who, uint64(-by))
		default:
			agree++
		}
	}
	more, less := ahead, behind
	if len(more.of) < len(less.of) {
		more, less = less, more
	}
	if len(more.of) <= max(agree, len(less.of)) {
		return verdict{}
	}
	slices.SortFunc(more.of, func(a, b wire.PersonID) int { return slices.Compare(a[:], b[:]) })
	return more
}

func (v *verdict) add(who wire.PersonID, by uint64) {
	if v.by == 0 || by < v.by {
		v.by = by
	}
	v.of = append(v.of, who)
}
