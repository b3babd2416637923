package chain

import (
	"fmt"
	"slices"

	"kith/internal/wire"
)

// A StandingError says why a proof file is refused.
type StandingError struct {
	Reason StandingReason
	Height uint64 // of the block it is about
}

func (e *StandingError) Error() string {
	return fmt.Sprintf("chain: proof refused at height %d: %s", e.Height, e.Reason)
}

// StandingReason is a stable word for what is wrong with a proof file.
type StandingReason string

// Reasons of a StandingError.
const (
	StandingKind   StandingReason = "kind"   // no proof of a group's member at all
	StandingForm   StandingReason = "form"   // cut short, or made wrongly
	StandingVotes  StandingReason = "votes"  // they do not settle the block
	StandingVoters StandingReason = "voters" // it does not show who votes next
	StandingWay    StandingReason = "way"    // headers that do not lead to the block
	StandingPerson StandingReason = "person" // the record is not in the state root

	// Of a person, when one is made.
	StandingAbsent StandingReason = "absent" // never a member, as far as it is settled
	StandingLarge  StandingReason = "large"  // over MaxStanding

	// Against what is kept.
	StandingGroup StandingReason = "group" // of another group
	StandingOlder StandingReason = "older" // below what is kept
	StandingGap   StandingReason = "gap"   // does not show that it descends from what is kept
)

// A TwiceError shows two settled blocks of which no group can have both: more
// voters of the era lied than it bears.
type TwiceError struct {
	Era     wire.BlockHash
	Blocks  [2]Settling
	Heights [2]uint64
	Both    []wire.PersonID // who voted for both, sorted
}

func (e *TwiceError) Error() string {
	return fmt.Sprintf("chain: settled twice: %s and %s", e.Blocks[0].Block, e.Blocks[1].Block)
}

// Follows reports whether s may take the place of kept for whoever believed that
// one; both have been verified. Nil: the block of s is that of kept, or shown to
// descend from it. The error is a [StandingError], or a [TwiceError].
func (s *Standing) Follows(kept *Standing) error {
	if s.Genesis.Hash() != kept.Genesis.Hash() {
		return &StandingError{Reason: StandingGroup}
	}
	top, keeps := s.Settled(), kept.Settled()
	for i := range min(len(s.Steps), len(kept.Steps)) {
		if kept.Steps[i].Header.Hash() == s.Steps[i].Header.Hash() {
			continue
		}
		if err := s.contest(kept, i); err != nil {
			return err
		}
		break // of the first difference it is the newest that is kept
	}
	switch {
	case keeps.Height == 0:
		return nil // it is what s has been verified from
	case top.Height < keeps.Height:
		return &StandingError{StandingOlder, keeps.Height}
	}
	if hash, ok := s.at(keeps.Height); !ok || hash != keeps.Hash() {
		return &StandingError{StandingGap, keeps.Height}
	}
	return nil
}

// contest compares the blocks of step i, which are two, of one era. Nil: that of kept is
// lower, ended no era, and is not shown to be on another branch than that of s.
func (s *Standing) contest(kept *Standing, i int) error {
	a, b := kept.Steps[i].Header, s.Steps[i].Header
	switch {
	case a.Height == b.Height, a.Height < b.Height && kept.ends(i), b.Height < a.Height && s.ends(i):
		return s.twice(kept, i)
	case b.Height < a.Height:
		if hash, ok := kept.at(b.Height); ok && hash != b.Hash() {
			return s.twice(kept, i)
		}
		return &StandingError{StandingOlder, kept.Settled().Height}
	}
	if hash, ok := s.at(a.Height); ok && hash != a.Hash() {
		return s.twice(kept, i)
	}
	return nil
}

// twice is the proof that one era settled both blocks of step i.
func (s *Standing) twice(kept *Standing, i int) error {
	e := &TwiceError{Era: s.stations()[i].Hash()}
	for n, one := range []*Standing{kept, s} {
		shown, err := one.Verify()
		if err != nil {
			return err
		}
		e.Blocks[n], e.Heights[n] = shown.Settlings[i], one.Steps[i].Header.Height
	}
	for _, id := range e.Blocks[0].By {
		if slices.Contains(e.Blocks[1].By, id) {
			e.Both = append(e.Both, id)
		}
	}
	return e
}
