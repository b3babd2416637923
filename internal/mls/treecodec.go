package mls

import (
	"kith/internal/wire"
)

// The ratchet_tree extension (RFC 9420 section 12.4.3.3) is one vector of
// nodes from left to right, without the blank ones after the last that is not:
//
//	size field
//	1    1 if a node follows, 0 if blank
//	1    node type: 1 leaf, 2 parent
//	     leaf node or parent node
func (t *tree) write(w *wire.Writer) {
	last := nodeIndex(0)
	t.each(func(x nodeIndex, n *node) bool {
		if n.leaf != nil || n.parent != nil {
			last = x
		}
		return true
	})
	w.Group(func(w *wire.Writer) {
		t.each(func(x nodeIndex, n *node) bool {
			n.write(w)
			return x < last
		})
	})
}

func (n *node) write(w *wire.Writer) {
	switch {
	case n.leaf != nil:
		w.Bool(true)
		w.U8(nodeTypeLeaf)
		n.leaf.write(w)
	case n.parent != nil:
		w.Bool(true)
		w.U8(nodeTypeParent)
		n.parent.write(w)
	default:
		w.Bool(false)
	}
}

func readNode(r *wire.Reader, x nodeIndex) *node {
	n := new(node)
	if !r.Bool() {
		return n
	}
	switch kind := r.U8(); {
	case kind == nodeTypeLeaf && x.isLeaf():
		n.leaf = readLeaf(r)
	case kind == nodeTypeParent && !x.isLeaf():
		n.parent = readParent(r)
	default:
		r.Fail(reject("12.4.3.3", ReasonTree))
	}
	return n
}

// readTree reads a tree and seals it. It refuses what no tree can have: a last
// node that is blank, a key twice. [tree.validate] checks the rest.
func readTree(c *crypto, r *wire.Reader) *tree {
	var nodes []*node
	r.Each(MaxTree, 2*MaxLeaves-1, func(r *wire.Reader) {
		nodes = append(nodes, readNode(r, nodeIndex(len(nodes))))
	})
	if r.Err() != nil {
		return nil
	}
	if len(nodes) == 0 || nodes[len(nodes)-1].leaf == nil && nodes[len(nodes)-1].parent == nil {
		r.Fail(reject("12.4.3.3", ReasonTree))
		return nil
	}
	t := newTree(c)
	for 2*t.leaves-1 < uint32(len(nodes)) {
		t.leaves *= 2
	}
	t.root = assemble(t.rootIndex(), nodes)
	if err := t.indexKeys(); err != nil {
		r.Fail(err)
		return nil
	}
	t.seal()
	return t
}

// assemble links the nodes below x; those past the end are blank.
func assemble(x nodeIndex, nodes []*node) *node {
	n := new(node)
	if int(x) < len(nodes) {
		n = nodes[x]
	}
	if !x.isLeaf() {
		n.left, n.right = assemble(x.left(), nodes), assemble(x.right(), nodes)
	}
	n.count()
	return n
}

func (t *tree) indexKeys() error {
	var err error
	t.each(func(_ nodeIndex, n *node) bool {
		switch {
		case n.leaf != nil:
			if t.keys.has(n.leaf.encryptionKey) || t.sigs.has(n.leaf.signatureKey) {
				err = reject("7.3", ReasonDuplicateKey)
			}
			t.keys, t.sigs = t.keys.with(n.leaf.encryptionKey), t.sigs.with(n.leaf.signatureKey)
		case n.parent != nil:
			if t.keys.has(n.parent.encryptionKey) {
				err = reject("12.4.3.1", ReasonDuplicateKey)
			}
			t.keys = t.keys.with(n.parent.encryptionKey)
		}
		return err == nil
	})
	return err
}

// parseTree reads the content of a ratchet_tree extension.
func parseTree(c *crypto, b []byte) (*tree, error) {
	r := wire.NewReader(b)
	t := readTree(c, r)
	if err := r.Done(); err != nil {
		return nil, malformed("12.4.3.3", err)
	}
	return t, nil
}
