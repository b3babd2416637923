package chain

import "kith/internal/wire"

// Named returns the blocks that votes and evidence held name. Without one of them
// they could not be judged again, so they are not to be dropped for space.
func (v *Votes) Named() map[wire.BlockHash]bool {
	named := make(map[wire.BlockHash]bool)
	name := func(vote *Vote) { named[vote.Era], named[vote.Block], named[vote.Source.Block] = true, true, true }
	for start, e := range v.eras {
		named[start.Hash] = true
		for _, b := range e.ballots() {
			name(b.Vote)
		}
	}
	for _, e := range v.evidence {
		name(e.A)
		name(e.B)
	}
	return named
}

// Room returns how many votes there can be at most, whoever signs them, in the
// rounds that are heard now.
func (v *Votes) Room() (n int) {
	v.settle()
	for _, e := range v.eras {
		rounds := int(max(e.reached(), e.base)+1+maxAhead) - int(e.base) + 1
		n += maxPerRound * len(e.voters) * (rounds + len(e.against))
		if e.open() {
			n += len(e.ballots())
		}
	}
	return n
}
