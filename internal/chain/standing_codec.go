package chain

import (
	"bytes"

	"kith/internal/wire"
)

// standingMagic begins every proof file; standingVersion follows it.
const (
	standingMagic   = "KITHSTD"
	standingVersion = 1
)

// Bounds of proof files; ours.
const (
	// MaxStanding bounds a proof file, in bytes: a thousand changes of five voters in
	// a group of a thousand, or a way of some 20,000 blocks.
	MaxStanding = 16 << 20

	// maxStandingBlocks bounds its headers; a header has at least 319 bytes.
	maxStandingBlocks = MaxStanding / 319

	// maxMemberProof bounds one proof in it, in bytes.
	maxMemberProof = maxMemberRecord + 32*maxPath + 32
)

// offset size field
// 0      7    magic, "KITHSTD"
// 7      1    version, 0x01
// 8      var  opaque genesis<V>, its header
// +0     var  steps<V>, by era; see [Step]
// +0     var  above<V>, each opaque header<V>; by height, then hash
// +0     var  way<V>, each opaque header<V>; each the parent of the next
// +0     var  opaque proof<V>, of the person
func (s *Standing) Marshal() []byte {
	var w wire.Writer
	w.Raw([]byte(standingMagic))
	w.U8(standingVersion)
	w.Vec(s.Genesis.Bytes())
	w.Group(func(w *wire.Writer) {
		for _, step := range s.Steps {
			step.encode(w)
		}
	})
	for _, list := range [][]*Header{s.Above, s.Way} {
		w.Group(func(w *wire.Writer) {
			for _, h := range list {
				w.Vec(h.Bytes())
			}
		})
	}
	w.Vec(s.Member.Marshal())
	return w.Bytes()
}

// offset size field
// 0      var  opaque header<V>
// +0     var  votes<V>, 250 bytes each, of one round, ascending by device and hash
// +0     var  voters<V>, each opaque proof<V>: settings, then voters
func (step Step) encode(w *wire.Writer) {
	w.Vec(step.Header.Bytes())
	w.Group(func(w *wire.Writer) {
		for _, v := range step.Votes {
			w.Raw(v.Marshal())
		}
	})
	w.Group(func(w *wire.Writer) {
		for _, p := range step.Voters {
			w.Vec(p.Marshal())
		}
	})
}

// size bounds the length of the encoding from above, without making one that
// no vector has room for.
func (s *Standing) size() (n int) {
	headers := append(append(s.stations(), s.Above...), s.Way...)
	for _, h := range headers {
		n += 4 + len(h.Bytes())
	}
	for _, step := range s.Steps {
		n += 8 + len(step.Votes)*VoteSize
		for _, p := range step.Voters {
			n += 32 + len(p.Record) + 32*len(p.Path)
		}
	}
	return n + 64 + len(s.Member.Record) + 32*len(s.Member.Path)
}

// IsStanding reports whether a file begins as a proof file does.
func IsStanding(b []byte) bool { return bytes.HasPrefix(b, []byte(standingMagic)) }

// ParseStanding decodes a whole proof file; [Standing.Verify] judges it. The error
// is a [StandingError], or [ErrNewer].
func ParseStanding(b []byte) (*Standing, error) {
	switch {
	case !IsStanding(b):
		return nil, &StandingError{Reason: StandingKind}
	case len(b) > MaxStanding:
		return nil, &StandingError{Reason: StandingForm}
	}
	r := wire.NewReader(b[len(standingMagic):])
	if v := r.U8(); r.Err() == nil && v != standingVersion {
		return nil, ErrNewer
	}
	s := &Standing{Genesis: decodeHeader(r)}
	r.Each(MaxStanding, MaxWarrants, func(r *wire.Reader) { s.Steps = append(s.Steps, decodeStep(r)) })
	for _, list := range []*[]*Header{&s.Above, &s.Way} {
		r.Each(MaxStanding, maxStandingBlocks, func(r *wire.Reader) { *list = append(*list, decodeHeader(r)) })
	}
	s.Member = decodeVecProof(r)
	switch err := r.Done(); {
	case isNewer(err):
		return nil, ErrNewer
	case err != nil:
		return nil, &StandingError{Reason: StandingForm}
	}
	return s, nil
}

func decodeHeader(r *wire.Reader) *Header {
	raw := r.Vec(MaxHeader)
	if r.Err() != nil {
		return nil
	}
	h, err := ParseHeader(raw)
	if err != nil {
		r.Fail(err)
	}
	return h
}

func decodeStep(r *wire.Reader) (step Step) {
	step.Header = decodeHeader(r)
	r.Each(2*MaxVoters*VoteSize, 2*MaxVoters, func(r *wire.Reader) { step.Votes = append(step.Votes, decodeVote(r)) })
	r.Each(MaxStanding, 1+MaxVoters, func(r *wire.Reader) { step.Voters = append(step.Voters, decodeVecProof(r)) })
	return step
}

func decodeVecProof(r *wire.Reader) *MemberProof {
	sub := r.Sub(maxMemberProof)
	p := decodeMemberProof(sub)
	if err := sub.Done(); err != nil {
		r.Fail(err)
	}
	return p
}
