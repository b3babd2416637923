package chain_test

import (
	"testing"

	"kith/internal/chain"
)

func FuzzVote(f *testing.F) {
	f.Add(spelledVote(1))
	b := story(f)
	b.settle("ann")
	for _, v := range b.votes.All() {
		f.Add(v.Marshal())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if v, err := chain.ParseVote(in); err == nil {
			roundTrip(t, in, v.Marshal())
			_, _ = b.votes.Add(v)
		}
	})
}

func FuzzSettlement(f *testing.F) {
	b := story(f)
	b.settle("ann")
	b.settle("ben")
	f.Add(b.votes.Settlement().Marshal())
	f.Fuzz(func(t *testing.T, in []byte) {
		if s, err := chain.ParseSettlement(in); err == nil {
			roundTrip(t, in, s.Marshal())
			if got, err := s.Verify(b.blocks); err == nil && !b.votes.IsSettled(got) {
				t.Errorf("settles %s", got)
			}
		}
	})
}

func FuzzWarrant(f *testing.F) {
	a, b := inOrder()
	f.Add(warrantOf(a, b))
	f.Fuzz(func(t *testing.T, in []byte) {
		if w, err := chain.ParseWarrant(in); err == nil {
			roundTrip(t, in, w.Marshal())
		}
	})
}

func FuzzEvidence(f *testing.F) {
	a, b := inOrder()
	f.Add(append(a, b...))
	f.Fuzz(func(t *testing.T, in []byte) {
		if e, err := chain.ParseEvidence(in); err == nil {
			roundTrip(t, in, e.Marshal())
		}
	})
}
