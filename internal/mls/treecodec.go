package mls

import (
	"cmp"
	"slices"

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

// readNode reads node x, nil if it is blank. A key of another length than the
// suite's is refused at once, so that no tree has many small nodes.
func readNode(c *crypto, r *wire.Reader, x nodeIndex) *node {
	if !r.Bool() {
		return nil
	}
	n := new(node)
	switch kind := r.U8(); {
	case kind == nodeTypeLeaf && x.isLeaf():
		n.leaf = readLeaf(r)
		if n.leaf != nil && (len(n.leaf.encryptionKey) != c.public || len(n.leaf.signatureKey) != c.verifier) {
			r.Fail(reject("7.2", ReasonKey))
		}
	case kind == nodeTypeParent && !x.isLeaf():
		n.parent = readParent(r)
		if len(n.parent.encryptionKey) != c.public {
			r.Fail(reject("7.1", ReasonKey))
		}
	default:
		r.Fail(reject("12.4.3.3", ReasonTree))
	}
	return n
}

// placed is a node that is not blank, at its place.
type placed struct {
	at   nodeIndex
	node *node
}

// readTree reads a tree and seals it. It refuses what no tree can have: a last
// node that is blank, a key twice. [tree.validate] checks the rest. Blank nodes
// take no memory, however many a few bytes say there are.
func readTree(c *crypto, r *wire.Reader) *tree {
	var nodes []placed
	count := nodeIndex(0)
	r.Each(MaxTree, 2*MaxLeaves-1, func(r *wire.Reader) {
		if n := readNode(c, r, count); n != nil {
			nodes = append(nodes, placed{count, n})
		}
		count++
	})
	if r.Err() != nil {
		return nil
	}
	if len(nodes) == 0 || nodes[len(nodes)-1].at != count-1 {
		r.Fail(reject("12.4.3.3", ReasonTree))
		return nil
	}
	t := newTree(c)
	for 2*t.leaves-1 < uint32(count) {
		t.leaves *= 2
	}
	t.root = assemble(t.rootIndex(), nodes)
	if err := t.indexKeys(nodes); err != nil {
		r.Fail(err)
		return nil
	}
	t.seal()
	return t
}

// assemble links the nodes at x and below.
func assemble(x nodeIndex, nodes []placed) *node {
	i, found := slices.BinarySearchFunc(nodes, x, func(p placed, x nodeIndex) int { return cmp.Compare(p.at, x) })
	n := new(node)
	left, right := nodes[:i], nodes[i:]
	if found {
		n, right = nodes[i].node, nodes[i+1:]
	}
	if len(left)+len(right) > 0 {
		n.left, n.right = assemble(x.left(), left), assemble(x.right(), right)
	}
	n.count()
	return n
}

func (t *tree) indexKeys(nodes []placed) error {
	t.keys.own, t.sigs.own = true, true
	defer func() { t.keys.own, t.sigs.own = false, false }()
	for _, p := range nodes {
		if l := p.node.leaf; l != nil {
			if t.keys.has(l.encryptionKey) || t.sigs.has(l.signatureKey) {
				return reject("7.3", ReasonDuplicateKey)
			}
			t.keys, t.sigs = t.keys.with(l.encryptionKey), t.sigs.with(l.signatureKey)
			continue
		}
		key := p.node.parent.encryptionKey
		if t.keys.has(key) {
			return reject("12.4.3.1", ReasonDuplicateKey)
		}
		t.keys = t.keys.with(key)
	}
	return nil
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
