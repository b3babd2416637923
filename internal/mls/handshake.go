package mls

import (
	"bytes"

	"kith/internal/wire"
)

// A Handshake is an opened handshake message: one of the two is set.
type Handshake struct {
	Commit   *Commit
	Proposed *Proposed
}

// Open checks a PublicMessage, or a PrivateMessage that holds a handshake, and
// returns what it carries (RFC 9420 sections 6.2 and 6.3). message is an
// MLSMessage; r is needed for private ones only.
func (e *Epoch) Open(r *Ratchets, message []byte) (*Handshake, error) {
	format, body, err := UnframeMessage(message)
	if err != nil {
		return nil, err
	}
	var a *authenticated
	switch format {
	case FormatPublicMessage:
		a, err = e.openPublic(body)
	case FormatPrivateMessage:
		a, err = e.openHandshake(r, body)
	default:
		err = reject("6", ReasonContent)
	}
	if err != nil {
		return nil, err
	}
	if a.content.kind == contentCommit {
		return &Handshake{Commit: &Commit{a}}, nil
	}
	return &Handshake{Proposed: e.pub.proposed(a)}, nil
}

func (e *Epoch) openHandshake(r *Ratchets, body []byte) (*authenticated, error) {
	p, err := e.parsePrivate(body)
	if err != nil {
		return nil, err
	}
	if p.kind == contentApplication || r == nil {
		return nil, reject("6.3", ReasonContent)
	}
	a, _, err := e.openPrivate(r, p, bound{})
	return a, err
}

// openPublic checks epoch, membership tag and signature.
func (e *Epoch) openPublic(body []byte) (*authenticated, error) {
	p, err := e.pub.parsePublic(body)
	if err != nil {
		return nil, err
	}
	context := e.pub.context()
	if p.content.sender.kind == senderMember &&
		!sameMAC(p.membershipTag, e.pub.crypto.mac(e.secrets.membership, p.membershipInput(context))) {
		return nil, reject("6.2", ReasonMembership)
	}
	if err := e.pub.verifySender(&p.authenticated); err != nil {
		return nil, err
	}
	return &p.authenticated, nil
}

// parsePublic reads a PublicMessage of this epoch; nothing of it is verified.
func (p *PublicGroup) parsePublic(body []byte) (*publicMessage, error) {
	r := wire.NewReader(body)
	m := readPublicMessage(r)
	if err := r.Done(); err != nil {
		return nil, malformed("6.2", err)
	}
	switch {
	case m.content.kind == contentApplication:
		return nil, reject("6", ReasonContent)
	case !bytes.Equal(m.content.groupID, p.groupID):
		return nil, reject("6.2", ReasonGroup)
	case m.content.epoch != p.epoch:
		return nil, ErrWrongEpoch
	}
	return m, nil
}

// OpenProposal checks a proposal in a PublicMessage as far as that needs no
// secrets: all but the membership tag.
func (p *PublicGroup) OpenProposal(message []byte) (*Proposed, error) {
	format, body, err := UnframeMessage(message)
	if err != nil {
		return nil, err
	}
	if format != FormatPublicMessage {
		return nil, reject("6", ReasonContent)
	}
	m, err := p.parsePublic(body)
	if err != nil {
		return nil, err
	}
	if m.content.kind != contentProposal {
		return nil, reject("6", ReasonContent)
	}
	if err := p.verifySender(&m.authenticated); err != nil {
		return nil, err
	}
	return p.proposed(&m.authenticated), nil
}

// Seal frames an own handshake for sending, as the kind it was signed as: a
// PublicMessage with its membership tag, or a PrivateMessage, for which the
// handshake ratchet in r moves. The result is an MLSMessage.
func (e *Epoch) Seal(r *Ratchets, h *Handshake, padding int) ([]byte, error) {
	var a *authenticated
	switch {
	case h.Commit != nil:
		a = h.Commit.a
	case h.Proposed != nil:
		a = h.Proposed.a
	}
	if a == nil || a.content.sender != (sender{senderMember, e.own}) {
		return nil, reject("6", ReasonSender)
	}
	if a.content.epoch != e.pub.epoch || h.Proposed != nil && !bytes.Equal(h.Proposed.context, e.pub.context()) {
		return nil, ErrWrongEpoch
	}
	if a.format == FormatPrivateMessage {
		if r == nil || padding < 0 || padding > MaxMessage {
			return nil, reject("6.3", ReasonContent)
		}
		b, err := e.sealPrivate(r, a, padding)
		return FrameMessage(FormatPrivateMessage, b), err
	}
	p := publicMessage{authenticated: *a}
	p.membershipTag = e.pub.crypto.mac(e.secrets.membership, p.membershipInput(e.pub.context()))
	return FrameMessage(FormatPublicMessage, encode(p.write)), nil
}

