package chain

import (
	"fmt"
	"slices"

	"kith/internal/wire"
)

// A Proof shows that a block is settled, given that the start of its era is: the
// votes of one round that settle it and, where held, those of the round before,
// which certify their sources.
type Proof struct {
	Block wire.BlockHash
	Votes []*Vote // by round, device and hash
}

// A Settlement is a proof for each era, oldest first. All but the last settle the
// start of the next era.
type Settlement []*Proof

func compareVotes(a, b *Vote) int {
	switch {
	case a.Round != b.Round:
		return compare(a.Round, b.Round)
	case a.Device != b.Device:
		return slices.Compare(a.Device[:], b.Device[:])
	}
	return compareDigests(a.Hash(), b.Hash())
}

// proofVersion is the first byte of a proof.
const proofVersion = 1

// offset size field
// 0      1    version, 0x01
// 1      32   block
// 33     var  votes<V>, 250 bytes each, ascending by round, device and hash
func (p *Proof) encode(w *wire.Writer) {
	w.U8(proofVersion)
	w.Raw(p.Block[:])
	w.Group(func(w *wire.Writer) {
		for _, v := range p.Votes {
			w.Raw(v.Marshal())
		}
	})
}

// Marshal returns the encoding of the proof.
func (p *Proof) Marshal() []byte {
	var w wire.Writer
	p.encode(&w)
	return w.Bytes()
}

// ParseProofOfVotes decodes a whole proof.
func ParseProofOfVotes(b []byte) (*Proof, error) {
	r := wire.NewReader(b)
	p := decodeProof(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: proof of votes: %w", err)
	}
	return p, nil
}

func decodeProof(r *wire.Reader) *Proof {
	if version := r.U8(); r.Err() == nil && version != proofVersion {
		r.Fail(ErrNewer)
	}
	p := new(Proof)
	r.Fixed(p.Block[:])
	r.Each(MaxProofVotes*VoteSize, MaxProofVotes, func(r *wire.Reader) { p.Votes = append(p.Votes, decodeVote(r)) })
	for i := 1; i < len(p.Votes) && r.Err() == nil; i++ {
		if compareVotes(p.Votes[i-1], p.Votes[i]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	return p
}

// offset size field
// 0      var  proofs<V>, by era
func (s Settlement) Marshal() []byte {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for _, p := range s {
			p.encode(w)
		}
	})
	return w.Bytes()
}

// ParseSettlement decodes a whole settlement.
func ParseSettlement(b []byte) (Settlement, error) {
	r := wire.NewReader(b)
	var s Settlement
	r.Each(MaxSettlement, MaxProofs, func(r *wire.Reader) { s = append(s, decodeProof(r)) })
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: settlement: %w", err)
	}
	return s, nil
}

// Verify returns the settled block that s shows to whoever holds the blocks, or
// their headers (see [HeadersOnly]), and nothing else.
func (s Settlement) Verify(b *Blocks) (wire.BlockHash, error) {
	v := NewVotes(b)
	for _, p := range s {
		if _, err := v.AddProof(p); err != nil {
			return wire.BlockHash{}, err
		}
	}
	if v.Conflict() != nil || len(s) > 0 && v.Settled() != s[len(s)-1].Block {
		return wire.BlockHash{}, &VoteError{ReasonQuorum}
	}
	return v.Settled(), nil
}

// HeadersOnly returns the blocks of a chain whose bodies are not here, for
// [Settlement.Verify]: parents before children, from genesis. What only bodies
// show is not checked.
func HeadersOnly(headers []*Header) (*Blocks, error) {
	b := NewBlocks()
	for _, h := range headers {
		parent, err := b.parentOf(h)
		if err != nil {
			return nil, err
		}
		s, err := checkHeader(parent, h)
		if err != nil {
			return nil, err
		}
		if err := b.Add(h, nil, s); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// judgeProof returns the era of a proof and its ballots, if they settle what the
// proof says by themselves.
func (v *Votes) judgeProof(p *Proof) (*era, []*ballot, error) {
	if len(p.Votes) == 0 || !slices.IsSortedFunc(p.Votes, compareVotes) {
		return nil, nil, &VoteError{ReasonOrder}
	}
	y := v.blocks.by[p.Block]
	if y == nil {
		return nil, nil, &MissingError{p.Block}
	}
	e, err := v.eraOf(p.Votes[0])
	if err != nil {
		return nil, nil, err
	}
	alone := newEra(e.start, v.off)
	var ballots []*ballot
	for _, vote := range p.Votes {
		if vote.Era != e.start.Hash || vote.Group != p.Votes[0].Group {
			return nil, nil, &VoteError{ReasonEra}
		}
		b, err := alone.ballot(v, vote)
		if err != nil {
			return nil, nil, err
		}
		ballots = append(ballots, b)
		alone.put(b)
	}
	last := alone.rounds[len(alone.rounds)-1]
	if len(alone.rounds) > 2 || alone.rounds[0].number+uint64(len(alone.rounds)) != last.number+1 || !last.settled(alone, y) {
		return nil, nil, &VoteError{ReasonQuorum}
	}
	return e, ballots, nil
}
