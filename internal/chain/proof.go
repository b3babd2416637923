package chain

import (
	"fmt"

	"kith/internal/wire"
)

// A proof is the headers of a person's chain from genesis to the block named as
// the person's head, a vector of opaque<V>.

// MarshalProof returns the encoding of a proof.
func MarshalProof(headers []*Header) []byte {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for _, h := range headers {
			w.Vec(h.Bytes())
		}
	})
	return w.Bytes()
}

// ParseProof decodes a proof of at least one header; VerifyProof judges it.
func ParseProof(b []byte) ([]*Header, error) {
	r := wire.NewReader(b)
	var headers []*Header
	r.Each(MaxBody, MaxProofHeaders, func(r *wire.Reader) {
		raw := r.Vec(MaxHeader)
		if r.Err() != nil {
			return
		}
		h, err := ParseHeader(raw)
		if err != nil {
			r.Fail(err)
			return
		}
		headers = append(headers, h)
	})
	err := r.Done()
	if err == nil && len(headers) == 0 {
		err = wire.ErrShort
	}
	if err != nil {
		return nil, fmt.Errorf("chain: proof: %w", err)
	}
	return headers, nil
}

// VerifyProof returns the state of the person after the last header. The
// person's id is the hash of the first.
func VerifyProof(headers []*Header) (*State, error) {
	return provenState(headers, &putOff{})
}

// ReadProof is [VerifyProof] of a proof that a block cites which was checked: that has checked
// its signatures, which are most of the cost, and they are not checked again.
func ReadProof(headers []*Header) (*State, error) {
	return provenState(headers, &putOff{known: true})
}

func provenState(headers []*Header, put *putOff) (*State, error) {
	for i, h := range headers {
		if i > 0 && h.Parent != headers[i-1].Hash() {
			return nil, &RejectError{"V2", ReasonOther, h.Height}
		}
	}
	states, err := put.headers(headers)
	if err != nil {
		return nil, err
	}
	if len(states) == 0 {
		return nil, &RejectError{"V1", ReasonGenesis, 0}
	}
	if !states[0].ofPerson {
		return nil, &RejectError{"V1", ReasonPersonField, 0}
	}
	return states[len(states)-1], nil
}
