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