// SealExternal frames the commit of a joiner, who has no membership tag to
// give. The result is an MLSMessage.
func SealExternal(c *Commit) ([]byte, error) {
	if !c.External() {
		return nil, reject("6.2", ReasonSender)
	}
	p := publicMessage{authenticated: *c.a}
	return FrameMessage(FormatPublicMessage, encode(p.write)), nil
}

// An UpdateSecret is the private key of an own Update proposal, until a commit
// takes it up or the epoch ends.
type UpdateSecret struct{ public, private []byte }

// Erase overwrites the key. Epochs that took it up have a copy.
func (u *UpdateSecret) Erase() { clear(u.private) }

// ProposeAdd proposes a new member.
func (e *Epoch) ProposeAdd(k *KeyPackage, p ProposalParams) (*Proposed, error) {
	return e.propose(&Proposal{Type: ProposalAdd, KeyPackage: k}, p)
}

// ProposeRemove proposes to remove a member.
func (e *Epoch) ProposeRemove(leaf uint32, p ProposalParams) (*Proposed, error) {
	return e.propose(&Proposal{Type: ProposalRemove, Removed: leaf}, p)
}

// Propose proposes a change that needs no secret of ours: all but Update,
// SelfRemove and ExternalInit.
func (e *Epoch) Propose(proposal *Proposal, p ProposalParams) (*Proposed, error) {
	if proposal.Type == ProposalExternalInit || proposal.Type == ProposalSelfRemove {
		return nil, reject("12.1", ReasonProposalType)
	}
	own, err := ownProposals([]*Proposal{proposal})
	if err != nil {
		return nil, err
	}
	return e.propose(own[0], p)
}

// ProposeSelfRemove asks to be removed, by a member or by somebody who joins
// with an external commit, who has to be able to read it: it is not private.
// Its draft allows one in each epoch; the caller remembers that it asked.
func (e *Epoch) ProposeSelfRemove(p ProposalParams) (*Proposed, error) {
	if p.Private {
		return nil, reject("12.4", ReasonContent)
	}
	return e.propose(&Proposal{Type: ProposalSelfRemove}, p)
}

// ProposeUpdate proposes a new key for the own leaf.
func (e *Epoch) ProposeUpdate(p ProposalParams) (*Proposed, *UpdateSecret, error) {
	c := e.pub.crypto
	private, public, err := c.keyPair(wire.Random(c.nh))
	if err != nil {
		return nil, nil, err
	}
	leaf := e.pub.tree.leaf(e.own).renewed(sourceUpdate, public, nil, p.Signer, e.pub.groupID, e.own)
	out, err := e.propose(&Proposal{Type: ProposalUpdate, body: &body{leaf: leaf}}, p)
	return out, &UpdateSecret{public, private}, err
}

// ProposalParams says how a proposal is sent.
type ProposalParams struct {
	Signer            Signer
	AuthenticatedData []byte
	Private           bool
}

func (e *Epoch) propose(proposal *Proposal, p ProposalParams) (*Proposed, error) {
	if !bytes.Equal(e.pub.tree.leaf(e.own).signatureKey, p.Signer.PublicKey()) {
		return nil, reject("6.1", ReasonSigner)
	}
	if e.pub.reinit != nil {
		return nil, reject("12.4.2", ReasonSuspended)
	}
	c := content{
		groupID:           e.pub.groupID,
		epoch:             e.pub.epoch,
		sender:            sender{senderMember, e.own},
		authenticatedData: bytes.Clone(p.AuthenticatedData),
		kind:              contentProposal,
		proposal:          proposal,
	}
	if err := c.fits(); err != nil {
		return nil, err
	}
	return e.pub.proposed(e.pub.authenticate(c, p.Signer, p.Private)), nil
}
