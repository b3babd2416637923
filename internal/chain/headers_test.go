package chain_test

import (
	"errors"
	"testing"

	"kith/internal/chain"
)

// A list of headers gives the states that its blocks give one by one, losing
// branches too; and the first false one is found, in a batch or beyond it.
func TestCheckHeaders(t *testing.T) {
	d := divide(t)
	d.on("G", "A", "ann", nil, d.retitle())
	d.on("G", "L", "ben", nil, d.removal("G", "cat"))
	d.on("A", "B", "ben", nil, &chain.Rekey{})
	d.on("L", "M", "ben", nil, &chain.Rekey{})
	var headers []*chain.Header
	for _, hash := range d.blocks.All() {
		headers = append(headers, d.blocks.Header(hash))
	}
	states, err := chain.CheckHeaders(headers)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range headers {
		if states[i].Root() != d.blocks.State(h.Hash()).Root() || states[i].Height() != h.Height {
			t.Errorf("state after header %d", i)
		}
	}
	_, err = chain.CheckHeaders(append(headers[:1:1], headers[3:]...))
	if m, ok := errors.AsType[*chain.MissingError](err); !ok || m.Parent != headers[3].Parent {
		t.Errorf("a parent is missing: %v", err)
	}
	other := newGroup(t, chain.Policy{MembersInvite: true}, "ann")
	_, err = chain.CheckHeaders(append(headers[:2:2], other.blocks.Header(other.blocks.Genesis())))
	if rule, reason := refused(err); rule != "V1" || reason != chain.ReasonOther {
		t.Errorf("a second genesis: %v", err)
	}
	_, err = chain.CheckHeaders(headers[1:])
	if m, ok := errors.AsType[*chain.MissingError](err); !ok || m.Parent != headers[0].Hash() {
		t.Errorf("genesis is missing: %v", err)
	}
	if states, err := chain.CheckHeaders(nil); len(states) != 0 || err != nil {
		t.Errorf("of nothing: %v", err)
	}
}

func TestCheckHeadersFindsTheForgery(t *testing.T) {
	headers := history(t, 3, 1100)
	for _, at := range []int{0, 5, 1023, 1024, 1099} {
		forged := *headers[at]
		forged.Signature[0]++
		_, err := chain.CheckHeaders(append(headers[:at:at], &forged))
		e, ok := errors.AsType[*chain.RejectError](err)
		if !ok || e.Reason != chain.ReasonSignature || e.Height != uint64(at) {
			t.Errorf("header %d forged: %v", at, err)
		}
	}
	// A false signature comes first, though what follows breaks a rule too.
	forged, broken := *headers[1], *headers[2]
	forged.Signature[0]++
	broken.Parent, broken.Height = forged.Hash(), 7
	_, err := chain.CheckHeaders([]*chain.Header{headers[0], &forged, &broken})
	if rule, reason := refused(err); rule != "V3" || reason != chain.ReasonSignature {
		t.Errorf("got %v", err)
	}
}
