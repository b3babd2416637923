package mls

import (
	"bytes"
	"iter"

	"kith/internal/wire"
)

// A PublicGroup is what can be known of an epoch without its secrets. It never
// changes: a commit leads to a new value, and the old one can still be used.
type PublicGroup struct {
	crypto     *crypto
	groupID    []byte
	epoch      uint64
	tree       *tree // sealed
	extensions []Extension
	confirmed  []byte    // confirmed transcript hash
	tag        []byte    // confirmation tag of the commit that led here
	interim    []byte    // interim transcript hash
	encoded    []byte    // the GroupContext, which every signature of a member covers
	reinit     *Proposal // what closed the group, or nil
	links      uint8     // usage of the resumption key that the first commit of a successor may have
}

// A Leaf is one member.
type Leaf struct {
	Index         uint32
	Identity      []byte   // of a basic credential, else nil
	Chain         [][]byte // of an X.509 credential, else nil
	SignatureKey  []byte
	Extensions    []Extension
	KeyPackageRef []byte // of a member just added, else nil
}

// Changes says what a commit did to the members. Updated lists leaves replaced
// by an Update proposal, and the committer if its path gave it another identity
// or signature key. Custom proposals are for the application to act on.
type Changes struct {
	Committer uint32
	Added     []Leaf
	Removed   []Leaf
	Updated   []Leaf
	Custom    []Custom
}

// Custom is a committed proposal of a type that this package does not know.
type Custom struct {
	Sender uint32 // leaf
	Type   ProposalType
	Data   []byte
}

// PublicFromLeaf returns epoch 0 of a group (RFC 9420 section 11): its only
// leaf is leafNode, which comes from a key package; GroupContext.extensions is
// empty. The confirmation tag is taken as it is: only members can check it.
func PublicFromLeaf(suite Suite, groupID, leafNode, confirmationTag []byte) (*PublicGroup, error) {
	return publicFromLeaf(suite, groupID, nil, leafNode, confirmationTag)
}

func publicFromLeaf(suite Suite, groupID []byte, extensions []Extension, leafNode, confirmationTag []byte) (*PublicGroup, error) {
	c, err := suite.crypto()
	if err != nil {
		return nil, err
	}
	leaf, err := parseLeaf(leafNode)
	if err != nil {
		return nil, err
	}
	switch {
	case leaf.source != sourceKeyPackage:
		return nil, reject("11", ReasonLeafSource)
	case len(groupID) > MaxGroupID:
		return nil, malformed("8.1", wire.ErrTooLong)
	case len(confirmationTag) != c.nh:
		return nil, malformed("11", wire.ErrShort)
	}
	if err := leaf.compatible(c, extensions); err != nil {
		return nil, err
	}
	if err := leaf.verify(c, groupID, 0); err != nil {
		return nil, err
	}
	t := newTree(c)
	if _, err := t.add(leaf); err != nil {
		return nil, err
	}
	t.seal()
	return newPublic(t, bytes.Clone(groupID), 0, extensions, nil, bytes.Clone(confirmationTag)), nil
}

func newPublic(t *tree, groupID []byte, epoch uint64, extensions []Extension, confirmed, tag []byte) *PublicGroup {
	g := groupContext{t.crypto.suite, groupID, epoch, t.hash(), confirmed, extensions}
	return &PublicGroup{
		crypto:     t.crypto,
		groupID:    groupID,
		epoch:      epoch,
		tree:       t,
		extensions: extensions,
		confirmed:  confirmed,
		tag:        tag,
		interim:    t.crypto.interimHash(confirmed, tag),
		encoded:    g.bytes(),
	}
}

// context is the encoded GroupContext.
func (p *PublicGroup) context() []byte { return p.encoded }

// Apply follows a commit whose proposals stand in it by value, and checks all
// of section 12.4.2 that needs no secret: sender, signature, proposals, public
// keys and parent hashes of the path, transcript. Members check what is left
// with [Epoch.Process].
func (p *PublicGroup) Apply(c *Commit) (*PublicGroup, *Changes, error) {
	return p.ApplyWith(c, nil)
}

// ApplyWith is Apply for a commit that names proposals by reference.
func (p *PublicGroup) ApplyWith(c *Commit, known []*Proposed) (*PublicGroup, *Changes, error) {
	s, err := p.receive(c.a, known)
	if err != nil {
		return nil, nil, err
	}
	return s.finish(p, c.a), s.changes, nil
}

// Suite returns the cipher suite.
func (p *PublicGroup) Suite() Suite { return p.crypto.suite }

// Epoch returns the number of the epoch.
func (p *PublicGroup) Epoch() uint64 { return p.epoch }

// GroupID returns the group id.
func (p *PublicGroup) GroupID() []byte { return bytes.Clone(p.groupID) }

// TreeHash returns the hash of the ratchet tree.
func (p *PublicGroup) TreeHash() []byte { return bytes.Clone(p.tree.hash()) }

