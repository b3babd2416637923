package chain

// Bounds of the specification (docs/spec/settlement.md).
const (
	// MaxWarrantVotes bounds the votes of a warrant: two rounds, in each of them two
	// votes of a voter that signed two.
	MaxWarrantVotes = 4 * MaxVoters

	// MaxWarrants bounds a settlement, one warrant for each era. A group that
	// changes its voters weekly for twenty years stays below it.
	MaxWarrants = 1024

	// MaxSettlement bounds a settlement in bytes. It is what a body may have.
	MaxSettlement = MaxBody
)

// Bounds of ours, which peers need not share.
const (
	// maxAhead bounds how many rounds a vote may be ahead of the highest that a
	// quorum reached. Honest votes are one ahead of what their voter held; the
	// rest is room for votes that arrive in any order. What is further ahead is
	// to be offered again, so a liar fills at most this many rounds.
	maxAhead = 64

	// maxPerRound is how many votes of one voter in one round are kept. The
	// second shows that it lies, and from then on it counts for every block.
	maxPerRound = 2
)

// Dwell times in ms. They are each node's own clock's and no part of validity.
const (
	// FirstDwell gives the blocks of a moment time to meet before a vote binds.
	FirstDwell = 30_000
	// MaxDwell keeps a group that was split for long from waiting long after.
	MaxDwell = 3_600_000
)
