package mls

import "crypto/sha256"

// keySet is a persistent set of public keys: with and without return a new set
// that shares all but a few nodes with the old one. It answers whether a key is
// in the tree without looking at the whole tree (RFC 9420 section 7.3).
//
// It is a trie of 16 branches over SHA-256 of the key, so that nobody can
// choose keys that make it deep.
type keySet struct {
	root *keyNode
	own  bool // nobody else has this set yet: it may be changed in place
}

type keyNode struct {
	digest [32]byte // of the one key here, if kids is nil
	kids   *[16]*keyNode
}

func nibble(d *[32]byte, depth int) byte { return d[depth/2] >> (4 * (depth & 1)) & 15 }

func (s keySet) has(key []byte) bool {
	d := sha256.Sum256(key)
	n := s.root
	for depth := 0; n != nil; depth++ {
		if n.kids == nil {
			return n.digest == d
		}
		n = n.kids[nibble(&d, depth)]
	}
	return false
}

// with adds key; the set holds each key once, so the caller asks has before.
func (s keySet) with(key []byte) keySet {
	d := sha256.Sum256(key)
	return keySet{s.root.insert(&d, 0, s.own), s.own}
}

func (n *keyNode) insert(d *[32]byte, depth int, own bool) *keyNode {
	if n == nil {
		return &keyNode{digest: *d}
	}
	i := nibble(d, depth)
	if own && n.kids != nil {
		n.kids[i] = n.kids[i].insert(d, depth+1, own)
		return n
	}
	kids := new([16]*keyNode)
	if n.kids != nil {
		*kids = *n.kids
	} else {
		if n.digest == *d {
			return n
		}
		kids[nibble(&n.digest, depth)] = n
	}
	kids[i] = kids[i].insert(d, depth+1, own)
	return &keyNode{kids: kids}
}

// without takes key out.
func (s keySet) without(key []byte) keySet {
	d := sha256.Sum256(key)
	return keySet{s.root.remove(&d, 0), false}
}

func (n *keyNode) remove(d *[32]byte, depth int) *keyNode {
	if n == nil {
		return nil
	}
	if n.kids == nil {
		if n.digest == *d {
			return nil
		}
		return n
	}
	i := nibble(d, depth)
	kid := n.kids[i].remove(d, depth+1)
	if kid == n.kids[i] {
		return n
	}
	kids := *n.kids
	kids[i] = kid
	return &keyNode{kids: &kids}
}
