package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// CommitParams says what a commit does. Proposals stand in it by value, those
// of Refs by reference before them.
type CommitParams struct {
	Add               []*KeyPackage
	Remove            []uint32    // leaf indices
	Proposals         []*Proposal // others
	AuthenticatedData []byte
	Signer            Signer

	Refs []*Proposed // all valid ones received in this epoch
	PSKs PSKs

	// LeafExtensions are those of the committer's new leaf; nil: as before. A
	// commit without a path changes no leaf.
	LeafExtensions []Extension

	NoPath  bool // leave the path out where section 12.4 of RFC 9420 allows it
	Private bool // sign for sending with [Epoch.Seal]
}

// A StagedCommit is a commit that was made but not yet agreed on. Nothing has
// changed: whoever sends it goes on from Next, whoever drops it stays.
type StagedCommit struct {
	Commit  *Commit
	Next    *Epoch
	Changes *Changes

	joiner    []byte // nil once erased
	welcome   []byte
	welcomed  []byte // hash of the GroupInfo that has the key under welcome
	psks      []pskID
	newcomers []newcomer
}

// A newcomer is what a Welcome needs for one added member.
type newcomer struct {
	ref        []byte
	initKey    []byte
	pathSecret []byte // nil without a path
}

// Commit makes a commit (section 12.4.1).
func (e *Epoch) Commit(p CommitParams) (*StagedCommit, error) {
	if e.Closed() {
		return nil, ErrClosed
	}
	own := e.pub.tree.leaf(e.own)
	if !bytes.Equal(own.signatureKey, p.Signer.PublicKey()) {
		return nil, reject("6.1", ReasonSigner)
	}
	var err error
	if p.Proposals, err = ownProposals(p.Proposals); err != nil {
		return nil, err
	}
	if err := checkExtensions(p.LeafExtensions); err != nil {
		return nil, err
	}
	from := sender{senderMember, e.own}
	c := content{
		groupID:           e.pub.groupID,
		epoch:             e.pub.epoch,
		sender:            from,
		authenticatedData: bytes.Clone(p.AuthenticatedData),
		kind:              contentCommit,
		commit:            &commit{proposals: p.proposals()},
	}
	if err := c.fits(); err != nil {
		return nil, err
	}
	list, err := e.pub.resolve(&c, p.Refs)
	if err != nil {
		return nil, err
	}
	s, err := e.pub.applyProposals(from, list)
	if err != nil {
		return nil, err
	}
	needed := len(list) == 0 || slices.ContainsFunc(list, func(r received) bool { return r.proposal.needsPath() })
	if p.NoPath && !needed {
		s.seal(e.pub)
		if err := s.tree.credentialsAgree(); err != nil {
			return nil, err
		}
		return e.finishCommit(s, &pathSecrets{commit: e.pub.crypto.zero()}, c, p)
	}
	made, err := e.makePath(s, &c, s.tree.leaf(e.own).announcing(p.LeafExtensions), p.Signer)
	if err != nil {
		return nil, err
	}
	return e.finishCommit(s, made, c, p)
}

// ownProposals copies proposals that a caller made or has, as others will read
// them. It refuses what cannot be made from outside the package, and what
// nobody would read.
func ownProposals(list []*Proposal) ([]*Proposal, error) {
	out := make([]*Proposal, len(list))
	for i, p := range list {
		switch {
		case p.Type == ProposalAdd && p.KeyPackage != nil: // never changes
			out[i] = &Proposal{Type: ProposalAdd, KeyPackage: p.KeyPackage}
			continue
		case p.Type == ProposalAdd, p.Type == ProposalUpdate, p.Type == 0, p.Type.hasBody() && p.body == nil:
			return nil, reject("12.1", ReasonProposalType)
		case isGrease(uint16(p.Type)):
			return nil, reject("13.5", ReasonProposalType)
		case p.Type == ProposalGroupContextExtensions && greasy(p.Extensions):
			return nil, reject("13.5", ReasonExtension)
		}
		r := wire.NewReader(encode(p.write))
		out[i] = readProposal(r)
		if err := r.Done(); err != nil {
			return nil, malformed("12.1", err)
		}
	}
	return out, nil
}

// fits checks an own content against the bounds that its readers have.
func (c *content) fits() error {
	if len(c.authenticatedData) > MaxAuthenticatedData || c.commit != nil && len(c.commit.proposals) > MaxProposals {
		return malformed("6", wire.ErrTooLong)
	}
	return nil
}

