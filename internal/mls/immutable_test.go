package mls_test

import (
	"bytes"
	"testing"

	"kith/internal/mls"
)

// TestWhatIsHandedInStaysOurs changes what a caller handed in, after it was
// taken: no epoch and no commit changes with it.
func TestWhatIsHandedInStaysOurs(t *testing.T) {
	const ours, kind = 0xF0F0, 0xF00D
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	for _, d := range []*device{ann, ben} {
		d.params.ExtensionTypes, d.params.ProposalTypes = []uint16{ours}, []uint16{kind}
		d.renew()
	}
	ann.create("g")
	ann.add(nil, []*device{ben})

	data := []byte("v1")
	next := &mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: []mls.Extension{{Type: ours, Data: data}}}
	custom := must[*mls.Proposal](t)(mls.CustomProposal(kind, []byte("data")))
	told := must[*mls.Proposed](t)(ann.epoch.Propose(next, mls.ProposalParams{Signer: ann.key}))
	s := ann.commit(mls.CommitParams{Proposals: []*mls.Proposal{next, custom}})
	before := s.Next.Public().Marshal()
	data[0], next.Extensions[0].Type = 'X', 0xF0F1
	if x := told.Proposal().Extensions[0]; x.Type != ours || string(x.Data) != "v1" {
		t.Errorf("the proposal became %+v", x)
	}
	s.Changes.Custom[0].Data[0] = 'X'
	if string(s.Commit.ProposalsOf(kind)[0].Data()) != "data" {
		t.Error("the commit's custom proposal changed")
	}
	if !bytes.Equal(s.Next.Public().Marshal(), before) || string(s.Next.Public().Extensions()[0].Data) != "v1" {
		t.Error("the epoch changed")
	}

	identity := []byte("dan")
	dan := newDevice(t, "dan")
	j := must[*mls.StagedCommit](t)(mls.JoinExternal(mls.ExternalParams{GroupInfo: ann.info(true), Signer: dan.key, Identity: identity}))
	identity[0] = 'X'
	if l, _ := j.Next.Public().Leaf(j.Next.OwnLeaf()); string(l.Identity) != "dan" {
		t.Errorf("the joiner is %q", l.Identity)
	}
}

// TestWhatIsHandedOutIsACopy changes what a caller was given.
func TestWhatIsHandedOutIsACopy(t *testing.T) {
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	ann.create("g")
	ann.add(nil, []*device{ben})
	list := []mls.Extension{mls.RequiredCapabilities(nil, nil, nil)}
	s := ann.commit(mls.CommitParams{Proposals: []*mls.Proposal{{Type: mls.ProposalGroupContextExtensions, Extensions: list}}})
	c := must[*mls.Commit](t)(mls.ParseCommit(s.Commit.Bytes()))
	c.Proposals()[0].Extensions[0].Type = 0xF123
	c.ProposalsOf(mls.ProposalGroupContextExtensions)[0].Extensions = nil
	if _, _, err := ben.epoch.Process(c); err != nil {
		t.Errorf("the commit changed: %v", err)
	}

	s = ann.commit(mls.CommitParams{Proposals: []*mls.Proposal{mls.ReInit([]byte("next"), suite, list)}})
	before := s.Next.Public().Marshal()
	r := s.Next.Public().ReInit()
	r.Type, r.Extensions[0].Data[0] = mls.ProposalRemove, 9
	if !bytes.Equal(s.Next.Public().Marshal(), before) {
		t.Error("the closed group changed")
	}
}
