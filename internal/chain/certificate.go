package chain

import (
	"bytes"
	"math/bits"
	"slices"

	"kith/internal/wire"
)

// Faults returns how many of n voters may lie without harm.
func Faults(n int) int { return max(0, (n-1)/3) }

// Quorum returns how many of n voters make a certificate: two sets of so many
// have more than Faults(n) voters in common.
//
//	n  1 2 3 4 5 6 7 8 9 10
//	q  1 2 2 3 4 4 5 6 6 7
func Quorum(n int) int { return (n+Faults(n))/2 + 1 }

// A ballot is a vote with what it names looked up.
type ballot struct {
	*Vote
	hash          wire.Digest
	voter         int // index among the voters of the era
	block, source *node
}

// compareBallots orders by round, voter and hash.
func compareBallots(a, b *ballot) int {
	switch {
	case a.Round != b.Round:
		return compare(a.Round, b.Round)
	case a.voter != b.voter:
		return a.voter - b.voter
	}
	return compareDigests(a.hash, b.hash)
}

func compare(a, b uint64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// A voterSet has one bit for each voter of an era.
type voterSet uint32

func (s voterSet) len() int { return bits.OnesCount32(uint32(s)) }

// A round is the votes of one round of an era and what they say together.
//
//	E ── X ── Y ── B    a vote goes for every block Y from its source X to its
//	          │         block B
//	          └ C       votes for B and C together certify Y
type round struct {
	number  uint64
	ballots []*ballot // by voter, then hash
	dirty   bool

	// What follows from the ballots; valid unless dirty.
	voters  voterSet // with a vote
	wild    voterSet // with two votes: liars, who count for every block
	skip    voterSet // who count for nothing
	certs   []*node  // certified, with nothing certified above; one but for liars
	settles []*node  // settled, likewise
}

// tally computes what the round says, without the voters of skip.
func (r *round) tally(e *era, skip voterSet) {
	r.dirty, r.skip, r.voters, r.wild = false, skip, 0, 0
	var blocks, sources []*node
	for _, b := range r.ballots {
		bit := voterSet(1) << b.voter
		if skip&bit != 0 {
			continue
		}
		if r.voters&bit != 0 && e.off.on(ruleWild) {
			r.wild |= bit
		}
		r.voters |= bit
		blocks = append(blocks, b.block)
		sources = append(sources, b.source)
	}
	r.certs, r.settles = nil, nil
	if r.voters.len() >= e.quorum() {
		r.certs = highest(blocks, func(y *node) bool { return r.certifies(e, y) })
	}
	r.settles = highest(sources, func(y *node) bool { return r.settled(e, y) })
}

// certifies reports whether (number, y) is a certificate: a quorum voted from
// y's ancestors, or y, for y or its descendants.
func (r *round) certifies(e *era, y *node) bool {
	var agree voterSet
	for _, b := range r.ballots {
		if (below(b.source, y) || !e.off.on(ruleCertSource)) && (below(y, b.block) || !e.off.on(ruleCertBlock)) {
			agree |= 1 << b.voter
		}
	}
	return r.quorate(e, agree)
}

// settled reports whether the votes of this round settle y: a quorum has a
// source of the round just before at y or above.
func (r *round) settled(e *era, y *node) bool {
	var agree voterSet
	ballots := r.ballots
	if !e.off.on(ruleOneRound) {
		ballots = e.ballots()
	}
	for _, b := range ballots {
		linked := b.Source.Round+1 == r.number || !e.off.on(ruleLinked) && b.Source.Round > 0
		if linked && (below(y, b.source) || !e.off.on(ruleSettleSource)) {
			agree |= 1 << b.voter
		}
	}
	return r.quorate(e, agree)
}

// quorate reports whether those who agree are a quorum together with the liars;
// one at least must have said so in a vote.
func (r *round) quorate(e *era, agree voterSet) bool {
	agree &^= r.skip
	return agree != 0 && (agree|r.wild).len() >= e.quorum()
}

// highest returns the blocks for which ok holds, of those where the set of
// votes that reach a block changes, and that have no other such block above:
// those named and where the ways to two of them part. By height, then hash.
func highest(named []*node, ok func(*node) bool) []*node {
	var tried, found []*node
	for i, a := range named {
		for _, b := range named[i:] {
			y := meet(a, b)
			if slices.Contains(tried, y) {
				continue
			}
			if tried = append(tried, y); ok(y) {
				found = append(found, y)
			}
		}
	}
	top := slices.DeleteFunc(slices.Clone(found), func(y *node) bool {
		return slices.ContainsFunc(found, func(o *node) bool { return o != y && below(y, o) })
	})
	slices.SortFunc(top, compareNodes)
	return top
}

// compareNodes puts the higher block first, of two as high the lower hash.
func compareNodes(a, b *node) int {
	if a.State.height != b.State.height {
		return compare(b.State.height, a.State.height)
	}
	return bytes.Compare(a.Hash[:], b.Hash[:])
}

// below reports whether a is b or an ancestor of it.
func below(a, b *node) bool {
	return a == b || a.State.height < b.State.height && b.at(a.State.height) == a
}

// meet returns the highest common ancestor.
func meet(a, b *node) *node {
	if a.State.height > b.State.height {
		a = a.at(b.State.height)
	}
	b = b.at(a.State.height)
	for a != b {
		if a.jump != b.jump { // jumps of two blocks as high are as long
			a, b = a.jump, b.jump
		} else {
			a, b = a.parent, b.parent
		}
	}
	return a
}
