package mls

import (
	"encoding/binary"
	"hash"
)

// A hasher computes the tree hashes of one change (RFC 9420 section 7.8). It
// keeps its buffers, so that hashing allocates nothing but the hashes kept; the
// hash of a blank subtree keeps nothing at all. The inputs are those of
// leafHash and parentHashInput.
type hasher struct {
	h     hash.Hash
	size  int
	level [maxLevels][]byte // input of a node of each level
}

// maxLevels is the height of a tree of MaxLeaves leaves, and one.
const maxLevels = 17

func newHasher(c *crypto) *hasher { return &hasher{h: c.newHash(), size: c.nh} }

// of is the tree hash of n at x, which is kept in the node.
func (k *hasher) of(x nodeIndex, n *node) []byte {
	switch {
	case n.hash != nil:
		return n.hash
	case n == blank:
		return k.blank(x, nil)
	case x.isLeaf():
		b := k.leafHead(x, n.leaf != nil)
		k.h.Reset()
		k.h.Write(b)
		if n.leaf != nil {
			k.h.Write(n.leaf.raw)
		}
	default:
		k.parent(x, n)
	}
	n.hash = k.h.Sum(make([]byte, 0, k.size))
	return n.hash
}

func (k *hasher) leafHead(x nodeIndex, full bool) []byte {
	b := append(k.level[0][:0], nodeTypeLeaf)
	b = binary.BigEndian.AppendUint32(b, x.leaf())
	b = appendBool(b, full)
	k.level[0] = b
	return b
}

// parent leaves the input of a parent's hash in k.h.
func (k *hasher) parent(x nodeIndex, n *node) {
	at := x.level()
	b := append(k.level[at][:0], nodeTypeParent)
	b = appendBool(b, n.parent != nil)
	if p := n.parent; p != nil {
		b = append(appendVarint(b, len(p.encryptionKey)), p.encryptionKey...)
		b = append(appendVarint(b, len(p.parentHash)), p.parentHash...)
		b = appendVarint(b, 4*len(p.unmerged))
		for _, u := range p.unmerged {
			b = binary.BigEndian.AppendUint32(b, u)
		}
	}
	left, right := n.kids()
	b = k.child(b, x.left(), left)
	b = k.child(b, x.right(), right)
	k.level[at] = b
	k.h.Reset()
	k.h.Write(b)
}

// child appends the hash of a child as opaque<V>.
func (k *hasher) child(b []byte, x nodeIndex, n *node) []byte {
	b = appendVarint(b, k.size)
	if n == blank {
		return k.blank(x, b)
	}
	return append(b, k.of(x, n)...)
}

// blank appends the hash of a subtree that is blank all over.
func (k *hasher) blank(x nodeIndex, out []byte) []byte {
	if x.isLeaf() {
		b := k.leafHead(x, false)
		k.h.Reset()
		k.h.Write(b)
		return k.h.Sum(out)
	}
	at := x.level()
	b := append(k.level[at][:0], nodeTypeParent, 0)
	b = k.blank(x.left(), appendVarint(b, k.size))
	b = k.blank(x.right(), appendVarint(b, k.size))
	k.level[at] = b
	k.h.Reset()
	k.h.Write(b)
	return k.h.Sum(out)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendVarint is wire.Writer.Varint for a buffer that is used again; n is
// within the bounds of limits.go.
func appendVarint(b []byte, n int) []byte {
	switch {
	case n < 1<<6:
		return append(b, byte(n))
	case n < 1<<14:
		return binary.BigEndian.AppendUint16(b, uint16(n)|0x4000)
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|0x80000000)
}
