package mls

import (
	"slices"

	"kith/internal/wire"
)

// Node types of RFC 9420 section 7.8, also in the ratchet_tree extension.
const (
	nodeTypeLeaf   = 1
	nodeTypeParent = 2
)

// seal ends a change: it computes the hashes and the credential summary of the
// new nodes. The tree must not change any more.
func (t *tree) seal() {
	t.hashOf(t.rootIndex(), t.root)
	t.root.summarize()
}

// hash is the tree hash of a sealed tree.
func (t *tree) hash() []byte { return t.root.hash }

// hashOf is the tree hash of n, kept in the node. Nodes of a sealed tree have
// theirs, so only nodes of the tree being changed are written.
func (t *tree) hashOf(x nodeIndex, n *node) []byte {
	if n.hash != nil {
		return n.hash
	}
	return newHasher(t.crypto).of(x, n)
}

// leafHash hashes
//
//	size field
//	1    node type 1
//	4    leaf index
//	1    1 if a leaf node follows, 0 if blank
//	     leaf node
func leafHash(c *crypto, i uint32, l *leafNode) []byte {
	var w wire.Writer
	w.U8(nodeTypeLeaf)
	w.U32(i)
	w.Bool(l != nil)
	if l == nil {
		return c.hash(w.Bytes())
	}
	return c.hash(w.Bytes(), l.raw)
}

// parentHashInput hashes
//
//	size field
//	1    node type 2
//	1    1 if a parent node follows, 0 if blank
//	     parent node
//	V    tree hash of the left child
//	V    tree hash of the right child
func parentHashInput(c *crypto, p *parentNode, left, right []byte) []byte {
	return c.hash(encode(func(w *wire.Writer) {
		w.U8(nodeTypeParent)
		w.Bool(p != nil)
		if p != nil {
			p.write(w)
		}
		w.Vec(left)
		w.Vec(right)
	}))
}

// originalHash is the tree hash of n with the leaves gone blanked and taken off
// every list of unmerged leaves below (section 7.9). It goes through blank
// nodes as well, and stops where none of the leaves is below.
func (t *tree) originalHash(x nodeIndex, n *node, gone []uint32) []byte {
	gone = within(gone, x)
	if len(gone) == 0 {
		return t.hashOf(x, n)
	}
	if x.isLeaf() {
		return leafHash(t.crypto, x.leaf(), nil)
	}
	p := n.parent
	if p != nil {
		without := *p
		without.unmerged = slices.DeleteFunc(slices.Clone(p.unmerged), func(u uint32) bool {
			_, found := slices.BinarySearch(gone, u)
			return found
		})
		p = &without
	}
	left, right := n.kids()
	return parentHashInput(t.crypto, p,
		t.originalHash(x.left(), left, gone),
		t.originalHash(x.right(), right, gone))
}

// within cuts an ascending list of leaves to those below x.
func within(leaves []uint32, x nodeIndex) []uint32 {
	low, high := x.span()
	from, _ := slices.BinarySearch(leaves, low)
	to, _ := slices.BinarySearch(leaves, high)
	return leaves[from:to]
}

// credentialUse says which credential types the leaves of a subtree have, and
// which all of them support (section 7.3). Both are ascending.
type credentialUse struct {
	used      []uint16
	supported []uint16
}

// summarize computes the credential summary of n; nil for an empty subtree.
func (n *node) summarize() *credentialUse {
	if n.credentials != nil || n.members == 0 {
		return n.credentials
	}
	if n.leaf != nil {
		all := slices.Clone(n.leaf.capabilities.credentials)
		slices.Sort(all)
		n.credentials = &credentialUse{[]uint16{n.leaf.credential.kind}, slices.Compact(all)}
		return n.credentials
	}
	n.credentials = merged(n.left.summarize(), n.right.summarize())
	return n.credentials
}

// merged shares the summary of a child where it can: the usual tree, where all
// leaves say the same, keeps one summary.
func merged(a, b *credentialUse) *credentialUse {
	if a == nil || b != nil && slices.Equal(a.used, b.used) && slices.Equal(a.supported, b.supported) {
		return b
	}
	if b == nil {
		return a
	}
	used := append(slices.Clone(a.used), b.used...)
	slices.Sort(used)
	supported := slices.DeleteFunc(slices.Clone(a.supported), func(t uint16) bool {
		_, found := slices.BinarySearch(b.supported, t)
		return !found
	})
	return &credentialUse{slices.Compact(used), supported}
}

// credentialsAgree checks that every member supports every type in use.
func (t *tree) credentialsAgree() error {
	c := t.root.credentials
	if c == nil {
		return nil
	}
	for _, used := range c.used {
		if _, found := slices.BinarySearch(c.supported, used); !found {
			return reject("7.3", ReasonCredential)
		}
	}
	return nil
}
