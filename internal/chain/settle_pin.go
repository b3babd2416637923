package chain

import "kith/internal/wire"

// over reports whether votes of a round are not heard any more: what it could
// settle is settled, or the era is past.
func (v *Votes) over(e *era, round uint64) bool {
	if e.open() {
		return false
	}
	past := e.by != nil && v.pin != nil && e.start != v.pin.eraStart() && below(e.start, v.pin)
	return round < e.base || past && round > e.by.number
}

// Restore is Add for a vote that was held here before, when the same block was
// pinned: no round of it is over.
func (v *Votes) Restore(vote *Vote) error {
	e, b, err := v.check(vote)
	if err != nil {
		return err
	}
	v.put(e, b)
	return nil
}

// Pin makes a settled block stay settled, whatever else becomes held: what
// contradicts it is evidence and changes neither the settled block nor the head.
// It reports whether the block is held and descends from what was pinned before.
func (v *Votes) Pin(hash wire.BlockHash) bool {
	n := v.blocks.by[hash]
	if n == nil || v.pin != nil && !below(v.pin, n) {
		return false
	}
	if n != v.pin {
		v.pin, v.stale = n, true
	}
	return true
}

// pinned returns the last block of an era on the way to what is pinned; the start
// of the era if that is not above it.
func (v *Votes) pinned(start *node) *node {
	if v.pin == nil || !below(start, v.pin) {
		return start
	}
	return v.within(start, v.pin)
}

// within returns at, or the first block on the way to it that ends the era.
func (v *Votes) within(start, at *node) *node {
	for at != start && at.parent != nil && at.parent.eraStart() != start {
		at = at.parent.eraStart() // it starts an era, so its parent is of one before
	}
	return at
}
