package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A WireFormat says what an MLSMessage holds (RFC 9420 section 17.2).
type WireFormat uint16

// Wire formats.
const (
	FormatPublicMessage  WireFormat = 1
	FormatPrivateMessage WireFormat = 2
	FormatWelcome        WireFormat = 3
	FormatGroupInfo      WireFormat = 4
	FormatKeyPackage     WireFormat = 5
)

// Content types of section 6.
const (
	contentApplication = 1
	contentProposal    = 2
	contentCommit      = 3
)

// Sender types of section 6.
const (
	senderMember            = 1
	senderExternal          = 2
	senderNewMemberProposal = 3
	senderNewMemberCommit   = 4
)

// sender is Sender of section 6: 1 byte type; 4 bytes index for member
// and external.
type sender struct {
	kind  uint8
	index uint32
}

func (s sender) write(w *wire.Writer) {
	w.U8(s.kind)
	if s.kind == senderMember || s.kind == senderExternal {
		w.U32(s.index)
	}
}

func readSender(r *wire.Reader) sender {
	s := sender{kind: r.U8()}
	switch s.kind {
	case senderMember, senderExternal:
		s.index = r.U32()
	case senderNewMemberProposal, senderNewMemberCommit:
	default:
		r.Fail(wire.ErrCanonical)
	}
	return s
}

// content is FramedContent of section 6:
//
//	size field
//	V    group_id
//	8    epoch
//	     sender
//	V    authenticated_data
//	1    content type: 1 application, 2 proposal, 3 commit
//	     V application data, a proposal, or a commit
type content struct {
	groupID           []byte
	epoch             uint64
	sender            sender
	authenticatedData []byte
	kind              uint8
	application       []byte
	proposal          *Proposal
	commit            *commit

	raw []byte
}

// commit is Commit of section 12.4: V a vector of ProposalOrRef, 1 byte
// whether an UpdatePath follows.
type commit struct {
	proposals []proposalOrRef
	path      *updatePath
}

// smallestProposal is a Remove by value, in bytes.
const smallestProposal = 7

func (c *commit) write(w *wire.Writer) {
	w.Group(func(w *wire.Writer) {
		for _, p := range c.proposals {
			p.write(w)
		}
	})
	w.Bool(c.path != nil)
	if c.path != nil {
		c.path.write(w)
	}
}

func readCommit(r *wire.Reader) *commit {
	c := new(commit)
	others := 0
	r.Each(MaxMessage, MaxProposals, func(r *wire.Reader) {
		if c.proposals == nil {
			c.proposals = make([]proposalOrRef, 0, min(MaxProposals, r.Len()/smallestProposal+MaxOtherProposals))
		}
		p := readProposalOrRef(r)
		if p.proposal != nil && p.proposal.Type != ProposalAdd && p.proposal.Type != ProposalRemove {
			if others++; others > MaxOtherProposals {
				r.Fail(wire.ErrTooLong)
			}
		}
		c.proposals = append(c.proposals, p)
	})
	if r.Bool() {
		c.path = readUpdatePath(r)
	}
	return c
}

// writeBody writes the part that the content type selects.
func (c *content) writeBody(w *wire.Writer) {
	switch c.kind {
	case contentApplication:
		w.Vec(c.application)
	case contentProposal:
		c.proposal.write(w)
	case contentCommit:
		c.commit.write(w)
	}
}

func (c *content) readBody(r *wire.Reader) {
	switch c.kind {
	case contentApplication:
		c.application = r.Vec(MaxMessage)
	case contentProposal:
		c.proposal = readProposal(r)
	case contentCommit:
		c.commit = readCommit(r)
	default:
		r.Fail(wire.ErrCanonical)
	}
}

func (c *content) write(w *wire.Writer) { w.Raw(c.raw) }

// frozen returns the content with its encoding.
func (c content) frozen() *content {
	var w wire.Writer
	w.Vec(c.groupID)
	w.U64(c.epoch)
	c.sender.write(&w)
	w.Vec(c.authenticatedData)
	w.U8(c.kind)
	if c.kind == contentApplication { // may be large: copied once
		w.Varint(len(c.application))
		c.raw = slices.Concat(w.Bytes(), c.application)
		return &c
	}
	c.writeBody(&w)
	c.raw = w.Bytes()
	return &c
}

func readContent(r *wire.Reader) *content {
	start := r.Rest()
	c := &content{
		groupID:           r.Vec(MaxGroupID),
		epoch:             r.U64(),
		sender:            readSender(r),
		authenticatedData: r.Vec(MaxAuthenticatedData),
		kind:              r.U8(),
	}
	c.readBody(r)
	if r.Err() == nil {
		c.raw = start[:len(start)-r.Len()]
	}
	return c
}

// authenticated is AuthenticatedContent of section 6:
//
//	size field
//	2    wire format
//	     content
//	V    signature
//	V    confirmation tag, for a commit
type authenticated struct {
	format    WireFormat
	content   *content
	signature []byte
	tag       []byte
}

func (a *authenticated) write(w *wire.Writer) {
	w.U16(uint16(a.format))
	a.content.write(w)
	a.writeAuth(w)
}

