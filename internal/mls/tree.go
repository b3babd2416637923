package mls

import (
	"slices"

	"kith/internal/wire"
)

// parentNode is ParentNode of RFC 9420 section 7.1:
//
//	size field
//	V    encryption_key
//	V    parent_hash
//	V    unmerged_leaves, 4 bytes each, ascending
type parentNode struct {
	encryptionKey []byte
	parentHash    []byte
	unmerged      []uint32
}

func (p *parentNode) write(w *wire.Writer) {
	w.Vec(p.encryptionKey)
	w.Vec(p.parentHash)
	writeU32s(w, p.unmerged)
}

func readParent(r *wire.Reader) *parentNode {
	p := &parentNode{
		encryptionKey: slices.Clone(r.Vec(maxKey)),
		parentHash:    slices.Clone(r.Vec(maxHash)),
		unmerged:      readU32s(r, MaxLeaves),
	}
	for i := 1; i < len(p.unmerged); i++ {
		if p.unmerged[i-1] >= p.unmerged[i] {
			r.Fail(reject("7.1", ReasonUnmerged))
		}
	}
	return p
}

// A node is a place of the tree, blank or not. It never changes once its tree
// is sealed, and trees share their nodes.
type node struct {
	leaf        *leafNode   // level 0; nil if blank
	parent      *parentNode // level 1 and up; nil if blank
	left, right *node       // level 1 and up; nil if all below is blank
	members     uint32      // leaves below that are not blank
	filled      uint32      // nodes here and below that are not blank
	hash        []byte      // tree hash; nil until sealed
	credentials *credentialUse
}

// blank stands for each node below one whose children are nil. It is never
// written to.
var blank = new(node)

// kids returns the children of a node of level 1 and up.
func (n *node) kids() (left, right *node) {
	if n.left == nil {
		return blank, blank
	}
	return n.left, n.right
}

// A tree is a ratchet tree of 2^d leaves. A change makes new nodes from the
// changed leaf up to the root and shares the rest (section 7.7 and the cost
// table of docs/spec/mls.md); [tree.edit] begins one and [tree.seal] ends it.
type tree struct {
	crypto *crypto
	root   *node
	leaves uint32 // a power of two
	keys   keySet // encryption keys of all nodes
	sigs   keySet // signature keys of all leaves
}

func newTree(c *crypto) *tree {
	return &tree{crypto: c, root: &node{}, leaves: 1}
}

// edit returns a tree to change; t stays as it is.
func (t *tree) edit() *tree {
	e := *t
	return &e
}

func (t *tree) rootIndex() nodeIndex { return rootOf(t.leaves) }

// at returns the node x, which must be in the tree.
func (t *tree) at(x nodeIndex) *node {
	n := t.root
	for y := t.rootIndex(); y != x; {
		left, right := n.kids()
		if x < y {
			n, y = left, y.left()
		} else {
			n, y = right, y.right()
		}
	}
	return n
}

// leaf returns the leaf node at index i, or nil if it is blank or outside.
func (t *tree) leaf(i uint32) *leafNode {
	if i >= t.leaves {
		return nil
	}
	return t.at(leafNodeIndex(i)).leaf
}

// each visits every node from left to right, children before their parent's
// right half: the order of the ratchet_tree extension.
func (t *tree) each(visit func(nodeIndex, *node) bool) {
	t.root.each(t.rootIndex(), visit)
}

func (n *node) each(x nodeIndex, visit func(nodeIndex, *node) bool) bool {
	if x.isLeaf() {
		return visit(x, n)
	}
	if n.left == nil {
		return n.eachBlank(x, visit)
	}
	return n.left.each(x.left(), visit) && visit(x, n) && n.right.each(x.right(), visit)
}

// eachBlank is each where only x itself may have something in it.
func (n *node) eachBlank(x nodeIndex, visit func(nodeIndex, *node) bool) bool {
	low, high := x.span()
	for y := leafNodeIndex(low); y <= leafNodeIndex(high-1); y++ {
		at := blank
		if y == x {
			at = n
		}
		if !visit(y, at) {
			return false
		}
	}
	return true
}

// change makes new nodes from leaf i to the root; visit sees each of them, the
// leaf first, and may set its leaf or parent.
func (t *tree) change(i uint32, visit func(nodeIndex, *node)) {
	t.root = t.root.change(t.rootIndex(), i, visit)
}

func (n *node) change(x nodeIndex, leaf uint32, visit func(nodeIndex, *node)) *node {
	c := &node{leaf: n.leaf, parent: n.parent, left: n.left, right: n.right}
	if !x.isLeaf() {
		if n.left == nil {
			n = &node{left: new(node), right: new(node)}
			c.left, c.right = n.left, n.right
		}
		if leafNodeIndex(leaf) < x {
			c.left = n.left.change(x.left(), leaf, visit)
		} else {
			c.right = n.right.change(x.right(), leaf, visit)
		}
	}
	visit(x, c)
	c.count()
	return c
}

