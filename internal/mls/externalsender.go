package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// An ExternalSender may propose changes to a group without being in it
// (RFC 9420 section 12.1.8.1):
//
//	size field
//	V    signature_key
//	     credential
//
// The external_senders extension of a GroupContext is a vector of them.
type ExternalSender struct {
	SignatureKey []byte
	Identity     []byte // of the basic credential
}

// ExternalSenders is the extension for a GroupContext.
func ExternalSenders(list ...ExternalSender) Extension {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for _, s := range list {
			w.Vec(s.SignatureKey)
			credential{kind: credentialBasic, identity: s.Identity}.write(w)
		}
	})
	return Extension{ExtensionExternalSenders, w.Bytes()}
}

// parseExternalSenders returns the signature keys of an external_senders
// extension.
func parseExternalSenders(b []byte) ([][]byte, error) {
	r := wire.NewReader(b)
	var keys [][]byte
	r.Each(MaxExtensionData, MaxExternalSenders, func(r *wire.Reader) {
		keys = append(keys, r.Vec(maxKey))
		readCredential(r)
	})
	if err := r.Done(); err != nil {
		return nil, malformed("12.1.8.1", err)
	}
	return keys, nil
}

// checkContextExtensions checks the form of the extensions of a GroupContext
// that this package reads.
func checkContextExtensions(list []Extension) error {
	if data, ok := findExtension(list, ExtensionExternalSenders); ok {
		if _, err := parseExternalSenders(data); err != nil {
			return err
		}
	}
	if data, ok := findExtension(list, ExtensionRequiredCapabilities); ok {
		if _, err := parseRequired(data); err != nil {
			return err
		}
	}
	return nil
}

// externalTypes are the proposals that somebody outside may send.
var externalTypes = []ProposalType{
	ProposalAdd, ProposalRemove, ProposalPreSharedKey, ProposalReInit, ProposalGroupContextExtensions,
}

// externalSender is the key of the external sender at index i, for a proposal
// of type t.
func (p *PublicGroup) externalSender(i uint32, t ProposalType) ([]byte, error) {
	if !slices.Contains(externalTypes, t) {
		return nil, reject("12.1.8", ReasonSender)
	}
	data, _ := findExtension(p.extensions, ExtensionExternalSenders)
	keys, err := parseExternalSenders(data)
	if err != nil || uint64(i) >= uint64(len(keys)) {
		return nil, reject("12.1.8.1", ReasonSender)
	}
	return keys[i], nil
}

// ExternalProposal says how a proposal is sent from outside the group.
type ExternalProposal struct {
	Suite             Suite
	GroupID           []byte
	Epoch             uint64
	Sender            uint32 // index in the external_senders extension
	Signer            Signer
	AuthenticatedData []byte
}

// Propose makes a proposal of an external sender, as an MLSMessage.
func (x ExternalProposal) Propose(p *Proposal) ([]byte, error) {
	if !slices.Contains(externalTypes, p.Type) {
		return nil, reject("12.1.8", ReasonSender)
	}
	own, err := ownProposals([]*Proposal{p})
	if err != nil {
		return nil, err
	}
	return x.send(own[0], sender{senderExternal, x.Sender})
}

// ProposeJoin makes the proposal of somebody who wants to be added. The key of
// the key package signs it.
func (x ExternalProposal) ProposeJoin(k *KeyPackage) ([]byte, error) {
	if !bytes.Equal(k.leaf.signatureKey, x.Signer.PublicKey()) {
		return nil, reject("6.1", ReasonSigner)
	}
	return x.send(&Proposal{Type: ProposalAdd, KeyPackage: k}, sender{kind: senderNewMemberProposal})
}

func (x ExternalProposal) send(p *Proposal, from sender) ([]byte, error) {
	if _, err := x.Suite.crypto(); err != nil {
		return nil, err
	}
	c := content{
		groupID:           bytes.Clone(x.GroupID),
		epoch:             x.Epoch,
		sender:            from,
		authenticatedData: bytes.Clone(x.AuthenticatedData),
		kind:              contentProposal,
		proposal:          p,
	}
	if err := c.fits(); err != nil {
		return nil, err
	}
	m := publicMessage{authenticated: authenticated{format: FormatPublicMessage, content: c.frozen()}}
	m.signature = sign(x.Signer, "FramedContentTBS", m.tbs(nil))
	return FrameMessage(FormatPublicMessage, encode(m.write)), nil
}
