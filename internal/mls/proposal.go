package mls

import (
	"bytes"

	"kith/internal/wire"
)

// A ProposalType is a value of RFC 9420 section 17.4.
type ProposalType uint16

// Proposal types.
const (
	ProposalAdd                    ProposalType = 1
	ProposalUpdate                 ProposalType = 2
	ProposalRemove                 ProposalType = 3
	ProposalPreSharedKey           ProposalType = 4
	ProposalReInit                 ProposalType = 5
	ProposalExternalInit           ProposalType = 6
	ProposalGroupContextExtensions ProposalType = 7

	// ProposalSelfRemove is of draft-ietf-mls-extensions; its body is empty.
	ProposalSelfRemove ProposalType = 10
)

// A Proposal asks for one change (section 12.1). Its type says which fields
// count:
//
//	size field
//	2    type
//	     1 add: key package
//	     2 update: leaf node, source update
//	4    3 remove: leaf index
//	     4 psk: PreSharedKeyID
//	V    5 reinit: group_id, 2 version, 2 cipher suite, extensions
//	V    6 external_init: kem_output
//	V    7 group_context_extensions: extensions
//	0    10 self_remove
//	V    every other: data. RFC 9420 leaves the body of a custom type to its
//	     makers; this form is the usual one.
type Proposal struct {
	Type       ProposalType
	Removed    uint32      // Remove: leaf index
	KeyPackage *KeyPackage // Add
	Extensions []Extension // GroupContextExtensions, ReInit

	*body
}

// body holds the fields of the rarer types, apart so that a Remove stays small.
type body struct {
	leaf      *leafNode // Update
	psk       pskID
	groupID   []byte // ReInit
	version   uint16 // ReInit
	suite     Suite  // ReInit
	kemOutput []byte // ExternalInit
	data      []byte // custom types
}

func (p *Proposal) write(w *wire.Writer) {
	w.U16(uint16(p.Type))
	switch p.Type {
	case ProposalAdd:
		p.KeyPackage.write(w)
	case ProposalUpdate:
		p.leaf.write(w)
	case ProposalRemove:
		w.U32(p.Removed)
	case ProposalPreSharedKey:
		p.psk.write(w)
	case ProposalReInit:
		w.Vec(p.groupID)
		w.U16(p.version)
		w.U16(uint16(p.suite))
		writeExtensions(w, p.Extensions)
	case ProposalExternalInit:
		w.Vec(p.kemOutput)
	case ProposalGroupContextExtensions:
		writeExtensions(w, p.Extensions)
	case ProposalSelfRemove:
	default:
		w.Vec(p.data)
	}
}

func readProposal(r *wire.Reader) *Proposal {
	p := &Proposal{Type: ProposalType(r.U16())}
	if p.Type.hasBody() {
		p.body = new(body)
	}
	switch p.Type {
	case ProposalAdd:
		p.KeyPackage = readKeyPackage(r)
	case ProposalUpdate:
		p.leaf = readLeaf(r)
	case ProposalRemove:
		p.Removed = r.U32()
	case ProposalPreSharedKey:
		p.psk = readPSKID(r)
	case ProposalReInit:
		p.groupID = r.Vec(MaxGroupID)
		p.version = r.U16()
		p.suite = Suite(r.U16())
		p.Extensions = readExtensions(r)
	case ProposalExternalInit:
		p.kemOutput = r.Vec(maxKey)
	case ProposalGroupContextExtensions:
		p.Extensions = readExtensions(r)
	case ProposalSelfRemove:
	case 0:
		r.Fail(reject("17.4", ReasonProposalType)) // reserved
	default:
		p.data = r.Vec(MaxProposalData)
	}
	return p
}

// hasBody reports whether proposals of the type have fields in body.
func (t ProposalType) hasBody() bool {
	switch t {
	case ProposalUpdate, ProposalPreSharedKey, ProposalReInit, ProposalExternalInit:
		return true
	}
	return t.custom()
}

// defaultProposal reports whether every client supports t without saying so.
func defaultProposal(t uint16) bool { return t <= uint16(ProposalGroupContextExtensions) }

// custom reports whether the type is none that this package acts on.
func (t ProposalType) custom() bool {
	return t > ProposalGroupContextExtensions && t != ProposalSelfRemove
}

