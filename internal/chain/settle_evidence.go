package chain

import (
	"bytes"
	"fmt"
	"slices"

	"kith/internal/wire"
)

// Evidence is two votes of one device that no honest one signs both: two of one
// round or with one number, a number that goes back while the round goes on, or
// a source that goes back.
type Evidence struct{ A, B *Vote } // A has the lower hash

func newEvidence(a, b *Vote) *Evidence {
	if compareDigests(a.Hash(), b.Hash()) > 0 {
		a, b = b, a
	}
	return &Evidence{a, b}
}

// Device returns who lied.
func (e *Evidence) Device() wire.DeviceID { return e.A.Device }

// Slashable reports whether the two votes show the lie without the blocks they name,
// as a [Slash] of them has to.
func (e *Evidence) Slashable() bool { return contradict(e.A, e.B) }

// EvidenceSize is the length of every piece of evidence, in bytes.
const EvidenceSize = 2 * VoteSize

// offset size field
// 0      250  vote with the lower hash
// 250    250  the other
func (e *Evidence) Marshal() []byte { return append(e.A.Marshal(), e.B.Marshal()...) }

// ParseEvidence decodes a whole piece of evidence.
func ParseEvidence(b []byte) (*Evidence, error) {
	r := wire.NewReader(b)
	e := &Evidence{decodeVote(r), decodeVote(r)}
	if r.Err() == nil && compareDigests(e.A.Hash(), e.B.Hash()) >= 0 {
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: evidence: %w", err)
	}
	return e, nil
}

// blame reports whether two valid votes of one voter in one era cannot both be an
// honest one's.
func blame(a, b *ballot) bool {
	if a.Round > b.Round {
		a, b = b, a
	}
	lower := b.Source.Round == a.Source.Round && b.source.State.height < a.source.State.height
	return contradict(a.Vote, b.Vote) || lower && !a.sameContent(b.Vote)
}

// contradict is blame as far as the bytes of two votes show it.
func contradict(a, b *Vote) bool {
	if a.Round > b.Round {
		a, b = b, a
	}
	lie := a.Round == b.Round || a.Seq >= b.Seq || b.Source.Round < a.Source.Round
	return lie && !a.sameContent(b)
}

// AddEvidence takes in evidence that is valid, and reports whether it is new. Of
// one device one piece is kept, that with the lowest hashes.
func (v *Votes) AddEvidence(e *Evidence) (bool, error) {
	if e.A.Device != e.B.Device || e.A.Era != e.B.Era || compareDigests(e.A.Hash(), e.B.Hash()) >= 0 {
		return false, &VoteError{ReasonBlameful}
	}
	_, a, err := v.check(e.A)
	if err != nil {
		return false, err
	}
	_, b, err := v.check(e.B)
	if err != nil {
		return false, err
	}
	if !blame(a, b) {
		return false, &VoteError{ReasonBlameful}
	}
	return v.keep(e), nil
}

func (v *Votes) keep(e *Evidence) bool {
	old := v.evidence[e.Device()]
	if old != nil && e.compare(old) >= 0 {
		return false
	}
	v.evidence[e.Device()] = e
	v.stale = true
	return true
}

func (e *Evidence) compare(o *Evidence) int {
	if c := compareDigests(e.A.Hash(), o.A.Hash()); c != 0 {
		return c
	}
	return compareDigests(e.B.Hash(), o.B.Hash())
}

// Evidence returns what is held against voters, by device.
func (v *Votes) Evidence() []*Evidence {
	list := make([]*Evidence, 0, len(v.evidence))
	for _, e := range v.evidence {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *Evidence) int {
		x, y := a.Device(), b.Device()
		return bytes.Compare(x[:], y[:])
	})
	return list
}
