package mls

import (
	"bytes"

	"kith/internal/wire"
)

// A Commit is a commit with its signature and confirmation tag: the
// AuthenticatedContent of RFC 9420 section 6, without a membership tag.
type Commit struct{ a *authenticated }

// ParseCommit reads the commit of a member in the public format. A commit by
// a joiner is refused: see [ParseExternalCommit].
func ParseCommit(b []byte) (*Commit, error) {
	return parseCommit(b, senderMember)
}

// ParseExternalCommit reads the commit of somebody who joins with it (section
// 12.4.3.2). It can be applied and processed as any other; whether that
// somebody may join, and whether a leaf it removes is its own old one, is for
// the caller to decide before.
func ParseExternalCommit(b []byte) (*Commit, error) {
	return parseCommit(b, senderNewMemberCommit)
}

func parseCommit(b []byte, from uint8) (*Commit, error) {
	r := wire.NewReader(bytes.Clone(b))
	a := readAuthenticated(r)
	if err := r.Done(); err != nil {
		return nil, malformed("6", err)
	}
	switch {
	case a.content.kind != contentCommit || a.format != FormatPublicMessage:
		return nil, reject("6", ReasonContent)
	case a.content.sender.kind != from:
		return nil, reject("6", ReasonSender)
	}
	return &Commit{a}, nil
}

// Bytes returns the encoded AuthenticatedContent.
func (c *Commit) Bytes() []byte { return encode(c.a.write) }

// AuthenticatedData returns what the application bound to the commit.
func (c *Commit) AuthenticatedData() []byte { return bytes.Clone(c.a.content.authenticatedData) }

// External reports whether the committer joins with this commit.
func (c *Commit) External() bool { return c.a.content.sender.kind == senderNewMemberCommit }

// Sender returns the leaf index of the committer, 0 for one who joins with the
// commit: Changes.Committer says where that one came to stand.
func (c *Commit) Sender() uint32 { return c.a.content.sender.index }

// Epoch returns the epoch the commit ends.
func (c *Commit) Epoch() uint64 { return c.a.content.epoch }

// GroupID returns the group id.
func (c *Commit) GroupID() []byte { return bytes.Clone(c.a.content.groupID) }

// ConfirmationTag returns the tag that members of the next epoch can check.
func (c *Commit) ConfirmationTag() []byte { return bytes.Clone(c.a.tag) }

// HasPath reports whether the committer renewed its path.
func (c *Commit) HasPath() bool { return c.a.content.commit.path != nil }

// PathLeafSize returns the size of the committer's new leaf, in bytes; 0 without a
// path.
func (c *Commit) PathLeafSize() int {
	if !c.HasPath() {
		return 0
	}
	return len(c.a.content.commit.path.leaf.raw)
}

// PathExtensions returns the extensions of the committer's new leaf; none without
// a path.
func (c *Commit) PathExtensions() []Extension {
	if !c.HasPath() {
		return nil
	}
	return cloneExtensions(c.a.content.commit.path.leaf.extensions)
}

// Proposals returns the proposals that stand in the commit by value.
func (c *Commit) Proposals() []Proposal {
	var list []Proposal
	for _, p := range c.a.content.commit.proposals {
		if p.proposal != nil {
			list = append(list, p.proposal.copied())
		}
	}
	return list
}

// ProposalsOf returns the proposals of one type that stand in the commit by value.
func (c *Commit) ProposalsOf(t ProposalType) []*Proposal {
	var list []*Proposal
	for _, p := range c.a.content.commit.proposals {
		if p.proposal != nil && p.proposal.Type == t {
			out := p.proposal.copied()
			list = append(list, &out)
		}
	}
	return list
}

// ByValueOnly returns an error if the commit names a proposal by reference.
func (c *Commit) ByValueOnly() error {
	for _, p := range c.a.content.commit.proposals {
		if p.proposal == nil {
			return reject("12.4", ReasonReference)
		}
	}
	return nil
}

// A Proposed is a proposal as it was sent on its own, for a commit to name by
// reference. It is checked when it is opened or made, and counts in that epoch
// only: a sibling has the same group id and number.
type Proposed struct {
	a       *authenticated
	ref     []byte
	context []byte // encoded GroupContext of the epoch it was checked in
}

func (p *PublicGroup) proposed(a *authenticated) *Proposed {
	return &Proposed{a, p.crypto.proposalRef(encode(a.write)), p.context()}
}

// Proposal returns what is proposed.
func (p *Proposed) Proposal() Proposal { return p.a.content.proposal.copied() }

// Ref returns the ProposalRef of section 5.2.
func (p *Proposed) Ref() []byte { return bytes.Clone(p.ref) }
