package mls

import (
	"bytes"
	"slices"
)

// checkList checks a list of proposals as a whole (RFC 9420 section 12.2).
// What each needs of the tree is checked when it is applied.
func (p *PublicGroup) checkList(from sender, list []received) error {
	if from.kind == senderNewMemberCommit {
		return p.checkExternalList(list)
	}
	touched := make(map[uint32]bool)
	custom := make(map[*Proposal]bool)
	contexts := 0
	if err := p.checkSupported(list); err != nil {
		return err
	}
	for i, r := range list {
		if err := p.checkOne(from, r, touched); err != nil {
			return err
		}
		switch r.proposal.Type {
		case ProposalPreSharedKey:
			if err := p.checkPSK(list[:i], &r.proposal.psk); err != nil {
				return err
			}
		case ProposalGroupContextExtensions:
			if contexts++; contexts > 1 {
				return reject("12.2", ReasonDuplicate)
			}
			if err := checkContextExtensions(r.proposal.Extensions); err != nil {
				return err
			}
		case ProposalReInit:
			if len(list) > 1 {
				return reject("12.2", ReasonReInit)
			}
			if r.proposal.version < protocolMLS10 {
				return reject("12.1.5", ReasonVersion)
			}
		}
		if r.proposal.Type.custom() { // no rule of another type takes one reference twice
			if custom[r.proposal] {
				return reject("12.2", ReasonDuplicate)
			}
			custom[r.proposal] = true
		}
	}
	return nil
}

// checkOne checks who may propose what to whom; touched holds the leaves that
// have an Update or Remove already.
func (p *PublicGroup) checkOne(from sender, r received, touched map[uint32]bool) error {
	var leaf uint32
	switch r.proposal.Type {
	case ProposalAdd:
		return nil
	case ProposalPreSharedKey, ProposalGroupContextExtensions, ProposalReInit:
		return r.from(senderMember, senderExternal)
	case ProposalUpdate:
		leaf = r.sender.index
		if err := r.from(senderMember); err != nil {
			return err
		}
		if leaf == from.index {
			return reject("12.2", ReasonOwnUpdate)
		}
	case ProposalRemove, ProposalSelfRemove:
		if err := r.checkRemove(); err != nil {
			return err
		}
		if leaf = r.removed(); leaf == from.index {
			return reject("12.2", ReasonOwnRemove)
		}
	case ProposalExternalInit:
		return reject("12.2", ReasonProposalType)
	default:
		return r.from(senderMember)
	}
	if p.tree.leaf(leaf) == nil {
		return reject("12.1.3", ReasonNoLeaf)
	}
	if touched[leaf] {
		return reject("12.2", ReasonSameLeaf)
	}
	touched[leaf] = true
	return nil
}

// from checks that the sender is of one of the kinds (section 12.1.8).
func (r received) from(kinds ...uint8) error {
	if !slices.Contains(kinds, r.sender.kind) {
		return reject("12.1.8", ReasonSender)
	}
	return nil
}

// checkRemove checks who sent a Remove, and how a SelfRemove was sent: by a
// member, in the clear, and committed by reference.
func (r received) checkRemove() error {
	if r.proposal.Type == ProposalRemove {
		return r.from(senderMember, senderExternal, senderNewMemberCommit)
	}
	if !r.reference || r.format != FormatPublicMessage {
		return reject("12.4", ReasonReference)
	}
	return r.from(senderMember)
}

// removed is the leaf that a Remove or SelfRemove takes out.
func (r received) removed() uint32 {
	if r.proposal.Type == ProposalSelfRemove {
		return r.sender.index
	}
	return r.proposal.Removed
}

// checkSupported checks that every member who will process the commit supports
// the types in it: those removed need not (section 12.2).
func (p *PublicGroup) checkSupported(list []received) error {
	var types []ProposalType
	gone := make(map[uint32]bool)
	for _, r := range list {
		t := r.proposal.Type
		if t == ProposalRemove || t == ProposalSelfRemove {
			gone[r.removed()] = true
		}
		if t.custom() || t == ProposalSelfRemove {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return nil
	}
	slices.Sort(types) // each once: a commit may have thousands of one type
	types = slices.Compact(types)
	var err error
	p.tree.each(func(x nodeIndex, n *node) bool {
		if n.leaf == nil || gone[x.leaf()] {
			return true
		}
		for _, t := range types {
			if !n.leaf.capabilities.supportsProposal(t) {
				err = reject("12.2", ReasonProposalType)
			}
		}
		return err == nil
	})
	return err
}

// checkPSK refuses ids that no ordinary commit may have, and one named before.
func (p *PublicGroup) checkPSK(before []received, id *pskID) error {
	if len(id.nonce) != p.crypto.nh || id.kind == pskResumption && id.usage != usageApplication && id.usage != p.links {
		return reject("12.1.4", ReasonPSK)
	}
	others := 0
	for _, r := range before {
		if r.proposal.Type != ProposalPreSharedKey {
			continue
		}
		if others++; others == MaxPSKs {
			return reject("12.1.4", ReasonPSK)
		}
		if bytes.Equal(encode(r.proposal.psk.write), encode(id.write)) {
			return reject("12.2", ReasonDuplicate)
		}
	}
	return nil
}

// checkExternalList is the rule for a commit by somebody who joins with it.
func (p *PublicGroup) checkExternalList(list []received) error {
	inits, removes := 0, 0
	touched := make(map[uint32]bool)
	if err := p.checkSupported(list); err != nil {
		return err
	}
	for i, r := range list {
		if r.reference && r.proposal.Type != ProposalSelfRemove {
			return reject("12.4.3.2", ReasonReference)
		}
		switch r.proposal.Type {
		case ProposalExternalInit:
			inits++
		case ProposalRemove, ProposalSelfRemove:
			if r.proposal.Type == ProposalRemove {
				removes++
			}
			if err := r.checkRemove(); err != nil {
				return err
			}
			if p.tree.leaf(r.removed()) == nil {
				return reject("12.1.3", ReasonNoLeaf)
			}
			if touched[r.removed()] {
				return reject("12.2", ReasonSameLeaf)
			}
			touched[r.removed()] = true
		case ProposalPreSharedKey:
			if err := p.checkPSK(list[:i], &r.proposal.psk); err != nil {
				return err
			}
		default:
			return reject("12.2", ReasonProposalType)
		}
	}
	if inits != 1 || removes > 1 {
		return reject("12.2", ReasonProposalType)
	}
	return nil
}
