package group

import (
	"encoding/binary"

	"kith/internal/dag"
)

// An entry whose order lies ahead of this device's clock: either its author's clock is ahead,
// or this one is behind. It goes when the program has run for its lifetime since it came, and
// at the latest when its order says, for that one of the two which is wrong may be set right
// at any time, also while the program does not run.
//
//	clock of here   0 s ......... 10 s | set right: 1000 s ........ 1050 s
//	lasts 60 s      came                                           goes, and not at 1000 s
//
// The time for which a machine sleeps, or the program is off, counts as time that a clock was
// set forward.

const (
	// clockApart is by how much an order is ahead, in ms, that is taken for a wrong clock:
	// more than clocks differ that set themselves. What is ahead by less goes at the most so
	// much too early.
	clockApart = 60_000
	// seenEvery is how often the clock is stored while it matters, in ms. A start that comes
	// no later than that after it was stored is taken for one at once: else who starts
	// often would never let anything go.
	seenEvery = 3_600_000
)

// endingOf is when an entry is to go that comes now.
func (m *Machine) endingOf(order uint64, seconds uint32, t Target) ending {
	life := uint64(seconds) * 1000
	e := ending{at: min(order, m.now) + life, target: t}
	if order > m.now+clockApart {
		e.most = order + life
	}
	return e
}

// reckon moves the ends that go by how long the program runs, where the clock was set, or
// was another when the program ran last.
func (m *Machine) reckon(in Input) {
	x, by := &m.expiring, in.Jump
	if x.away {
		x.away = false
		if off := int64(in.Now) - int64(x.seen); off > seenEvery || off < -clockApart {
			by += off
		}
	}
	if by == 0 || len(x.ends.unsure) == 0 {
		return
	}
	for _, ref := range sortedRefs(x.ends.unsure) {
		e := x.ends.of[ref]
		if e.at = uint64(max(1, int64(e.at)+by)); e.at >= e.most {
			e.at, e.most = e.most, 0
		}
		e.kept = false
		x.ends.set(ref, e)
		x.ends.fresh = append(x.ends.fresh, ref)
	}
	x.due = 1
}

// keepSeen stores the clock while it matters.
func (m *Machine) keepSeen(now uint64, eff *Effects) {
	x := &m.expiring
	switch unsure := len(x.ends.unsure) > 0; {
	case !unsure && x.seen != 0:
		x.seen = 0
		eff.drop(KindEnding, nil)
	case unsure && (x.seen == 0 || now < x.seen || now >= x.seen+seenEvery):
		x.seen = now
		eff.put(KindEnding, nil, binary.BigEndian.AppendUint64(nil, now))
	}
}

// seen takes when the clock was stored last.
func (l *loading) seen(value []byte) error {
	if len(value) != 8 {
		return errRecord
	}
	l.m.expiring.seen, l.m.expiring.away = binary.BigEndian.Uint64(value), true
	return nil
}

// drop forgets when an entry goes.
func (e *endings) drop(ref dag.Ref) {
	delete(e.of, ref)
	delete(e.unsure, ref)
}
