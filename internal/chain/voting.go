package chain

import "kith/internal/wire"

// A Voter decides for one device when it votes for what. It owns no key and no
// clock: times are given to it, in ms of any clock that never goes back.
type Voter struct {
	Device wire.DeviceID

	// Last is the vote cast last, durable before it was sent; nil: none ever.
	Last *Vote

	// Restored says that the home may be older than Last tells. Such a device
	// never votes again; it gets a new key and is admitted anew.
	Restored bool

	// Follows reports whether this device holds the keys of the block, having
	// followed its commit itself, or never held its parent's. Nil: always.
	Follows func(wire.BlockHash) bool

	off    rule
	opened opening
	since  uint64
}

// An opening is what a dwell is counted for: a round of an era in which the head
// is not settled yet.
type opening struct {
	era   wire.BlockHash
	round uint64
	open  bool
}

// A Decision says what a voter does now. All zero: nothing until blocks or votes
// arrive.
type Decision struct {
	Vote  *Vote          // to be signed, stored, taken in as Last and by Votes, then sent
	Wait  uint64         // ms after which to ask again
	Fetch *Source        // certificate of the own last vote, which is lacking here
	Nack  wire.BlockHash // block that could not be followed; zero: none
}

// Decide returns what the voter does at the time now.
//
//	head settled ──block──> dwell of round r+1 ──time──> vote of round r+1
//	     ^                        ^                           │
//	     └──quorum of r+1 settles─┴──quorum of r+1 does not───┘
func (d *Voter) Decide(votes *Votes, now uint64) Decision {
	b, ok := votes.booth(d)
	o := opening{votes.Era(), b.round, ok}
	if o != d.opened {
		d.opened, d.since = o, now
	}
	if !ok {
		return Decision{}
	}
	var passed uint64
	if now > d.since {
		passed = now - d.since
	}
	return b.decide(d, passed)
}

// A booth is what a voter sees when it may vote.
type booth struct {
	votes  *Votes
	era    *era
	voter  int
	round  uint64 // to vote in
	target *node  // the head, or the first block on the way to it that changes the voters
	cert   Source
	top    *node // block of cert
}

// booth returns what d votes on; false if it has nothing to vote on.
func (v *Votes) booth(d *Voter) (booth, bool) {
	e := v.current()
	if e == nil || e.stopped() || d.Restored && d.off.on(ruleRestored) || e.start.State.ofPerson {
		return booth{}, false
	}
	voter, ok := e.voter(d.Device)
	if !ok {
		return booth{}, false
	}
	b := booth{votes: v, era: e, voter: voter, round: e.reached() + 1, target: v.target(d, e)}
	b.cert.Round, b.top = e.certificate()
	b.cert.Block = b.top.Hash
	if below(b.target, v.settled) || !below(b.top, b.target) {
		return booth{}, false
	}
	return b, d.free(v, e, b.round)
}

// free reports whether the voter has no vote yet in the round, in a later one or
// in a later era.
func (d *Voter) free(v *Votes, e *era, round uint64) bool {
	if d.Last == nil || !d.off.on(ruleOnce) {
		return true
	}
	if d.Last.Era == e.start.Hash {
		return d.Last.Round < round
	}
	return v.blocks.IsAncestor(d.Last.Era, e.start.Hash)
}

// target returns the block to vote for.
func (v *Votes) target(d *Voter, e *era) *node {
	head := v.Head()
	if !d.off.on(ruleRoot) {
		head = v.blocks.Head()
	}
	at := v.blocks.by[head]
	if !d.off.on(ruleFirstChange) {
		return at
	}
	return v.within(e.start, at)
}

// decide is the rule once there is something to vote on and passed ms have gone
// by since.
func (b booth) decide(d *Voter, passed uint64) Decision {
	last := b.era.given()
	if d.Last != nil && d.Last.Era == b.era.start.Hash {
		last = d.Last.Source
	}
	if b.lower(b.cert, last) && d.off.on(ruleForward) {
		return Decision{Fetch: &last}
	}
	if due := b.due(d); passed < due {
		return Decision{Wait: due - passed}
	}
	vote := &Vote{
		Group: wire.GroupID(b.votes.blocks.genesis.Hash), Device: d.Device, Seq: 1,
		Era: b.era.start.Hash, Round: b.round, Block: b.target.Hash, Source: b.cert,
	}
	if d.Last != nil {
		vote.Seq = d.Last.Seq + 1
	}
	if s := b.spoken(d); s != nil && d.follows(s.Block) && (!b.lower(s.Source, last) || !d.off.on(ruleForward)) {
		vote.Block, vote.Source = s.Block, s.Source
	}
	if !d.follows(vote.Block) {
		return Decision{Nack: vote.Block}
	}
	return Decision{Vote: vote}
}

func (d *Voter) follows(block wire.BlockHash) bool {
	return d.Follows == nil || d.Follows(block) || !d.off.on(ruleFollow)
}

// given is the source that needs no votes.
func (e *era) given() Source { return Source{0, e.start.Hash} }

// lower orders sources by round, then by height. A block that is not held is
// as high as any.
func (b booth) lower(s, than Source) bool {
	if s.Round != than.Round {
		return s.Round < than.Round
	}
	x, y := b.votes.blocks.by[s.Block], b.votes.blocks.by[than.Block]
	return x != nil && (y == nil || x.State.height < y.State.height)
}

// due returns how long the voter waits in this round: one dwell, or two if
// another is the speaker.
func (b booth) due(d *Voter) uint64 {
	if !d.off.on(ruleDwell) {
		return 0
	}
	dwell := uint64(FirstDwell)
	if d.off.on(ruleDouble) {
		dwell = Dwell(b.era.since(), b.round)
	}
	if speaker, ok := b.speaker(); ok && speaker != b.voter && d.off.on(ruleSpeaker) {
		return 2 * dwell
	}
	return dwell
}

// Dwell returns the dwell of a round, in ms, where the round since settled last; 0: none
// of the era did. Who is not the speaker waits for two.
func Dwell(since, round uint64) uint64 {
	dwell := uint64(FirstDwell)
	for n := since + 1; n < round && dwell < MaxDwell; n++ {
		dwell *= 2
	}
	return min(dwell, MaxDwell)
}

// since returns the round that settled last; 0: none of the era did.
func (e *era) since() uint64 {
	if e.by == nil {
		return 0
	}
	return e.by.number
}

// speaker returns the voter who goes first in this round. Where nobody may lie
// everybody goes at once.
func (b booth) speaker() (int, bool) {
	n := len(b.era.voters)
	return int(b.round % uint64(n)), Faults(n) > 0
}

// spoken returns the speaker's vote of this round if the others are to vote the
// same: it is held, alone, so is its source, and its block is on the settled
// chain. Nil: as if nobody had spoken.
func (b booth) spoken(d *Voter) *ballot {
	speaker, ok := b.speaker()
	r := b.era.round(b.round)
	if !ok || r == nil || speaker == b.voter || !d.off.on(ruleSpeaker) {
		return nil
	}
	var said *ballot
	for _, o := range r.ballots {
		if o.voter != speaker {
			continue
		}
		if said != nil {
			return nil // it said two things
		}
		said = o
	}
	if said == nil || !b.era.certified(said.Source.Round, said.source) && d.off.on(ruleHeldSource) || !below(b.votes.settled, said.block) {
		return nil
	}
	return said
}
