package mls

import (
	"bytes"
	"slices"
)

// received is a proposal with its sender: the committer for one by value.
type received struct {
	proposal  *Proposal
	sender    sender
	reference bool       // by reference
	format    WireFormat // it was sent in, if by reference
}

// A stage is the next epoch while a commit is made or processed: the old epoch
// is not touched, so dropping the stage undoes everything.
type stage struct {
	tree         *tree
	extensions   []Extension
	changes      *Changes
	added        []uint32 // ascending
	psks         []pskID
	external     bool   // the committer joins with this commit
	kemOutput    []byte // of its ExternalInit
	committer    uint32
	path         []step
	reinit       *Proposal
	groupContext groupContext // of the new epoch, with the old transcript hash until finish
}

// receive checks and applies a commit as far as that needs no secrets.
func (p *PublicGroup) receive(a *authenticated, known []*Proposed) (*stage, error) {
	c := a.content
	switch {
	case c.kind != contentCommit:
		return nil, reject("12.4.2", ReasonContent)
	case !bytes.Equal(c.groupID, p.groupID):
		return nil, reject("12.4.2", ReasonGroup)
	case c.epoch != p.epoch:
		return nil, ErrWrongEpoch
	case len(a.tag) != p.crypto.nh:
		return nil, reject("6.1", ReasonConfirmation)
	}
	if err := p.verifySender(a); err != nil {
		return nil, err
	}
	list, err := p.resolve(c, known)
	if err != nil {
		return nil, err
	}
	s, err := p.applyProposals(c.sender, list)
	if err != nil {
		return nil, err
	}
	if c.commit.path == nil {
		if len(list) == 0 || slices.ContainsFunc(list, func(r received) bool { return r.proposal.needsPath() }) {
			return nil, reject("12.4", ReasonPathMissing)
		}
	} else if err := p.applyPath(s, c); err != nil {
		return nil, err
	}
	s.seal(p)
	return s, s.tree.credentialsAgree()
}

// verifySender checks the signature of a content with its sender's key
// (section 6.1).
func (p *PublicGroup) verifySender(a *authenticated) error {
	key, err := p.senderKey(a.content)
	if err != nil {
		return err
	}
	if !p.crypto.verifyLabel(key, "FramedContentTBS", a.tbs(p.context()), a.signature) {
		return reject("6.1", ReasonSignature)
	}
	return nil
}

func (p *PublicGroup) senderKey(c *content) ([]byte, error) {
	switch s := c.sender; {
	case s.kind == senderMember:
		if l := p.tree.leaf(s.index); l != nil {
			return l.signatureKey, nil
		}
		return nil, reject("6.1", ReasonNoLeaf)
	case s.kind == senderNewMemberCommit && c.kind == contentCommit && c.commit.path != nil:
		return c.commit.path.leaf.signatureKey, nil
	case s.kind == senderExternal && c.kind == contentProposal:
		return p.externalSender(s.index, c.proposal.Type)
	case s.kind == senderNewMemberProposal && c.kind == contentProposal && c.proposal.Type == ProposalAdd:
		return c.proposal.KeyPackage.leaf.signatureKey, nil
	}
	return nil, reject("6.1", ReasonSender)
}

// resolve finds the proposals of a commit, in its order. Those by reference were
// checked in this very epoch.
func (p *PublicGroup) resolve(c *content, known []*Proposed) ([]received, error) {
	byRef := make(map[string]*Proposed, len(known))
	for _, k := range known {
		if bytes.Equal(k.context, p.context()) {
			byRef[string(k.ref)] = k
		}
	}
	list := make([]received, 0, len(c.commit.proposals))
	for _, o := range c.commit.proposals {
		if o.proposal != nil {
			list = append(list, received{proposal: o.proposal, sender: c.sender})
			continue
		}
		k := byRef[string(o.reference)]
		if k == nil {
			return nil, reject("12.4", ReasonReference)
		}
		list = append(list, received{k.a.content.proposal, k.a.content.sender, true, k.a.format})
	}
	return list, nil
}

// applyProposals checks a list of proposals (section 12.2) and applies it in
// the order of section 12.3.
func (p *PublicGroup) applyProposals(from sender, list []received) (*stage, error) {
	if p.reinit != nil {
		return nil, reject("12.4.2", ReasonSuspended)
	}
	if err := p.checkList(from, list); err != nil {
		return nil, err
	}
	s := &stage{
		tree:       p.tree.edit(),
		extensions: p.extensions,
		committer:  from.index,
		external:   from.kind == senderNewMemberCommit,
		changes:    &Changes{Committer: from.index},
	}
	for _, r := range list {
		s.note(r)
	}
	// SelfRemove comes between Update and Remove.
	steps := []func([]received) error{p.updates(s), p.removes(s, ProposalSelfRemove), p.removes(s, ProposalRemove), p.adds(s)}
	for _, apply := range steps {
		if err := apply(list); err != nil {
			return nil, err
		}
	}
	if s.external {
		if s.tree.root.members == s.tree.leaves {
			if err := s.tree.grow(); err != nil {
				return nil, err
			}
		}
		s.committer = s.tree.firstBlank()
		s.changes.Committer = s.committer
	}
	if slices.ContainsFunc(list, func(r received) bool { return r.proposal.Type == ProposalGroupContextExtensions }) {
		return s, s.tree.compatibleWith(s.extensions)
	}
	return s, nil
}

