package chain

import (
	"slices"

	"kith/internal/wire"
)

// An era is the time of one set of voters: from the block that brings them
// about to the next block that changes them, both included.
type era struct {
	start  *node
	voters []wire.Member // by person; no device: that person cannot vote
	off    rule
	rounds []*round // by number

	// What follows from the rounds and what is known of liars; see judge.
	settled  *node  // start at least
	by       *round // whose votes settle it, the last of several; nil: start
	conflict *Conflict
	base     uint64    // rounds below are over: what they could settle is settled
	pin      *node     // settled before, and for ever
	against  [2]uint64 // rounds that settle what conflicts with pin, if some do
}

// A Conflict is two settled blocks of which neither descends from the other:
// more than Faults(n) voters lied.
type Conflict struct {
	Era      wire.BlockHash
	Blocks   [2]wire.BlockHash
	Warrants [2]*Warrant

	// Stopped says that it remains without the voters that are known to have
	// lied: nothing is voted for, people decide.
	Stopped bool

	// Kept says that the first of the two was settled here before, and stays;
	// the other changes nothing. Its Warrant may be nil.
	Kept bool
}

// Voters returns who votes after the block: of each person of the electorate the
// earliest device that is active, else the earliest that is parked. So a Park or a
// Restart that leaves no device of theirs its keys takes nobody's vote away, and what
// brings them back can be settled. It changes with what the voters themselves settle
// and never within an era.
func (s *State) Voters() []wire.Member {
	list := make([]wire.Member, len(s.electorate))
	for i, id := range s.electorate {
		list[i].Person = id
		m, _ := s.Person(id)
		list[i].Device = m.voting().ID
	}
	return list
}

// voting returns the device by which a member votes; zero: it cannot.
func (m Member) voting() Device {
	for _, status := range []Status{StatusActive, StatusParked} {
		for _, d := range m.Devices {
			if m.Status != StatusRemoved && d.Status == status {
				return d
			}
		}
	}
	return Device{}
}

func newEra(start *node, off rule) *era {
	return &era{start: start, voters: start.State.Voters(), off: off, settled: start, pin: start}
}

func (e *era) quorum() int {
	q := Quorum(len(e.voters))
	if !e.off.on(ruleQuorum) {
		q--
	}
	return q
}

// voter returns the index of the device among the voters.
func (e *era) voter(device wire.DeviceID) (int, bool) {
	if device == (wire.DeviceID{}) {
		return 0, false
	}
	i := slices.IndexFunc(e.voters, func(m wire.Member) bool { return m.Device == device })
	return i, i >= 0
}

// round returns the round of that number, or nil.
func (e *era) round(number uint64) *round {
	if i, ok := e.find(number); ok {
		return e.rounds[i]
	}
	return nil
}

func (e *era) find(number uint64) (int, bool) {
	return slices.BinarySearchFunc(e.rounds, number, func(r *round, n uint64) int { return compare(r.number, n) })
}

// ballots returns all ballots, by round.
func (e *era) ballots() (list []*ballot) {
	for _, r := range e.rounds {
		list = append(list, r.ballots...)
	}
	return list
}

// of returns the ballots of one voter, by round.
func (e *era) of(voter int) (list []*ballot) {
	for _, r := range e.rounds {
		for _, b := range r.ballots {
			if b.voter == voter {
				list = append(list, b)
			}
		}
	}
	return list
}

// put takes b in, reporting whether anything changed. Of the votes of one voter
// in one round those with the lowest hashes are kept; of two that differ in their
// signature alone, which is no lie, that with the lower hash.
func (e *era) put(b *ballot) bool {
	i, ok := e.find(b.Round)
	if !ok {
		e.rounds = slices.Insert(e.rounds, i, &round{number: b.Round})
	}
	r := e.rounds[i]
	at, held := slices.BinarySearchFunc(r.ballots, b, compareBallots)
	if held {
		return false
	}
	twin := slices.IndexFunc(r.ballots, func(o *ballot) bool { return o.sameContent(b.Vote) })
	if twin >= 0 {
		if compareDigests(r.ballots[twin].hash, b.hash) < 0 {
			return false
		}
		r.ballots = slices.Delete(r.ballots, twin, twin+1) // not before at
	}
	r.ballots = slices.Insert(r.ballots, at, b)
	r.dirty = true
	first := slices.IndexFunc(r.ballots, func(o *ballot) bool { return o.voter == b.voter })
	if last := first + maxPerRound; last < len(r.ballots) && r.ballots[last].voter == b.voter {
		dropped := r.ballots[last]
		r.ballots = slices.Delete(r.ballots, last, last+1)
		return dropped != b
	}
	return true
}

// reached returns the highest round of which a quorum's votes are held; 0: none.
func (e *era) reached() uint64 {
	for _, r := range slices.Backward(e.rounds) {
		if r.voters.len() >= e.quorum() {
			return r.number
		}
	}
	return 0
}

// certificate returns the highest certificate: by round, then by height.
func (e *era) certificate() (uint64, *node) {
	for _, r := range slices.Backward(e.rounds) {
		if i := slices.IndexFunc(r.certs, e.fits); i >= 0 {
			return r.number, r.certs[i]
		}
	}
	return 0, e.start
}

