package group

import (
	"errors"

	"kith/internal/mls"
)

// errBound: a commit of a member, or a leaf, is larger than an honest one can be.
var errBound = errors.New("group: the commit is larger than its tree can need")

// bounded checks the sizes of rule V6 of a commit to a tree of so many leaves. A
// leaf stays in the tree, and every newcomer gets the commit.
func bounded(c *mls.Commit, leaves int) error {
	adds := c.ProposalsOf(mls.ProposalAdd)
	for _, p := range adds {
		if len(p.KeyPackage.Bytes()) > maxKeyPackage {
			return errBound
		}
	}
	if c.PathLeafSize() > maxLeaf || len(c.Bytes()) > commitRoom+leaves*commitLeaf+len(adds)*commitAdd {
		return errBound
	}
	return nil
}
