package chain

import (
	"crypto/ed25519"

	"kith/internal/wire"
)

// CheckHeaders returns the state after each header by every rule that needs no
// body, for whoever holds headers alone: those of one chain from its genesis on,
// parents before children, losing branches too. Signatures are checked in
// batches, so a list is far cheaper than its headers one by one.
func CheckHeaders(headers []*Header) ([]*State, error) {
	return new(putOff).headers(headers)
}

// headers is CheckHeaders, with the signatures put off.
func (p *putOff) headers(headers []*Header) ([]*State, error) {
	states := make([]*State, 0, len(headers))
	after := make(map[wire.BlockHash]*State, len(headers))
	var group wire.GroupID
	for i, h := range headers {
		parent := after[h.Parent]
		switch {
		case i > 0 && h.Group != group:
			return nil, p.first(&RejectError{"V1", ReasonOther, h.Height})
		case parent == nil && (i > 0 || !h.IsGenesis()):
			return nil, p.first(&MissingError{h.Parent})
		}
		s, err := judge(parent, h, p.signed)
		if err != nil {
			return nil, p.first(err)
		}
		hash := h.Hash()
		if i == 0 {
			group = wire.GroupID(hash)
		}
		after[hash], states = s, append(states, s)
	}
	return states, p.first(nil)
}

// putOff collects signatures and checks them together.
type putOff struct {
	batch   wire.Batch
	heights []uint64 // of the headers in the batch
	err     error    // the first that did not hold
	known   bool     // all were checked before: none is
}

// batchSize is how many signatures are checked at once; more gain nothing, and
// a false one is found sooner.
const batchSize = 1024

// signed believes that key signed h until the batch is full.
func (p *putOff) signed(h *Header, key ed25519.PublicKey) bool {
	if p.known {
		return true
	}
	p.batch.Add(key, wire.SignBlock, h.signed(), h.Signature[:])
	if p.heights = append(p.heights, h.Height); len(p.heights) == batchSize {
		p.err = p.first(nil)
	}
	return p.err == nil
}

// first returns the error of the first signature that does not hold; err, which
// came later, if all of them do.
func (p *putOff) first(err error) error {
	if p.err != nil {
		return p.err
	}
	heights := p.heights
	p.heights = nil
	if ok, each := p.batch.Verify(); !ok {
		for i := range each {
			if !each[i] {
				return &RejectError{"V3", ReasonSignature, heights[i]}
			}
		}
	}
	return err
}

// one checks the signature of a header by itself.
func one(h *Header, key ed25519.PublicKey) bool { return h.VerifySignature(key) }

// checkHeader returns the state after h by every rule that needs no body. The
// caller has found parent by h.Parent and compared the group.
func checkHeader(parent *State, h *Header) (*State, error) { return judge(parent, h, one) }

func judge(parent *State, h *Header, signed func(*Header, ed25519.PublicKey) bool) (*State, error) {
	key := authorKey(parent, h)
	if key != nil && !signed(h, key) {
		return nil, &RejectError{"V3", ReasonSignature, h.Height}
	}
	s, err := next(parent, h)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, &RejectError{"V3", ReasonAuthor, h.Height}
	}
	if s.root != h.StateRoot {
		return nil, &RejectError{"V5", ReasonStateRoot, h.Height}
	}
	return s, nil
}
