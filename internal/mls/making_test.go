package mls_test

import (
	"bytes"
	"testing"

	"kith/internal/mls"
)

// TestWeMakeNothingThatNobodyReads: what a decoder refuses is refused already
// by who would make it.
func TestWeMakeNothingThatNobodyReads(t *testing.T) {
	g := group(t, 2)
	ann, psk := g[0], must[*mls.Proposal](t)(mls.ExternalPSK(suite, []byte("k")))
	twice := []mls.Extension{{Type: mls.ExtensionApplicationID}, {Type: mls.ExtensionApplicationID}}
	long := []mls.Extension{{Type: mls.ExtensionApplicationID, Data: make([]byte, mls.MaxExtensionData+1)}}
	extend := func(x []mls.Extension) *mls.Proposal {
		return &mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: x}
	}
	commit := func(p mls.CommitParams) error {
		p.Signer = ann.key
		_, err := ann.epoch.Commit(p)
		return err
	}
	propose := func(p *mls.Proposal, aad []byte) error {
		_, err := ann.epoch.Propose(p, mls.ProposalParams{Signer: ann.key, AuthenticatedData: aad})
		return err
	}
	create := func(x []mls.Extension) error {
		_, err := mls.CreateWith(suite, []byte("g"), x, ann.pack, ann.secret)
		return err
	}
	join := func(p mls.ExternalParams) error {
		p.GroupInfo, p.Signer = ann.info(true), newSigner(t, suite)
		_, err := mls.JoinExternal(p)
		return err
	}
	outside := func(p *mls.Proposal, aad []byte) error {
		_, err := mls.ExternalProposal{Suite: suite, Signer: ann.key, AuthenticatedData: aad}.Propose(p)
		return err
	}
	info := func(x []mls.Extension) error {
		_, err := ann.epoch.GroupInfo(ann.key, x, true)
		return err
	}
	aad := make([]byte, mls.MaxAuthenticatedData+1)
	_, encrypt := ann.epoch.Encrypt(ann.keys, ann.key, aad, nil, 0)
	for _, c := range []struct {
		what string
		err  error
	}{
		{"group with an extension twice", create(twice)},
		{"group with an extension too long", create(long)},
		{"commit with an extension twice", commit(mls.CommitParams{Proposals: []*mls.Proposal{extend(twice)}})},
		{"commit with an extension too long", commit(mls.CommitParams{Proposals: []*mls.Proposal{extend(long)}})},
		{"commit with authenticated data too long", commit(mls.CommitParams{AuthenticatedData: aad})},
		{"commit with too many proposals", commit(mls.CommitParams{Remove: make([]uint32, mls.MaxProposals+1)})},
		{"proposal with an extension twice", propose(extend(twice), nil)},
		{"proposal with authenticated data too long", propose(psk, aad)},
		{"reinit to a group id too long", propose(mls.ReInit(make([]byte, mls.MaxGroupID+1), suite, nil), nil)},
		{"outsider's proposal with an extension twice", outside(extend(twice), nil)},
		{"outsider's proposal with authenticated data too long", outside(psk, aad)},
		{"joiner with an identity too long", join(mls.ExternalParams{Identity: make([]byte, mls.MaxIdentity+1)})},
		{"joiner with authenticated data too long", join(mls.ExternalParams{AuthenticatedData: aad})},
		{"message with authenticated data too long", encrypt},
		{"GroupInfo with an extension too long", info(long)},
	} {
		if c.err == nil {
			t.Errorf("%s: made", c.what)
		}
	}
	if n := len(ann.keys.Changes()); n > 2 {
		t.Errorf("a refused message moved the ratchet: %d records", n)
	}
}

// TestDefaultsAreNotListed: section 7.2 forbids default types in capabilities;
// what is given twice is listed once.
func TestDefaultsAreNotListed(t *testing.T) {
	d := newDevice(t, "d")
	d.params.ExtensionTypes = []uint16{0xF00D, mls.ExtensionExternalSenders, 0xF00D}
	d.params.ProposalTypes = []uint16{0xF00E, uint16(mls.ProposalAdd), uint16(mls.ProposalSelfRemove), 0xF00E}
	d.params.CredentialTypes = []uint16{1, 2, 2}
	d.renew()
	// One value of GREASE ends each list, and counts in its length.
	for what, list := range map[string][]byte{
		"extensions":  {4, 0xF0, 0x0D},
		"proposals":   {6, 0x00, 0x0A, 0xF0, 0x0E},
		"credentials": {6, 0, 1, 0, 2},
	} {
		if leaf := d.pack.LeafNode(); !bytes.Contains(leaf, list) {
			t.Errorf("%s: no %x in %x", what, list, leaf)
		}
	}
}

// TestGreaseIsNotSentWhereItCounts: section 13.5 names the fields. That members
// list a value as supported makes no difference, as GREASE is listed at random.
func TestGreaseIsNotSentWhereItCounts(t *testing.T) {
	const grease = 0x2A2A
	d := newDevice(t, "d")
	d.params.ExtensionTypes, d.params.ProposalTypes = []uint16{grease, 0xFAFA}, []uint16{grease, 0xFAFA}
	d.renew()
	list := func(t uint16) []mls.Extension { return []mls.Extension{{Type: t}} }
	_, err := mls.CreateWith(suite, []byte("g"), list(grease), d.pack, d.secret)
	reason(t, err, mls.ReasonExtension)
	d.enter(must[*mls.Epoch](t)(mls.CreateWith(suite, []byte("g"), list(0xFAFA), d.pack, d.secret)))
	commit := func(p *mls.Proposal) error {
		_, err := d.epoch.Commit(mls.CommitParams{Signer: d.key, Proposals: []*mls.Proposal{p}})
		return err
	}
	reason(t, commit(&mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: list(grease)}), mls.ReasonExtension)
	reason(t, commit(must[*mls.Proposal](t)(mls.CustomProposal(grease, nil))), mls.ReasonProposalType)
	if err := commit(must[*mls.Proposal](t)(mls.CustomProposal(0xFAFA, nil))); err != nil {
		t.Errorf("a private type: %v", err)
	}
}
