package chain_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
)

// TestSettlementFromHeaders: a newcomer has headers, and the settlement that
// came with its invitation.
func TestSettlementFromHeaders(t *testing.T) {
	b := story(t)
	b.settle("ann")
	b.settle("ben")
	var headers []*chain.Header
	for _, hash := range b.blocks.Chain() {
		headers = append(headers, b.blocks.Header(hash))
	}
	light, err := chain.HeadersOnly(headers)
	if err != nil {
		t.Fatal(err)
	}
	s, err := chain.ParseSettlement(b.votes.Settlement().Marshal())
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Verify(light)
	if err != nil || got != b.blocks.Head() {
		t.Errorf("settled %s, %v", got, err)
	}
	if got, err := chain.Settlement(nil).Verify(light); err != nil || got != light.Genesis() {
		t.Errorf("without votes %s, %v", got, err)
	}
	for name, broken := range map[string]func(chain.Settlement) chain.Settlement{
		"eras in the wrong order": func(s chain.Settlement) chain.Settlement { return chain.Settlement{s[1], s[0]} },
		"an era left out":         func(s chain.Settlement) chain.Settlement { return s[1:] },
		"of no votes":             func(s chain.Settlement) chain.Settlement { s[0].Votes = nil; return s },
		"of one round only": func(s chain.Settlement) chain.Settlement {
			s[0].Votes = s[0].Votes[:1]
			return s
		},
		"a forged vote": func(s chain.Settlement) chain.Settlement { s[0].Votes[0].Signature[0]++; return s },
		"for more":      func(s chain.Settlement) chain.Settlement { s[0].Block = s[1].Block; return s },
		"votes of two eras": func(s chain.Settlement) chain.Settlement {
			s[1].Votes = append(slices.Clone(s[0].Votes), s[1].Votes...)
			return s
		},
	} {
		s, err := chain.ParseSettlement(b.votes.Settlement().Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := broken(s).Verify(light); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := chain.HeadersOnly(headers[1:]); err == nil {
		t.Error("headers without genesis")
	}
	if _, err := s.Verify(mustHeaders(t, headers[:2])); err == nil {
		t.Error("a settlement beyond the headers held")
	}
}

func mustHeaders(t *testing.T, headers []*chain.Header) *chain.Blocks {
	t.Helper()
	b, err := chain.HeadersOnly(headers)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
