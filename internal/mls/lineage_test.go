package mls_test

import (
	"testing"

	"kith/internal/mls"
)

// TestProposalOfASiblingEpoch: two children of one epoch have its number and
// group id in common. A proposal that was signed in one of them does not count
// in the other, whether its sender is a member or somebody outside.
func TestProposalOfASiblingEpoch(t *testing.T) {
	g := group(t, 4)
	service := newDevice(t, "service")
	list := mls.ExternalSenders(mls.ExternalSender{SignatureKey: service.key.PublicKey()})
	g[0].round(g, mls.Inputs{}, mls.CommitParams{Proposals: []*mls.Proposal{
		{Type: mls.ProposalGroupContextExtensions, Extensions: []mls.Extension{list}},
	}})
	left := g[0].commit(mls.CommitParams{})
	right := g[1].commit(mls.CommitParams{})
	process := func(d *device, c *mls.Commit) *mls.Epoch {
		e, _, err := d.epoch.Process(c)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	there := process(g[2], right.Commit)
	by := mls.ProposalParams{Signer: g[2].key}
	x := mls.ExternalProposal{Suite: suite, GroupID: []byte("group"), Epoch: there.Public().Epoch(), Signer: service.key}
	outside := must[[]byte](t)(x.Propose(&mls.Proposal{Type: mls.ProposalRemove, Removed: 2}))
	for what, p := range map[string]*mls.Proposed{
		"remove":     must[*mls.Proposed](t)(there.ProposeRemove(3, by)),
		"SelfRemove": must[*mls.Proposed](t)(there.ProposeSelfRemove(by)),
		"external":   must[*mls.Proposed](t)(there.Public().OpenProposal(outside)),
	} {
		t.Run(what, func(t *testing.T) {
			_, err := process(g[2], left.Commit).Seal(nil, &mls.Handshake{Proposed: p}, 0)
			if what == "external" {
				reason(t, err, mls.ReasonSender)
			} else if err != mls.ErrWrongEpoch {
				t.Errorf("sealed in the sibling: %v", err)
			}
			_, err = left.Next.Commit(mls.CommitParams{Signer: g[0].key, Refs: []*mls.Proposed{p}})
			reason(t, err, mls.ReasonReference)
			s, err := right.Next.Commit(mls.CommitParams{Signer: g[1].key, Refs: []*mls.Proposed{p}})
			if err != nil {
				t.Fatal(err)
			}
			in := []*mls.Proposed{p}
			if _, _, err := process(g[3], right.Commit).Public().ApplyWith(s.Commit, in); err != nil {
				t.Errorf("where it was made: %v", err)
			}
		})
	}
}
