package mls

import "bytes"

// Join opens a Welcome for a key package and checks all that section 12.4.3.1
// of RFC 9420 asks: the tree against its hash, parent hashes, every leaf, the
// signature of the GroupInfo, the confirmation tag. tree is the content of the
// ratchet_tree extension, nil if it is in the Welcome.
func Join(welcome []byte, k *KeyPackage, secret *KeyPackageSecrets, tree []byte) (*Epoch, *GroupInfo, error) {
	return JoinWith(welcome, k, secret, tree, PSKs{})
}

// JoinWith is Join with pre-shared keys.
func JoinWith(welcome []byte, k *KeyPackage, secret *KeyPackageSecrets, tree []byte, psks PSKs) (*Epoch, *GroupInfo, error) {
	return join(welcome, k, secret, psks, func(c *crypto, info *GroupInfo) (*PublicGroup, error) {
		return info.public(c, tree)
	})
}

// Join is [Join] for who followed the group to the epoch p and needs no tree: it
// was checked commit by commit, and the epoch that is entered shares it. A tree
// in the Welcome is not read.
func (p *PublicGroup) Join(welcome []byte, k *KeyPackage, secret *KeyPackageSecrets) (*Epoch, *GroupInfo, error) {
	return join(welcome, k, secret, PSKs{}, func(c *crypto, info *GroupInfo) (*PublicGroup, error) {
		return p, info.describes(c, p)
	})
}

// join opens a Welcome; public finds the public part of the epoch that its
// GroupInfo describes, and checks the one against the other.
func join(welcome []byte, k *KeyPackage, secret *KeyPackageSecrets, psks PSKs, public func(*crypto, *GroupInfo) (*PublicGroup, error)) (*Epoch, *GroupInfo, error) {
	m, err := parseWelcome(welcome)
	if err != nil {
		return nil, nil, err
	}
	c, err := m.suite.crypto()
	if err != nil {
		return nil, nil, err
	}
	if err := secret.fits(c, k); err != nil {
		return nil, nil, err
	}
	g, err := m.secretsFor(c, k, secret)
	if err != nil {
		return nil, nil, err
	}
	defer clear(g.joiner)
	defer clear(g.pathSecret)
	psk, err := psks.secret(c, g.psks)
	if err != nil {
		return nil, nil, err
	}
	defer clear(psk)
	info, err := m.openInfo(c, g.joiner, psk)
	if err != nil {
		return nil, nil, err
	}
	pub, err := public(c, info)
	if err != nil {
		return nil, nil, err
	}
	if err := psks.checkLinks(g.psks, pub); err != nil {
		return nil, nil, err
	}
	e, err := pub.enter(k, secret, info, g.pathSecret)
	if err != nil {
		return nil, nil, err
	}
	e.secrets = c.fromJoiner(g.joiner, psk, pub.context()).schedule
	if !sameMAC(c.confirmationTag(e.secrets.confirmation, pub.confirmed), pub.tag) {
		return nil, nil, reject("12.4.3.1", ReasonConfirmation)
	}
	return e, info, nil
}

// describes checks that a GroupInfo is about p, which somebody else computed, and
// signed by the member it names.
func (g *GroupInfo) describes(c *crypto, p *PublicGroup) error {
	switch {
	case p.crypto != c:
		return reject("12.4.3.1", ReasonSuite)
	case !bytes.Equal(g.context.bytes(), p.context()), !bytes.Equal(g.tag, p.tag):
		return reject("12.4.3.1", ReasonNotFollowed)
	case p.reinit != nil:
		return reject("12.4.2", ReasonSuspended)
	}
	signer := p.tree.leaf(g.Signer)
	if signer == nil {
		return reject("12.4.3.1", ReasonNoLeaf)
	}
	if !c.verifyLabel(signer.signatureKey, "GroupInfoTBS", g.signed, g.signature) {
		return reject("12.4.3.1", ReasonSignature)
	}
	return nil
}

// public checks a GroupInfo with its tree and makes the epoch's public part.
func (g *GroupInfo) public(c *crypto, tree []byte) (*PublicGroup, error) {
	if g.context.suite != c.suite {
		return nil, reject("12.4.3.1", ReasonSuite)
	}
	if tree == nil {
		inline, ok := findExtension(g.Extensions, ExtensionRatchetTree)
		if !ok {
			return nil, reject("12.4.3.3", ReasonNoTree)
		}
		tree = inline
	}
	if err := checkContextExtensions(g.context.extensions); err != nil {
		return nil, err
	}
	t, err := parseTree(c, tree)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(t.hash(), g.context.treeHash) {
		return nil, reject("12.4.3.1", ReasonTreeHash)
	}
	signer := t.leaf(g.Signer)
	if signer == nil {
		return nil, reject("12.4.3.1", ReasonNoLeaf)
	}
	if !c.verifyLabel(signer.signatureKey, "GroupInfoTBS", g.signed, g.signature) {
		return nil, reject("12.4.3.1", ReasonSignature)
	}
	if err := t.validate(g.context.groupID, g.context.extensions); err != nil {
		return nil, err
	}
	return newPublic(t, g.context.groupID, g.context.epoch, g.context.extensions, g.context.confirmed, bytes.Clone(g.tag)), nil
}

// enter finds the own leaf and the private keys that a path secret gives: those
// of the signer's path from the lowest node above both.
func (p *PublicGroup) enter(k *KeyPackage, secret *KeyPackageSecrets, info *GroupInfo, pathSecret []byte) (*Epoch, error) {
	own, found := uint32(0), false
	p.tree.each(func(x nodeIndex, n *node) bool {
		if n.leaf != nil && bytes.Equal(n.leaf.raw, k.leaf.raw) {
			own, found = x.leaf(), true
		}
		return !found
	})
	if !found || own == info.Signer {
		return nil, reject("12.4.3.1", ReasonOwnLeaf)
	}
	e := &Epoch{pub: p, own: own, private: []nodeKey{{leafNodeIndex(own), bytes.Clone(secret.leaf)}}}
	if pathSecret == nil {
		return e, nil
	}
	path := p.tree.filteredPath(info.Signer)
	meet := commonAncestor(own, info.Signer)
	for len(path) > 0 && path[0].node != meet {
		path = path[1:]
	}
	got, err := p.tree.follow(path, pathSecret)
	if err != nil {
		return nil, err
	}
	got.forget()
	clear(got.commit)
	e.private = append(e.private, got.private...)
	return e, nil
}
