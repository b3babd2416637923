package chain_test

import (
	"bytes"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// roundTrip fails unless bytes that parse encode to themselves.
func roundTrip(t *testing.T, in, out []byte) {
	if !bytes.Equal(in, out) {
		t.Errorf("%x parses, but encodes to %x", in, out)
	}
}

func FuzzHeader(f *testing.F) {
	for _, c := range spelled {
		b, _ := headerAround(c.bytes)
		f.Add(b)
	}
	p := newPerson(f, "ann")
	f.Add(p.headers[0].Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return
		}
		roundTrip(t, b, h.Bytes())
		if s, err := chain.NewBlocks().Check(h, bodyOf(true)); err == nil {
			t.Errorf("valid without its attachments: %v", s)
		}
		if _, err := chain.VerifyProof([]*chain.Header{p.headers[0], h}); err == nil {
			t.Error("a forged block of a person's chain is valid")
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add(bodyOf(true, []byte("a"), nil).Bytes())
	f.Add(bodyOf(false).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if body, err := chain.ParseBody(b); err == nil {
			roundTrip(t, b, body.Bytes())
		}
	})
}

func FuzzProof(f *testing.F) {
	f.Add(newPerson(f, "ann").proof())
	f.Fuzz(func(t *testing.T, b []byte) {
		if headers, err := chain.ParseProof(b); err == nil {
			roundTrip(t, b, chain.MarshalProof(headers))
			_, _ = chain.VerifyProof(headers)
		}
	})
}

func FuzzOffer(f *testing.F) {
	f.Add(chain.Offer{Tips: []wire.BlockHash{{1}, {2}}, Locator: []wire.BlockHash{{3}}}.Marshal())
	g := newGroup(f, chain.Policy{}, "ann")
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := chain.ParseOffer(b); err == nil {
			roundTrip(t, b, o.Marshal())
			g.blocks.Missing(o)
		}
	})
}

func FuzzLeaveStatement(f *testing.F) {
	f.Add((&chain.LeaveStatement{}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := chain.ParseLeaveStatement(b); err == nil {
			roundTrip(t, b, s.Marshal())
		}
	})
}