func (p CommitParams) proposals() []proposalOrRef {
	var list []proposalOrRef
	for _, ref := range p.Refs {
		list = append(list, proposalOrRef{reference: ref.ref})
	}
	for _, i := range p.Remove {
		list = append(list, proposalOrRef{proposal: &Proposal{Type: ProposalRemove, Removed: i}})
	}
	for _, other := range p.Proposals {
		list = append(list, proposalOrRef{proposal: other})
	}
	for _, k := range p.Add {
		list = append(list, proposalOrRef{proposal: &Proposal{Type: ProposalAdd, KeyPackage: k}})
	}
	return list
}

// makePath puts a leaf made from l on top of a fresh path into the stage and
// into the commit, and returns the path's secrets.
func (e *Epoch) makePath(s *stage, c *content, l leafNode, signer Signer) (*pathSecrets, error) {
	k := e.pub.crypto
	private, public, err := k.keyPair(wire.Random(k.nh))
	if err != nil {
		return nil, err
	}
	made, err := k.derivePath(s.tree.filteredPath(e.own), wire.Random(k.nh))
	if err != nil {
		return nil, err
	}
	parents, leafHash := s.tree.pathParents(made.path, made.keys)
	leaf, err := parseLeaf(l.renewed(sourceCommit, public, leafHash, signer, e.pub.groupID, e.own).raw)
	if err != nil { // a joiner's leaf has fields that its caller chose
		return nil, err
	}
	if err := leaf.compatible(k, s.extensions); err != nil {
		return nil, err
	}
	old := s.tree.leaf(e.own)
	if err := s.tree.putPath(e.own, leaf, made.path, parents); err != nil {
		return nil, err
	}
	s.notePath(old, leaf)
	s.seal(e.pub)
	if err := s.tree.credentialsAgree(); err != nil {
		return nil, err
	}
	made.private = append([]nodeKey{{leafNodeIndex(e.own), private}}, made.private...)
	c.commit.path, err = s.tree.encrypt(&made, leaf, s.added, s.groupContext.bytes())
	return &made, err
}

// finishCommit signs the commit, runs the key schedule and confirms.
func (e *Epoch) finishCommit(s *stage, made *pathSecrets, c content, p CommitParams) (*StagedCommit, error) {
	k := e.pub.crypto
	psk, err := p.PSKs.secret(k, s.psks)
	if err != nil {
		return nil, err
	}
	a := e.pub.authenticate(c, p.Signer, p.Private)
	s.confirm(e.pub, a)
	keys := k.advance(e.secrets.init, made.commit, psk, s.groupContext.bytes())
	clear(psk)
	a.tag = k.confirmationTag(keys.schedule.confirmation, s.groupContext.confirmed)
	next := &Epoch{
		pub:     s.finish(e.pub, a),
		own:     e.own,
		private: s.tree.keptKeys(e.pub.tree, e.private, made.private),
		secrets: keys.schedule,
	}
	out := &StagedCommit{
		Commit:  &Commit{a},
		Next:    next,
		Changes: s.changes,
		joiner:  keys.joiner,
		welcome: keys.welcome,
		psks:    s.psks,
	}
	out.welcomeAdded(c, p, s, made)
	made.forget()
	clear(made.commit)
	return out, nil
}

// welcomeAdded notes what the Welcome needs for each new member.
func (s *StagedCommit) welcomeAdded(c content, p CommitParams, g *stage, made *pathSecrets) {
	packages := make(map[string]*KeyPackage)
	for _, r := range p.Refs {
		if k := r.a.content.proposal.KeyPackage; k != nil {
			packages[string(k.Ref())] = k
		}
	}
	for _, other := range p.Proposals {
		if k := other.KeyPackage; k != nil {
			packages[string(k.Ref())] = k
		}
	}
	for _, k := range p.Add {
		packages[string(k.Ref())] = k
	}
	for _, l := range g.changes.Added {
		if l.KeyPackageRef == nil {
			continue // the committer, who joins with this commit
		}
		s.newcomers = append(s.newcomers, newcomer{
			ref:        l.KeyPackageRef,
			initKey:    packages[string(l.KeyPackageRef)].initKey,
			pathSecret: bytes.Clone(made.at(commonAncestor(l.Index, c.sender.index))),
		})
	}
}

// authenticate signs a content in the epoch p (section 6.1).
func (p *PublicGroup) authenticate(c content, s Signer, private bool) *authenticated {
	a := &authenticated{format: FormatPublicMessage, content: c.frozen()}
	if private {
		a.format = FormatPrivateMessage
	}
	a.signature = sign(s, "FramedContentTBS", a.tbs(p.context()))
	return a
}

// Erase overwrites the secrets that only the Welcome needs, and ends making it.
// Next keeps its own.
func (s *StagedCommit) Erase() {
	clear(s.joiner)
	clear(s.welcome)
	s.joiner = nil
	for _, n := range s.newcomers {
		clear(n.pathSecret)
	}
}
