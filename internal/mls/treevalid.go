package mls

import "slices"

// validate checks a tree that came from somebody else, as section 12.4.3.1 of
// RFC 9420 asks of a newcomer; the caller compares the tree hash. Lifetimes are
// not looked at: a leaf may have outlived its key package inside the group.
func (t *tree) validate(groupID []byte, groupExtensions []Extension) error {
	if err := t.verifyUnmerged(); err != nil {
		return err
	}
	if err := t.verifyParentKeys(); err != nil {
		return err
	}
	if err := t.verifyParents(); err != nil {
		return err
	}
	if err := t.verifyLeaves(groupExtensions); err != nil {
		return err
	}
	return t.verifySignatures(groupID)
}

// verifyUnmerged checks that each entry of each list is a leaf of the subtree
// that is not blank, and stands on the list of every node in between.
func (t *tree) verifyUnmerged() error {
	var err error
	t.each(func(x nodeIndex, n *node) bool {
		if n.parent == nil {
			return true
		}
		for _, u := range n.parent.unmerged {
			if !x.covers(u) || !n.listsBelow(x, u) {
				err = reject("12.4.3.1", ReasonUnmerged)
				return false
			}
		}
		return true
	})
	return err
}

// listsBelow reports whether leaf u below x exists and is on every list on the way.
func (n *node) listsBelow(x nodeIndex, u uint32) bool {
	for !x.isLeaf() {
		left, right := n.kids()
		if leafNodeIndex(u) < x {
			n, x = left, x.left()
		} else {
			n, x = right, x.right()
		}
		if n.parent != nil {
			if _, listed := slices.BinarySearch(n.parent.unmerged, u); !listed {
				return false
			}
		}
	}
	return n.leaf != nil
}

func (t *tree) verifyParentKeys() error {
	var err error
	t.each(func(_ nodeIndex, n *node) bool {
		if n.parent != nil && !t.crypto.usableKEM(n.parent.encryptionKey) {
			err = reject("7.1", ReasonKey)
		}
		return err == nil
	})
	return err
}

// verifyLeaves checks every leaf but for its signature.
func (t *tree) verifyLeaves(groupExtensions []Extension) error {
	var err error
	t.each(func(_ nodeIndex, n *node) bool {
		if n.leaf != nil {
			err = n.leaf.compatible(t.crypto, groupExtensions)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	return t.credentialsAgree()
}

func (t *tree) verifySignatures(groupID []byte) error {
	all := make([]signed, 0, t.root.members)
	t.each(func(x nodeIndex, n *node) bool {
		if n.leaf != nil {
			all = append(all, signed{
				key:       n.leaf.signatureKey,
				message:   labelled("LeafNodeTBS", n.leaf.tbs(groupID, x.leaf())),
				signature: n.leaf.signature,
			})
		}
		return true
	})
	if !t.crypto.verifyAll(all) {
		return reject("7.3", ReasonSignature)
	}
	return nil
}
