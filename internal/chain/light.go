package chain

import "kith/internal/wire"

// A light block is a header and the attachments that its ops cite, without the
// commit. Attachments are all that the chain reads of a body: proofs of people,
// knock keys, what a Carry, a Slash or a Restart cites. Each stands in its op by
// its hash, so they are checked without the rest, and fork choice, warrants,
// records and later blocks come out as for whoever holds the bodies. What is not
// seen of a light block is rule V6 as far as MLS goes: so it counts only where a
// settlement stands above it.

// Light returns what is left of a body without its commit.
func (b *Body) Light() *Body { return &Body{Attachments: b.Attachments} }

// IsLight reports whether the commit is left out: no valid body has none.
func (b *Body) IsLight() bool { return len(b.Commit) == 0 }

// CheckLight is [Blocks.Check] for a light block: all but the body's hash, its
// epoch-0 part and its commit.
func (b *Blocks) CheckLight(h *Header, attachments [][]byte) (*State, error) {
	return b.check(h, func(at *node, h *Header) error { return newBodyCheck(at, h).attachments(attachments) })
}

// IsLight reports whether a block that is held is a light one.
func (b *Blocks) IsLight(hash wire.BlockHash) bool {
	n := b.by[hash]
	return n != nil && (n.Body == nil || n.Body.IsLight())
}

// Lights returns whether any block held is light.
func (b *Blocks) Lights() bool {
	for _, n := range b.by {
		if n.Body == nil || n.Body.IsLight() {
			return true
		}
	}
	return false
}