func (n *node) count() {
	n.members, n.filled = 0, 0
	if n.left != nil {
		n.members = n.left.members + n.right.members
		n.filled = n.left.filled + n.right.filled
	}
	if n.leaf != nil {
		n.members++
		n.filled++
	}
	if n.parent != nil {
		n.filled++
	}
}

// putLeaf takes the place of leaf i for l; its keys must be new to the tree.
func (t *tree) putLeaf(i uint32, l *leafNode, visit func(nodeIndex, *node)) error {
	t.forgetKeys(t.leaf(i))
	if t.keys.has(l.encryptionKey) || t.sigs.has(l.signatureKey) {
		return reject("7.3", ReasonDuplicateKey)
	}
	t.keys, t.sigs = t.keys.with(l.encryptionKey), t.sigs.with(l.signatureKey)
	t.change(i, func(x nodeIndex, n *node) {
		if x.isLeaf() {
			n.leaf = l
		} else {
			visit(x, n)
		}
	})
	return nil
}

func (t *tree) forgetKeys(l *leafNode) {
	if l != nil {
		t.keys, t.sigs = t.keys.without(l.encryptionKey), t.sigs.without(l.signatureKey)
	}
}

func (t *tree) blank(_ nodeIndex, n *node) {
	if n.parent != nil {
		t.keys = t.keys.without(n.parent.encryptionKey)
		n.parent = nil
	}
}

// add puts l into the leftmost blank leaf and returns its index (section 12.1.1).
func (t *tree) add(l *leafNode) (uint32, error) {
	if t.root.members == t.leaves {
		if err := t.grow(); err != nil {
			return 0, err
		}
	}
	i := t.firstBlank()
	return i, t.putLeaf(i, l, func(_ nodeIndex, n *node) {
		if n.parent != nil {
			p := *n.parent
			at, _ := slices.BinarySearch(p.unmerged, i)
			p.unmerged = slices.Insert(slices.Clone(p.unmerged), at, i)
			n.parent = &p
		}
	})
}

// update replaces leaf i and blanks the nodes above it (section 12.1.2).
func (t *tree) update(i uint32, l *leafNode) error {
	return t.putLeaf(i, l, t.blank)
}

// remove blanks leaf i and the nodes above it, and cuts what has become empty
// at the right edge (section 12.1.3).
func (t *tree) remove(i uint32) {
	t.forgetKeys(t.leaf(i))
	t.change(i, func(x nodeIndex, n *node) {
		n.leaf = nil
		t.blank(x, n)
	})
	for t.leaves > 1 {
		left, right := t.root.kids()
		if right.members > 0 {
			return
		}
		t.root, t.leaves = left, t.leaves/2
	}
}

func (t *tree) grow() error {
	if t.leaves >= MaxLeaves {
		return reject("7.7", ReasonTooManyLeaves)
	}
	t.root = &node{left: t.root, right: new(node)}
	t.root.count()
	t.leaves *= 2
	return nil
}

// firstBlank is the leftmost blank leaf of a tree that has one.
func (t *tree) firstBlank() uint32 {
	n, x := t.root, t.rootIndex()
	for !x.isLeaf() {
		left, right := n.kids()
		if half := uint32(1) << (x.level() - 1); left.members < half {
			n, x = left, x.left()
		} else {
			n, x = right, x.right()
		}
	}
	return x.leaf()
}

// A keyAt is one element of a resolution.
type keyAt struct {
	node nodeIndex
	key  []byte
}

// resolution appends the resolution of n (section 4.1.1): the fewest nodes with
// keys that cover its members.
func (t *tree) resolution(x nodeIndex, n *node, out []keyAt) []keyAt {
	switch {
	case n.filled == 0:
		return out
	case n.leaf != nil:
		return append(out, keyAt{x, n.leaf.encryptionKey})
	case n.parent == nil:
		left, right := n.kids()
		out = t.resolution(x.left(), left, out)
		return t.resolution(x.right(), right, out)
	}
	out = append(out, keyAt{x, n.parent.encryptionKey})
	for _, u := range n.parent.unmerged {
		if l := t.leaf(u); l != nil {
			out = append(out, keyAt{leafNodeIndex(u), l.encryptionKey})
		}
	}
	return out
}

// A step is one node of a filtered direct path with its child off the path.
type step struct {
	node    nodeIndex
	copath  nodeIndex
	sibling *node
}

// filteredPath is the direct path of leaf i, from below, without the nodes
// whose child on the copath has an empty resolution (section 4.1.2).
func (t *tree) filteredPath(i uint32) []step {
	var path []step
	n, x := t.root, t.rootIndex()
	for !x.isLeaf() {
		s := step{node: x}
		left, right := n.kids()
		if leafNodeIndex(i) < x {
			s.copath, s.sibling = x.right(), right
			n, x = left, x.left()
		} else {
			s.copath, s.sibling = x.left(), left
			n, x = right, x.right()
		}
		if s.sibling.filled > 0 {
			path = append(path, s)
		}
	}
	slices.Reverse(path)
	return path
}
