package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// Parts of a votes frame.
const (
	votesHeld     uint8 = 0 // what the sender holds, in short; asks for what it lacks
	votesPushed   uint8 = 1 // they are new at the sender
	votesAnswered uint8 = 2 // what the receiver may lack
)

// votesFrame is what one device tells another of votes.
//
//	size field
//	1    14, votes
//	1    part: 0 held
//	32   block that is settled for the sender
//	32   digest of the votes it holds
//
//	1    14, votes
//	1    part: 1 pushed, 2 answered
//	V    settlement, docs/spec/settlement.md: warrants of some eras
//	V    evidence, 500 bytes each
//	V    votes, 250 bytes each
type votesFrame struct {
	part    uint8
	settled wire.BlockHash // in part 0 alone, like the digest
	digest  wire.Digest

	warrants chain.Settlement
	evidence []*chain.Evidence
	votes    []*chain.Vote
}

func (f votesFrame) empty() bool { return len(f.warrants)+len(f.evidence)+len(f.votes) == 0 }

func (f votesFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameVotes)
	w.U8(f.part)
	if f.part == votesHeld {
		w.Raw(f.settled[:])
		w.Raw(f.digest[:])
		return w.Bytes()
	}
	w.Vec(f.warrants.Marshal())
	w.Group(func(w *wire.Writer) {
		for _, e := range f.evidence {
			w.Raw(e.Marshal())
		}
	})
	w.Group(func(w *wire.Writer) {
		for _, v := range f.votes {
			w.Raw(v.Marshal())
		}
	})
	return w.Bytes()
}

func parseVotes(r *wire.Reader) (f votesFrame, err error) {
	if f.part = r.U8(); f.part > votesAnswered {
		r.Fail(wire.ErrCanonical)
	}
	if f.part == votesHeld {
		r.Fixed(f.settled[:])
		r.Fixed(f.digest[:])
		return f, r.Done()
	}
	warrants := r.Vec(chain.MaxSettlement)
	r.Each(maxVoteEvidence*chain.EvidenceSize, maxVoteEvidence, func(r *wire.Reader) {
		var b [chain.EvidenceSize]byte
		r.Fixed(b[:])
		e, bad := chain.ParseEvidence(b[:])
		if bad != nil && r.Err() == nil {
			r.Fail(bad)
		}
		f.evidence = append(f.evidence, e)
	})
	r.Each(maxVotes*chain.VoteSize, maxVotes, func(r *wire.Reader) {
		var b [chain.VoteSize]byte
		r.Fixed(b[:])
		v, bad := chain.ParseVote(b[:])
		if bad != nil && r.Err() == nil {
			r.Fail(bad)
		}
		f.votes = append(f.votes, v)
	})
	if err = r.Done(); err != nil {
		return f, err
	}
	f.warrants, err = chain.ParseSettlement(warrants)
	return f, err
}