// ConfirmedTranscriptHash returns the hash over all commits, empty in epoch 0.
func (p *PublicGroup) ConfirmedTranscriptHash() []byte { return bytes.Clone(p.confirmed) }

// ConfirmationTag returns the tag of the commit that led here, or the one
// epoch 0 was made with.
func (p *PublicGroup) ConfirmationTag() []byte { return bytes.Clone(p.tag) }

// Extensions returns the extensions of the GroupContext.
func (p *PublicGroup) Extensions() []Extension { return cloneExtensions(p.extensions) }

// ReInit returns the proposal that closed the group, nil if it is open. No
// message may be sent in a closed group; [Epoch.Reinitialize] makes its successor.
func (p *PublicGroup) ReInit() *Proposal {
	if p.reinit == nil {
		return nil
	}
	out := p.reinit.copied()
	return &out
}

// Members returns how many leaves are not blank.
func (p *PublicGroup) Members() int { return int(p.tree.root.members) }

// Leaves yields the members in the order of their leaves.
func (p *PublicGroup) Leaves() iter.Seq[Leaf] {
	return func(yield func(Leaf) bool) {
		p.tree.each(func(x nodeIndex, n *node) bool {
			return n.leaf == nil || yield(member(x.leaf(), n.leaf))
		})
	}
}

func member(i uint32, l *leafNode) Leaf {
	return Leaf{
		Index: i, Identity: bytes.Clone(l.credential.identity), Chain: l.credential.certificates(),
		SignatureKey: bytes.Clone(l.signatureKey), Extensions: cloneExtensions(l.extensions),
	}
}

// Leaf returns the member at index i.
func (p *PublicGroup) Leaf(i uint32) (Leaf, bool) {
	if l := p.tree.leaf(i); l != nil {
		return member(i, l), true
	}
	return Leaf{}, false
}

// LeafOf returns the first member with the given identity.
func (p *PublicGroup) LeafOf(identity []byte) (found Leaf, ok bool) {
	p.tree.each(func(x nodeIndex, n *node) bool {
		if n.leaf != nil && n.leaf.credential.kind == credentialBasic && bytes.Equal(n.leaf.credential.identity, identity) {
			found, ok = member(x.leaf(), n.leaf), true
		}
		return !ok
	})
	return found, ok
}

// RatchetTree returns the content of the ratchet_tree extension.
func (p *PublicGroup) RatchetTree() []byte { return encode(p.tree.write) }

// Marshal returns the stored form:
//
//	offset size field
//	0      1    version: 1, or 2 if a ReInit closed the group
//	1      V    GroupContext
//	       V    confirmation tag
//	       V    the ReInit proposal, in version 2
//	            content of the ratchet_tree extension
func (p *PublicGroup) Marshal() []byte {
	return encode(func(w *wire.Writer) {
		if p.reinit == nil {
			w.U8(storedVersion)
		} else {
			w.U8(storedClosed)
		}
		w.Vec(p.context())
		w.Vec(p.tag)
		if p.reinit != nil {
			w.Group(p.reinit.write)
		}
		p.tree.write(w)
	})
}

// ParsePublicGroup reads what Marshal wrote. The tree must have the hash the
// GroupContext says; signatures were checked before it was stored.
func ParsePublicGroup(b []byte) (*PublicGroup, error) {
	p, err := parsePublicGroup(b)
	if err != nil {
		return nil, &Error{"8.1", ReasonStoredRecord, err}
	}
	return p, nil
}

func parsePublicGroup(b []byte) (*PublicGroup, error) {
	r := wire.NewReader(bytes.Clone(b))
	version := r.U8()
	if version != storedVersion && version != storedClosed {
		r.Fail(wire.ErrCanonical)
	}
	inner := r.Sub(MaxTree)
	g := readGroupContext(inner)
	if err := inner.Done(); err != nil {
		r.Fail(err)
	}
	tag := bytes.Clone(r.Vec(maxHash))
	var reinit *Proposal
	if version == storedClosed {
		reinit = readClosing(r)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	c, err := g.suite.crypto()
	if err != nil {
		return nil, err
	}
	t := readTree(c, r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	if !bytes.Equal(t.hash(), g.treeHash) {
		return nil, reject("7.8", ReasonTreeHash)
	}
	if err := t.verifyUnmerged(); err != nil {
		return nil, err
	}
	p := newPublic(t, g.groupID, g.epoch, g.extensions, g.confirmed, tag)
	p.reinit = reinit
	return p, nil
}

// readClosing reads the ReInit of a stored group that was closed.
func readClosing(r *wire.Reader) *Proposal {
	inner := r.Sub(MaxTree)
	p := readProposal(inner)
	if err := inner.Done(); err != nil {
		r.Fail(err)
	}
	if p.Type != ProposalReInit {
		r.Fail(wire.ErrCanonical)
	}
	return p
}

// storedClosed is the version of a stored group that a ReInit closed.
const storedClosed = 2