// note takes up a proposal that does not change the tree.
func (s *stage) note(r received) {
	switch p := r.proposal; {
	case p.Type == ProposalGroupContextExtensions:
		s.extensions = cloneExtensions(p.Extensions)
	case p.Type == ProposalPreSharedKey:
		s.psks = append(s.psks, p.psk)
	case p.Type == ProposalExternalInit:
		s.kemOutput = p.kemOutput
	case p.Type == ProposalReInit:
		s.reinit = p
	case p.Type.custom():
		s.changes.Custom = append(s.changes.Custom, Custom{r.sender.index, p.Type, bytes.Clone(p.data)})
	}
}

// compatibleWith checks new group extensions against every member.
func (t *tree) compatibleWith(groupExtensions []Extension) error {
	var err error
	t.each(func(_ nodeIndex, n *node) bool {
		if n.leaf != nil {
			err = n.leaf.capabilities.supportGroup(groupExtensions)
		}
		return err == nil
	})
	return err
}

func (p *PublicGroup) updates(s *stage) func([]received) error {
	return func(list []received) error {
		for _, r := range list {
			if r.proposal.Type != ProposalUpdate {
				continue
			}
			i, leaf := r.sender.index, r.proposal.leaf
			if leaf.source != sourceUpdate {
				return reject("7.3", ReasonLeafSource)
			}
			if err := p.checkReplacement(s, i, leaf); err != nil {
				return err
			}
			if err := s.tree.update(i, leaf); err != nil {
				return err
			}
			s.changes.Updated = append(s.changes.Updated, member(i, leaf))
		}
		return nil
	}
}

// checkReplacement checks a leaf that its owner puts in place of the one at i.
func (p *PublicGroup) checkReplacement(s *stage, i uint32, leaf *leafNode) error {
	if old := s.tree.leaf(i); old != nil && bytes.Equal(old.encryptionKey, leaf.encryptionKey) {
		return reject("7.3", ReasonSameKey)
	}
	if err := leaf.compatible(p.crypto, s.extensions); err != nil {
		return err
	}
	return leaf.verify(p.crypto, p.groupID, i)
}

func (p *PublicGroup) removes(s *stage, t ProposalType) func([]received) error {
	return func(list []received) error {
		for _, r := range list {
			if r.proposal.Type == t {
				i := r.removed()
				s.changes.Removed = append(s.changes.Removed, member(i, p.tree.leaf(i)))
				s.tree.remove(i)
			}
		}
		return nil
	}
}

// adds checks the signatures of all key packages together, last.
func (p *PublicGroup) adds(s *stage) func([]received) error {
	return func(list []received) error {
		var signatures []signed
		for _, r := range list {
			if r.proposal.Type != ProposalAdd {
				continue
			}
			k := r.proposal.KeyPackage
			if err := k.check(p.crypto, s.extensions); err != nil {
				return err
			}
			signatures = append(signatures, k.signatures()...)
			i, err := s.tree.add(k.leaf)
			if err != nil {
				return err
			}
			s.added = append(s.added, i)
			leaf := member(i, k.leaf)
			leaf.KeyPackageRef = k.Ref()
			s.changes.Added = append(s.changes.Added, leaf)
		}
		if !p.crypto.verifyAll(signatures) {
			return reject("10.1", ReasonSignature)
		}
		return nil
	}
}

// applyPath checks and merges the path of a commit (section 12.4.2).
func (p *PublicGroup) applyPath(s *stage, c *content) error {
	path := c.commit.path
	if path.leaf.source != sourceCommit {
		return reject("12.4.2", ReasonLeafSource)
	}
	if err := p.checkReplacement(s, s.committer, path.leaf); err != nil {
		return err
	}
	if s.external && p.reusesKey(s, path.leaf) {
		return reject("12.2", ReasonSameKey)
	}
	old := s.tree.leaf(s.committer)
	steps, err := s.tree.mergePath(s.committer, path)
	if err != nil {
		return err
	}
	s.path = steps
	if err := s.tree.checkRecipients(steps, s.added, path); err != nil {
		return err
	}
	s.notePath(old, path.leaf)
	return nil
}

// reusesKey reports whether somebody who joins has the key of a leaf that the
// same commit removes: for an own old leaf the rule of an Update holds.
func (p *PublicGroup) reusesKey(s *stage, leaf *leafNode) bool {
	return slices.ContainsFunc(s.changes.Removed, func(l Leaf) bool {
		return bytes.Equal(p.tree.leaf(l.Index).encryptionKey, leaf.encryptionKey)
	})
}

// notePath records a committer who is new, or who is somebody else now.
func (s *stage) notePath(old, leaf *leafNode) {
	m := member(s.committer, leaf)
	switch {
	case old == nil:
		s.changes.Added = append(s.changes.Added, m)
	case !bytes.Equal(old.signatureKey, leaf.signatureKey) || !old.credential.equal(leaf.credential):
		s.changes.Updated = append(s.changes.Updated, m)
	}
}

// seal ends the change of the tree and makes the provisional GroupContext.
func (s *stage) seal(p *PublicGroup) {
	s.tree.seal()
	s.groupContext = groupContext{p.crypto.suite, p.groupID, p.epoch + 1, s.tree.hash(), p.confirmed, s.extensions}
}

// confirm puts the new transcript hash into the GroupContext.
func (s *stage) confirm(p *PublicGroup, a *authenticated) {
	s.groupContext.confirmed = p.crypto.confirmedHash(p.interim, a.transcript())
}

// finish returns the new epoch, once a carries its confirmation tag.
func (s *stage) finish(p *PublicGroup, a *authenticated) *PublicGroup {
	s.confirm(p, a)
	next := newPublic(s.tree, p.groupID, p.epoch+1, s.extensions, s.groupContext.confirmed, bytes.Clone(a.tag))
	next.reinit = s.reinit
	return next
}
