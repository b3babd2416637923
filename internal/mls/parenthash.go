package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// parentHash is the parent hash of a node with the given key, whose own
// parent_hash is above (RFC 9420 section 7.9):
//
//	size field
//	V    encryption_key
//	V    parent_hash, empty at the root
//	V    original_sibling_tree_hash
func (c *crypto) parentHash(key, above, sibling []byte) []byte {
	return c.hash(encode(func(w *wire.Writer) {
		w.Vec(key)
		w.Vec(above)
		w.Vec(sibling)
	}))
}

// pathParents makes the parent nodes of a new path from the root down, and
// returns them with the parent hash that the leaf must carry. The path resets
// the unmerged leaves of its nodes, so the sibling's tree hash is its original one.
func (t *tree) pathParents(path []step, keys [][]byte) ([]*parentNode, []byte) {
	parents := make([]*parentNode, len(path))
	above := []byte{}
	for i, s := range slices.Backward(path) {
		parents[i] = &parentNode{encryptionKey: keys[i], parentHash: above}
		above = t.crypto.parentHash(keys[i], above, t.hashOf(s.copath, s.sibling))
	}
	return parents, above
}

// verifyParents checks that every parent node can be chained back to a leaf by
// parent hashes: exactly one node below each was set in the same path
// (section 7.9.2). The tree must be sealed.
func (t *tree) verifyParents() error {
	var err error
	t.each(func(x nodeIndex, n *node) bool {
		if n.parent == nil {
			return true
		}
		valid := 0
		left, right := n.kids()
		if t.linked(n.parent, x.left(), left, x.right(), right) {
			valid++
		}
		if t.linked(n.parent, x.right(), right, x.left(), left) {
			valid++
		}
		if valid != 1 {
			err = reject("7.9.2", ReasonParentHash)
		}
		return err == nil
	})
	return err
}

// linked reports whether there is a node D in the resolution of child whose
// parent hash is that of p with the copath child sibling. All else in that
// resolution must be unmerged leaves of p, which leaves one candidate for D.
func (t *tree) linked(p *parentNode, cx nodeIndex, child *node, sx nodeIndex, sibling *node) bool {
	unmerged := within(p.unmerged, cx)
	resolution := t.resolution(cx, child, nil)
	if len(resolution) != len(unmerged)+1 {
		return false
	}
	found := -1
	for i, k := range resolution {
		if k.node.isLeaf() {
			if _, listed := slices.BinarySearch(unmerged, k.node.leaf()); listed {
				continue
			}
		}
		if found >= 0 {
			return false
		}
		found = i
	}
	if found < 0 {
		return false
	}
	d := t.at(resolution[found].node)
	want := t.crypto.parentHash(p.encryptionKey, p.parentHash, t.originalHash(sx, sibling, p.unmerged))
	if d.leaf != nil {
		return d.leaf.source == sourceCommit && bytes.Equal(d.leaf.parentHash, want)
	}
	return bytes.Equal(d.parent.parentHash, want)
}
