package chain

import (
	"fmt"
	"slices"

	"kith/internal/wire"
)

// A Warrant shows that a block is settled, given that the start of its era is: the
// votes of one round that settle it and, where held, those of the round before,
// which certify their sources.
type Warrant struct {
	Block wire.BlockHash
	Votes []*Vote // by round, device and hash
}

// A Settlement is a warrant for each era, oldest first. All but the last settle the
// start of the next era.
type Settlement []*Warrant

func compareVotes(a, b *Vote) int {
	switch {
	case a.Round != b.Round:
		return compare(a.Round, b.Round)
	case a.Device != b.Device:
		return slices.Compare(a.Device[:], b.Device[:])
	}
	return compareDigests(a.Hash(), b.Hash())
}

// warrantVersion is the first byte of a warrant.
const warrantVersion = 1

// offset size field
// 0      1    version, 0x01
// 1      32   block
// 33     var  votes<V>, 250 bytes each, ascending by round, device and hash
func (w *Warrant) encode(out *wire.Writer) {
	out.U8(warrantVersion)
	out.Raw(w.Block[:])
	out.Group(func(out *wire.Writer) {
		for _, v := range w.Votes {
			out.Raw(v.Marshal())
		}
	})
}

// Marshal returns the encoding of the warrant.
func (w *Warrant) Marshal() []byte {
	var out wire.Writer
	w.encode(&out)
	return out.Bytes()
}

// ParseWarrant decodes a whole warrant.
func ParseWarrant(b []byte) (*Warrant, error) {
	r := wire.NewReader(b)
	w := decodeWarrant(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: warrant: %w", err)
	}
	return w, nil
}

func decodeWarrant(r *wire.Reader) *Warrant {
	if version := r.U8(); r.Err() == nil && version != warrantVersion {
		r.Fail(ErrNewer)
	}
	w := new(Warrant)
	r.Fixed(w.Block[:])
	r.Each(MaxWarrantVotes*VoteSize, MaxWarrantVotes, func(r *wire.Reader) { w.Votes = append(w.Votes, decodeVote(r)) })
	for i := 1; i < len(w.Votes) && r.Err() == nil; i++ {
		if compareVotes(w.Votes[i-1], w.Votes[i]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	return w
}

// offset size field
// 0      var  warrants<V>, by era
func (s Settlement) Marshal() []byte {
	var out wire.Writer
	out.Group(func(out *wire.Writer) {
		for _, w := range s {
			w.encode(out)
		}
	})
	return out.Bytes()
}

// ParseSettlement decodes a whole settlement.
func ParseSettlement(b []byte) (Settlement, error) {
	r := wire.NewReader(b)
	var s Settlement
	r.Each(MaxSettlement, MaxWarrants, func(r *wire.Reader) { s = append(s, decodeWarrant(r)) })
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("chain: settlement: %w", err)
	}
	return s, nil
}

// Verify returns the settled block that s shows to whoever holds the blocks, or
// their headers (see [HeadersOnly]), and nothing else.
func (s Settlement) Verify(b *Blocks) (wire.BlockHash, error) { return s.verify(b, 0) }

func (s Settlement) verify(b *Blocks, off rule) (wire.BlockHash, error) {
	v := NewVotes(b)
	v.off = off
	for _, w := range s {
		if _, err := v.AddWarrant(w); err != nil {
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
// show is not checked, and a Carry, whose author stands in what it cites, weighs
// nothing: whoever asks for a head takes light blocks ([Blocks.CheckLight]).
func HeadersOnly(headers []*Header) (*Blocks, error) {
	states, err := CheckHeaders(headers)
	if err != nil {
		return nil, err
	}
	b := NewBlocks()
	for i, h := range headers {
		if err := b.Add(h, nil, states[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// judgeWarrant returns the era of a warrant and its ballots, if they settle
// what it says by themselves.
func (v *Votes) judgeWarrant(w *Warrant) (*era, []*ballot, error) {
	if len(w.Votes) == 0 || !slices.IsSortedFunc(w.Votes, compareVotes) {
		return nil, nil, &VoteError{ReasonOrder}
	}
	y := v.blocks.by[w.Block]
	if y == nil {
		return nil, nil, &MissingError{w.Block}
	}
	e, err := v.eraOf(w.Votes[0])
	if err != nil {
		return nil, nil, err
	}
	alone := newEra(e.start, v.off)
	var ballots []*ballot
	for _, vote := range w.Votes {
		if vote.Era != e.start.Hash || vote.Group != w.Votes[0].Group {
			return nil, nil, &VoteError{ReasonEra}
		}
		b, err := alone.ballot(v, vote)
		if err != nil {
			return nil, nil, err
		}
		ballots = append(ballots, b)
		alone.put(b)
	}
	alone.tally(0)
	last := alone.rounds[len(alone.rounds)-1]
	if len(alone.rounds) > 2 || alone.rounds[0].number+uint64(len(alone.rounds)) != last.number+1 || !last.settled(alone, y) {
		return nil, nil, &VoteError{ReasonQuorum}
	}
	return e, ballots, nil
}
