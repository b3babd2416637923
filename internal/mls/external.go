package mls

import (
	"bytes"
	"crypto/hpke"

	"kith/internal/wire"
)

const externalInitLabel = labelPrefix + "external init secret"

// externalInit is the init secret that an external joiner exported to the
// group (RFC 9420 section 8.3); external is the epoch's external_secret.
func (c *crypto) externalInit(external, kemOutput []byte) ([]byte, error) {
	key, err := c.kem.DeriveKeyPair(external)
	if err != nil {
		return nil, &Error{"8.3", ReasonSecret, err}
	}
	r, err := hpke.NewRecipient(kemOutput, key, c.kdf, c.aead, nil)
	if err != nil {
		return nil, &Error{"8.3", ReasonDecrypt, err}
	}
	out, err := r.Export(externalInitLabel, c.nh)
	if err != nil {
		return nil, &Error{"8.3", ReasonDecrypt, err}
	}
	return out, nil
}

// newExternalInit is the joiner's side: a fresh init secret for the members.
func (c *crypto) newExternalInit(externalPub []byte) (init, kemOutput []byte, err error) {
	if !c.usableKEM(externalPub) {
		return nil, nil, reject("8.3", ReasonKey)
	}
	key, err := c.kem.NewPublicKey(externalPub)
	if err != nil {
		return nil, nil, &Error{"8.3", ReasonKey, err}
	}
	kemOutput, s, err := hpke.NewSender(key, c.kdf, c.aead, nil)
	if err != nil {
		return nil, nil, &Error{"8.3", ReasonKey, err}
	}
	if init, err = s.Export(externalInitLabel, c.nh); err != nil {
		return nil, nil, &Error{"8.3", ReasonKey, err}
	}
	return init, kemOutput, nil
}

// ExternalParams says how to join a group without being invited.
type ExternalParams struct {
	GroupInfo []byte // with external_pub, made by Epoch.GroupInfo
	Tree      []byte // content of the ratchet_tree extension; nil if it is in the GroupInfo
	Signer    Signer

	Identity       []byte   // of the basic credential
	Chain          [][]byte // certificates of an X.509 credential, instead of Identity
	LeafExtensions []Extension
	ExtensionTypes []uint16

	ProposalTypes   []uint16 // as in KeyPackageParams
	CredentialTypes []uint16

	Replaces          []uint32 // the own old leaf, if there is one
	AuthenticatedData []byte

	Proposals   []*Proposal // pre-shared keys, by value
	PSKs        PSKs
	SelfRemoves [][]byte // pending SelfRemove proposals of members, MLSMessages
}

// JoinExternal makes an external commit (section 12.4.3.2). The caller knows
// from elsewhere that the GroupInfo is of the group it wants: it is signed by
// a member, but a joiner cannot check its confirmation tag.
func JoinExternal(p ExternalParams) (*StagedCommit, error) {
	pub, info, err := OpenGroupInfo(p.GroupInfo, p.Tree)
	if err != nil {
		return nil, err
	}
	if p.Proposals, err = ownProposals(p.Proposals); err != nil {
		return nil, err
	}
	var leaving []*Proposed
	for _, m := range p.SelfRemoves {
		out, err := pub.OpenProposal(m)
		if err != nil {
			return nil, err
		}
		leaving = append(leaving, out)
	}
	init, kemOutput, err := pub.crypto.newExternalInit(info.ExternalPub())
	if err != nil {
		return nil, err
	}
	c := content{
		groupID:           pub.groupID,
		epoch:             pub.epoch,
		sender:            sender{kind: senderNewMemberCommit},
		authenticatedData: bytes.Clone(p.AuthenticatedData),
		kind:              contentCommit,
		commit:            &commit{proposals: p.proposals(kemOutput, leaving)},
	}
	if err := c.fits(); err != nil {
		return nil, err
	}
	list, err := pub.resolve(&c, leaving)
	if err != nil {
		return nil, err
	}
	s, err := pub.applyProposals(c.sender, list)
	if err != nil {
		return nil, err
	}
	// The joiner acts as a member whose only secret is the one it brings.
	e := &Epoch{pub: pub, own: s.committer, secrets: &schedule{init: init}}
	made, err := e.makePath(s, &c, p.leaf(pub.crypto.suite), p.Signer)
	if err != nil {
		return nil, err
	}
	defer clear(init)
	return e.finishCommit(s, made, c, CommitParams{Signer: p.Signer, PSKs: p.PSKs})
}

// OpenGroupInfo checks a GroupInfo with its tree and returns the epoch it
// describes, for those who follow a group without being in it. tree is nil if
// it is in the GroupInfo. Only members can check the confirmation tag.
func OpenGroupInfo(b, tree []byte) (*PublicGroup, *GroupInfo, error) {
	r := wire.NewReader(bytes.Clone(b))
	info := readGroupInfo(r)
	if err := r.Done(); err != nil {
		return nil, nil, malformed("12.4.3", err)
	}
	c, err := info.context.suite.crypto()
	if err != nil {
		return nil, nil, err
	}
	pub, err := info.public(c, tree)
	return pub, info, err
}

func (p ExternalParams) proposals(kemOutput []byte, leaving []*Proposed) []proposalOrRef {
	list := []proposalOrRef{{proposal: &Proposal{Type: ProposalExternalInit, body: &body{kemOutput: kemOutput}}}}
	for _, other := range p.Proposals {
		list = append(list, proposalOrRef{proposal: other})
	}
	for _, l := range leaving {
		list = append(list, proposalOrRef{reference: l.ref})
	}
	for _, i := range p.Replaces {
		list = append(list, proposalOrRef{proposal: &Proposal{Type: ProposalRemove, Removed: i}})
	}
	return list
}

func (p ExternalParams) leaf(s Suite) leafNode {
	k := KeyPackageParams{
		Suite: s, Identity: p.Identity, Chain: p.Chain, LeafExtensions: p.LeafExtensions, ExtensionTypes: p.ExtensionTypes,
		ProposalTypes: p.ProposalTypes, CredentialTypes: p.CredentialTypes,
	}
	return leafNode{
		signatureKey: p.Signer.PublicKey(),
		credential:   k.credential(),
		capabilities: k.capabilities(),
		extensions:   p.LeafExtensions,
	}
}