// writeAuth writes FramedContentAuthData of section 6.1.
func (a *authenticated) writeAuth(w *wire.Writer) {
	w.Vec(a.signature)
	if a.content.kind == contentCommit {
		w.Vec(a.tag)
	}
}

func (a *authenticated) readAuth(r *wire.Reader) {
	a.signature = r.Vec(maxSignature)
	if a.content.kind == contentCommit {
		a.tag = r.Vec(maxHash)
	}
}

// readAuthenticated refuses application data in the clear (section 6).
func readAuthenticated(r *wire.Reader) *authenticated {
	a := &authenticated{format: WireFormat(r.U16())}
	if a.format != FormatPublicMessage && a.format != FormatPrivateMessage {
		r.Fail(wire.ErrCanonical)
	}
	a.content = readContent(r)
	a.readAuth(r)
	return a
}

// tbs is FramedContentTBS of section 6.1; context is the encoded GroupContext,
// which counts for senders who know it.
func (a *authenticated) tbs(context []byte) []byte {
	if a.content.sender.kind != senderMember && a.content.sender.kind != senderNewMemberCommit {
		context = nil
	}
	var head wire.Writer
	head.U16(protocolMLS10)
	head.U16(uint16(a.format))
	return slices.Concat(head.Bytes(), a.content.raw, context)
}

// transcript is ConfirmedTranscriptHashInput of section 8.2.
func (a *authenticated) transcript() []byte {
	return encode(func(w *wire.Writer) {
		w.U16(uint16(a.format))
		a.content.write(w)
		w.Vec(a.signature)
	})
}

// publicMessage is PublicMessage of section 6.2: content, auth, and V a
// membership tag if the sender is a member.
type publicMessage struct {
	authenticated
	membershipTag []byte
}

func (p *publicMessage) write(w *wire.Writer) {
	p.content.write(w)
	p.writeAuth(w)
	if p.content.sender.kind == senderMember {
		w.Vec(p.membershipTag)
	}
}

func readPublicMessage(r *wire.Reader) *publicMessage {
	p := &publicMessage{authenticated: authenticated{format: FormatPublicMessage, content: readContent(r)}}
	p.readAuth(r)
	if p.content.sender.kind == senderMember {
		p.membershipTag = r.Vec(maxHash)
	}
	return p
}

// membershipInput is AuthenticatedContentTBM of section 6.2.
func (p *publicMessage) membershipInput(context []byte) []byte {
	return encode(func(w *wire.Writer) {
		w.Raw(p.tbs(context))
		p.writeAuth(w)
	})
}

// privateMessage is PrivateMessage of section 6.3:
//
//	size field
//	V    group_id
//	8    epoch
//	1    content type
//	V    authenticated_data
//	V    encrypted_sender_data
//	V    ciphertext
type privateMessage struct {
	groupID           []byte
	epoch             uint64
	kind              uint8
	authenticatedData []byte
	senderData        []byte
	ciphertext        []byte
}

func (p *privateMessage) write(w *wire.Writer) { w.Raw(p.bytes()) }

func (p *privateMessage) bytes() []byte {
	var w wire.Writer
	w.Vec(p.senderData)
	w.Varint(len(p.ciphertext))
	return slices.Concat(p.contentAAD(), w.Bytes(), p.ciphertext)
}

func readPrivateMessage(r *wire.Reader) *privateMessage {
	p := &privateMessage{
		groupID:           r.Vec(MaxGroupID),
		epoch:             r.U64(),
		kind:              r.U8(),
		authenticatedData: r.Vec(MaxAuthenticatedData),
		senderData:        r.Vec(maxSenderData),
		ciphertext:        r.Vec(MaxMessage),
	}
	if p.kind < contentApplication || p.kind > contentCommit {
		r.Fail(wire.ErrCanonical)
	}
	return p
}

// maxSenderData bounds encrypted_sender_data: 12 bytes and an AEAD tag.
const maxSenderData = 255

// contentAAD is PrivateContentAAD of section 6.3.1.
func (p *privateMessage) contentAAD() []byte {
	return encode(func(w *wire.Writer) {
		w.Raw(p.senderAAD())
		w.Vec(p.authenticatedData)
	})
}

// senderAAD is SenderDataAAD of section 6.3.2.
func (p *privateMessage) senderAAD() []byte {
	return encode(func(w *wire.Writer) {
		w.Vec(p.groupID)
		w.U64(p.epoch)
		w.U8(p.kind)
	})
}

// FrameMessage puts the MLSMessage header of section 6 in front of a message:
// 2 bytes version, 2 bytes wire format.
func FrameMessage(f WireFormat, message []byte) []byte {
	return encode(func(w *wire.Writer) {
		w.U16(protocolMLS10)
		w.U16(uint16(f))
		w.Raw(message)
	})
}

// UnframeMessage takes the header off again. The message is not looked at.
func UnframeMessage(b []byte) (WireFormat, []byte, error) {
	r := wire.NewReader(b)
	if r.U16() != protocolMLS10 {
		r.Fail(wire.ErrCanonical)
	}
	f := WireFormat(r.U16())
	if f < FormatPublicMessage || f > FormatKeyPackage {
		r.Fail(wire.ErrCanonical)
	}
	if err := r.Err(); err != nil {
		return 0, nil, malformed("6", err)
	}
	return f, bytes.Clone(r.Rest()), nil
}
