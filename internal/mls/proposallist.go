package mls

import "bytes"

// checkList checks a list of proposals as a whole (RFC 9420 section 12.2).
// What each needs of the tree is checked when it is applied.
func (p *PublicGroup) checkList(from sender, list []received) error {
	if from.kind == senderNewMemberCommit {
		return p.checkExternalList(list)
	}
	touched := make(map[uint32]bool)
	contexts := 0
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
		}
	}
	return nil
}

// checkOne checks who may propose what to whom; touched holds the leaves that
// have an Update or Remove already.
func (p *PublicGroup) checkOne(from sender, r received, touched map[uint32]bool) error {
	var leaf uint32
	switch r.proposal.Type {
	case ProposalAdd, ProposalPreSharedKey, ProposalGroupContextExtensions:
		if r.sender.kind != senderMember && r.proposal.Type != ProposalAdd {
			return reject("12.1.8", ReasonSender)
		}
		return nil
	case ProposalUpdate:
		leaf = r.sender.index
		if r.sender.kind != senderMember {
			return reject("12.1.2", ReasonSender)
		}
		if leaf == from.index {
			return reject("12.2", ReasonOwnUpdate)
		}
	case ProposalRemove:
		leaf = r.proposal.Removed
		if leaf == from.index {
			return reject("12.2", ReasonOwnRemove)
		}
	default:
		return reject("12.2", ReasonProposalType)
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

// checkPSK refuses ids that no ordinary commit may have, and one named before.
func (p *PublicGroup) checkPSK(before []received, id *pskID) error {
	if len(id.nonce) != p.crypto.nh || id.kind == pskResumption && id.usage != usageApplication {
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
	for i, r := range list {
		switch r.proposal.Type {
		case ProposalExternalInit:
			inits++
		case ProposalRemove:
			removes++
			if p.tree.leaf(r.proposal.Removed) == nil {
				return reject("12.1.3", ReasonNoLeaf)
			}
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
