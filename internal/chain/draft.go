package chain

import "kith/internal/wire"

// DraftParams says what a new block is to do. Parent, Group are zero for a
// genesis.
type DraftParams struct {
	Suite     uint16
	Parent    wire.BlockHash
	Group     wire.GroupID
	Author    wire.Member
	AuthorSeq uint64 // over every one this device used in this group, on losing branches too
	Ops       []Op
	CreatedAt uint64 // ms
}

// Draft returns a header whose core is complete, and the state after it; nil as
// parent makes a genesis. It applies every rule that needs neither body nor
// signature, so what it returns fails in [Blocks.Check] only for those. The MLS
// commit is made over the header's core hash, then [Header.Seal] ends it.
func Draft(parent *State, d DraftParams) (*Header, *State, error) {
	h := &Header{
		Version:   HeaderVersion,
		Suite:     d.Suite,
		SigAlg:    wire.SigEd25519,
		Group:     d.Group,
		Parent:    d.Parent,
		Author:    d.Author,
		AuthorSeq: d.AuthorSeq,
		Class:     computedClass(d.Ops),
		Ops:       d.Ops,
		CreatedAt: d.CreatedAt,
	}
	if parent != nil {
		h.Height = parent.height + 1
	}
	h, err := canonical(h) // a copy of its own; the ops stay the caller's
	if err != nil {
		return nil, nil, err
	}
	s, err := next(parent, h)
	if err != nil {
		return nil, nil, err
	}
	h.StateRoot = s.root
	return h, s, nil
}

// canonical returns a copy of h as it is read from its own bytes, so that no
// header made by hand gets further than a received one.
func canonical(h *Header) (*Header, error) {
	c, err := ParseHeader(h.Bytes())
	if isNewer(err) {
		return nil, ErrNewer
	}
	if err != nil {
		return nil, &RejectError{"V5", ReasonForm, h.Height}
	}
	return c, nil
}