// needsPath reports whether a commit with p must have a path (section 12.4).
func (p *Proposal) needsPath() bool {
	switch p.Type {
	case ProposalAdd, ProposalPreSharedKey, ProposalReInit:
		return false
	}
	return !p.Type.custom()
}

// ExternalPSK proposes a key that all members have from elsewhere under id.
func ExternalPSK(s Suite, id []byte) (*Proposal, error) {
	c, err := s.crypto()
	if err != nil {
		return nil, err
	}
	if len(id) > maxPSKID {
		return nil, malformed("8.4", wire.ErrTooLong)
	}
	return pskProposal(pskID{kind: pskExternal, id: bytes.Clone(id), nonce: wire.Random(c.nh)}), nil
}

// ResumptionPSK proposes the resumption key of an earlier epoch of this or
// another group (section 8.6).
func ResumptionPSK(s Suite, of *PublicGroup) (*Proposal, error) {
	c, err := s.crypto()
	if err != nil {
		return nil, err
	}
	return pskProposal(of.resumption(c, usageApplication)), nil
}

// resumption names the resumption key of this epoch for a group of suite c.
func (p *PublicGroup) resumption(c *crypto, usage uint8) pskID {
	return pskID{kind: pskResumption, usage: usage, groupID: p.groupID, epoch: p.epoch, nonce: wire.Random(c.nh)}
}

func pskProposal(id pskID) *Proposal {
	return &Proposal{Type: ProposalPreSharedKey, body: &body{psk: id}}
}

// CustomProposal makes a proposal of a type that this package does not know.
func CustomProposal(t ProposalType, data []byte) (*Proposal, error) {
	if !t.custom() {
		return nil, reject("12.1", ReasonProposalType)
	}
	if len(data) > MaxProposalData {
		return nil, malformed("12.1", wire.ErrTooLong)
	}
	return &Proposal{Type: t, body: &body{data: bytes.Clone(data)}}, nil
}

// ReInit proposes to close this group and to go on in a new one with the
// parameters given (section 12.1.5).
func ReInit(groupID []byte, s Suite, extensions []Extension) *Proposal {
	return &Proposal{
		Type: ProposalReInit, Extensions: cloneExtensions(extensions),
		body: &body{groupID: bytes.Clone(groupID), version: protocolMLS10, suite: s},
	}
}

// copied is a copy that a caller may change: what is shared has no exported field.
func (p *Proposal) copied() Proposal {
	out := *p
	if p.Extensions != nil {
		out.Extensions = cloneExtensions(p.Extensions)
	}
	return out
}

// Parameters returns the group id and suite of the successor that a ReInit
// proposes; its extensions are in Extensions.
func (p *Proposal) Parameters() (groupID []byte, s Suite) {
	if p.Type != ProposalReInit || p.body == nil {
		return nil, 0
	}
	return bytes.Clone(p.groupID), p.suite
}

// ExternalPSKID returns the id of an external pre-shared key, nil for others.
func (p *Proposal) ExternalPSKID() []byte {
	if p.Type != ProposalPreSharedKey || p.body == nil {
		return nil
	}
	return bytes.Clone(p.psk.id)
}

// Data returns the body of a custom proposal, nil for others.
func (p *Proposal) Data() []byte {
	if !p.Type.custom() || p.body == nil {
		return nil
	}
	return bytes.Clone(p.data)
}

// proposalOrRef is ProposalOrRef of section 12.4: 1 byte, 1 and the proposal,
// or 2 and V the ProposalRef.
type proposalOrRef struct {
	proposal  *Proposal
	reference []byte
}

const (
	byValue     = 1
	byReference = 2
)

func (p proposalOrRef) write(w *wire.Writer) {
	if p.proposal != nil {
		w.U8(byValue)
		p.proposal.write(w)
		return
	}
	w.U8(byReference)
	w.Vec(p.reference)
}

func readProposalOrRef(r *wire.Reader) (p proposalOrRef) {
	switch r.U8() {
	case byValue:
		if p.proposal = readProposal(r); p.proposal.Type == ProposalSelfRemove {
			r.Fail(reject("12.4", ReasonReference))
		}
	case byReference:
		p.reference = readRef(r)
	default:
		r.Fail(wire.ErrCanonical)
	}
	return p
}