// certified reports whether the certificate (number, y) is held.
func (e *era) certified(number uint64, y *node) bool {
	if number == 0 {
		return y == e.start
	}
	r := e.round(number)
	return r != nil && r.certifies(e, y)
}

// judge finds the settled block, which is pin or above. If two conflict, the
// voters that are known to have lied lose all their votes of this era; if two
// still conflict, nothing above where they part is settled. liars is asked in
// that case alone. What conflicts with pin itself is shown, and decides nothing.
func (e *era) judge(pin *node, liars func() voterSet) {
	e.conflict, e.pin = nil, pin
	e.tally(0)
	one, others, against := e.top()
	if len(others) == 0 {
		e.take(one)
		if len(against) > 0 {
			e.keep(against[0])
		}
		return
	}
	other := others[0]
	e.conflict = &Conflict{
		Era:      e.start.Hash,
		Blocks:   [2]wire.BlockHash{one.node.Hash, other.node.Hash},
		Warrants: [2]*Warrant{e.warrant(one), e.warrant(other)},
	}
	e.tally(liars())
	if one, others, _ = e.top(); len(others) == 0 {
		e.take(one)
		return
	}
	e.conflict.Stopped = true
	e.settled, e.by = one.node, nil
	for _, other := range others {
		e.settled = meet(e.settled, other.node)
	}
}

func (e *era) tally(skip voterSet) {
	for _, r := range e.rounds {
		if r.dirty || r.skip != skip || !e.off.on(ruleOneRound) {
			r.tally(e, skip)
		}
	}
}

// A verdict is a block and the round whose votes settle it.
type verdict struct {
	*node
	*round
}

func (e *era) take(v *verdict) {
	e.settled, e.by = e.pin, nil
	if v != nil && below(e.pin, v.node) {
		e.settled, e.by = v.node, v.round
	}
}

// keep takes note of what conflicts with what is settled here, and stays so.
func (e *era) keep(v *verdict) {
	e.against = [2]uint64{v.round.number - 1, v.round.number}
	e.conflict = &Conflict{Era: e.start.Hash, Blocks: [2]wire.BlockHash{e.settled.Hash, v.node.Hash}, Kept: true}
	if e.by != nil {
		e.conflict.Warrants[0] = e.warrant(&verdict{e.settled, e.by})
	}
	e.conflict.Warrants[1] = e.warrant(v)
}

// open reports whether votes may still decide a conflict.
func (e *era) open() bool { return e.conflict != nil && !e.conflict.Kept }

// fits reports whether a block is not on another branch than the pinned one.
func (e *era) fits(n *node) bool { return e.pin == nil || below(n, e.pin) || below(e.pin, n) }

// top returns the highest settled block, nil for the start of the era, with
// the last round that settles it; those that conflict with it, and those that
// conflict with what is pinned, highest first.
func (e *era) top() (best *verdict, others, against []*verdict) {
	var all []*verdict
	for _, r := range e.rounds {
		for _, y := range r.settles {
			switch {
			case !e.fits(y):
				against = append(against, &verdict{y, r})
			case y != e.start:
				all = append(all, &verdict{y, r})
			}
		}
	}
	for _, v := range all {
		if best == nil || compareNodes(v.node, best.node) <= 0 {
			best = v
		}
	}
	for _, v := range all {
		if !below(v.node, best.node) {
			others = append(others, v)
		}
	}
	for _, list := range [][]*verdict{others, against} {
		slices.SortStableFunc(list, func(a, b *verdict) int { return compareNodes(a.node, b.node) })
	}
	return best, others, against
}

// trim forgets the rounds that can settle nothing new, and reports whether it
// forgot any. A conflict that votes may decide keeps all: they may show who lied;
// one with what is pinned keeps the rounds that show it.
func (e *era) trim() bool {
	if e.by == nil || e.open() {
		return false
	}
	e.base = max(e.base, e.by.number-1)
	before := len(e.rounds)
	e.rounds = slices.DeleteFunc(e.rounds, func(r *round) bool {
		return r.number < e.base && (e.conflict == nil || !slices.Contains(e.against[:], r.number))
	})
	return len(e.rounds) < before
}

// warrant returns the votes that settle v: those of its round, and what is held of
// the round before, which certify their sources. Votes for what conflicts with it
// are left out if it is settled without them: who has nothing else could take them
// for a conflict that is still to be decided.
func (e *era) warrant(v *verdict) *Warrant {
	w := &Warrant{Block: v.node.Hash}
	agreed := &round{number: v.round.number}
	for _, b := range v.round.ballots {
		if below(v.node, b.source) {
			agreed.ballots = append(agreed.ballots, b)
		}
	}
	alone := e.conflict != nil && e.conflict.Kept && agreed.settled(e, v.node)
	for _, number := range []uint64{v.round.number - 1, v.round.number} {
		if r := e.round(number); r != nil {
			for _, b := range r.ballots {
				if !alone || below(v.node, b.block) || below(b.block, v.node) {
					w.Votes = append(w.Votes, b.Vote)
				}
			}
		}
	}
	slices.SortFunc(w.Votes, compareVotes)
	return w
}
