package mls

import "math/bits"

// Tree arithmetic of RFC 9420 appendix C. A tree has 2^d leaves; leaf i is
// node 2i, parents have odd numbers, and the numbers of nodes stay the same
// when the tree grows or shrinks at its right edge.

// A nodeIndex numbers a node of a ratchet tree or secret tree.
type nodeIndex uint32

func leafNodeIndex(leaf uint32) nodeIndex { return nodeIndex(2 * leaf) }

// level is 0 for a leaf and one more for each step up.
func (x nodeIndex) level() int { return bits.TrailingZeros32(^uint32(x)) }

func (x nodeIndex) isLeaf() bool { return x&1 == 0 }

// leaf is the leaf index of a node of level 0.
func (x nodeIndex) leaf() uint32 { return uint32(x) / 2 }

// left and right are the children of a parent.
func (x nodeIndex) left() nodeIndex  { return x ^ 1<<(x.level()-1) }
func (x nodeIndex) right() nodeIndex { return x ^ 3<<(x.level()-1) }

// parent is the node above x in a tree where x is not the root.
func (x nodeIndex) parent() nodeIndex {
	k := x.level()
	above := x >> (k + 1) & 1
	return (x | 1<<k) ^ above<<(k+1)
}

// sibling is the other child of x's parent.
func (x nodeIndex) sibling() nodeIndex {
	p := x.parent()
	if x < p {
		return p.right()
	}
	return p.left()
}

// rootOf is the root of a tree with leaves leaves, a power of two.
func rootOf(leaves uint32) nodeIndex { return nodeIndex(leaves - 1) }

// span is the half-open range of leaf indices below x.
func (x nodeIndex) span() (low, high uint32) {
	k := x.level()
	low = (uint32(x) + 1 - 1<<k) / 2
	return low, low + 1<<k
}

// covers reports whether leaf is x itself or below it.
func (x nodeIndex) covers(leaf uint32) bool {
	low, high := x.span()
	return low <= leaf && leaf < high
}

// commonAncestor is the lowest node above both of two different leaves.
func commonAncestor(a, b uint32) nodeIndex {
	k := bits.Len32(a ^ b)
	return nodeIndex(a>>k<<(k+1) | (1<<k - 1))
}

// within reports whether x is a node of a tree with leaves leaves.
func (x nodeIndex) within(leaves uint32) bool { return uint32(x) < 2*leaves-1 }
