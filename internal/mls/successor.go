package mls

import (
	"bytes"

	"kith/internal/wire"
)

// Groups that grow out of another one and are tied to it by its resumption key:
// the successor of a group that a ReInit closed (RFC 9420 section 11.2) and a
// branch of some of its members (section 11.3).

// SuccessorParams says who is in a group that grows out of another.
type SuccessorParams struct {
	KeyPackage *KeyPackage // own, for the new group
	Secret     *KeyPackageSecrets
	Members    []*KeyPackage // of the others
	Signer     Signer
}

// Branch makes a group of some members of this one, with its suite and
// extensions. The commit goes nowhere; the Welcome goes to the members.
func (e *Epoch) Branch(groupID []byte, p SuccessorParams) (*StagedCommit, error) {
	return e.successor(usageBranch, groupID, e.pub.Suite(), e.pub.extensions, p)
}

// Reinitialize makes the successor of a group that a ReInit closed. Any member
// may do so.
func (e *Epoch) Reinitialize(p SuccessorParams) (*StagedCommit, error) {
	r := e.pub.reinit
	if r == nil {
		return nil, reject("11.2", ReasonNotSuspended)
	}
	if r.version != protocolMLS10 {
		return nil, reject("11.2", ReasonVersion)
	}
	return e.successor(usageReInit, r.groupID, r.suite, r.Extensions, p)
}

func (e *Epoch) successor(usage uint8, groupID []byte, s Suite, extensions []Extension, p SuccessorParams) (*StagedCommit, error) {
	first, err := CreateWith(s, groupID, extensions, p.KeyPackage, p.Secret)
	if err != nil {
		return nil, err
	}
	first.pub.links = usage
	staged, err := first.Commit(CommitParams{
		Proposals: []*Proposal{pskProposal(e.pub.resumption(first.pub.crypto, usage))},
		PSKs:      PSKs{Epochs: []*Epoch{e}},
		Add:       p.Members,
		Signer:    p.Signer,
	})
	if err != nil {
		return nil, err
	}
	if err := e.pub.checkSuccessor(usage, staged.Next.pub); err != nil {
		return nil, err
	}
	return staged, nil
}

// checkSuccessor checks a new group, as a Welcome shows it, against p, which it
// claims to grow out of.
func (p *PublicGroup) checkSuccessor(usage uint8, next *PublicGroup) error {
	if usage == usageReInit {
		return p.checkReInit(next)
	}
	if next.epoch != 1 || next.Suite() != p.Suite() {
		return reject("11.3", ReasonSuccessor)
	}
	members := make(map[string]bool)
	p.tree.each(func(_ nodeIndex, n *node) bool {
		if n.leaf != nil {
			members[string(encode(n.leaf.credential.write))] = true
		}
		return true
	})
	strangers := 0
	next.tree.each(func(_ nodeIndex, n *node) bool {
		if n.leaf != nil && !members[string(encode(n.leaf.credential.write))] {
			strangers++
		}
		return true
	})
	if strangers > 0 {
		return reject("11.3", ReasonSuccessor)
	}
	return nil
}

func (p *PublicGroup) checkReInit(next *PublicGroup) error {
	r := p.reinit
	if r == nil {
		return reject("11.2", ReasonNotSuspended)
	}
	same := func(list []Extension) []byte {
		return encode(func(w *wire.Writer) { writeExtensions(w, list) })
	}
	if next.epoch != 1 || r.version != protocolMLS10 || r.suite != next.Suite() ||
		!bytes.Equal(r.groupID, next.groupID) || !bytes.Equal(same(r.Extensions), same(next.extensions)) {
		return reject("11.2", ReasonSuccessor)
	}
	return nil
}

// checkLinks checks the group of a Welcome against the group whose key of usage
// reinit or branch it needs; there is one such key at most.
func (p PSKs) checkLinks(ids []pskID, next *PublicGroup) error {
	links := 0
	for i := range ids {
		id := &ids[i]
		if id.kind != pskResumption || id.usage == usageApplication {
			continue
		}
		if links++; links > 1 {
			return reject("8.4", ReasonPSK)
		}
		from := p.epoch(id)
		if from == nil {
			return reject("8.4", ReasonPSK)
		}
		if err := from.pub.checkSuccessor(id.usage, next); err != nil {
			return err
		}
	}
	return nil
}
