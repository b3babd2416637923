package mls

import (
	"testing"

	"kith/internal/wire"
)

// A fullGroup is a group in which every member has committed once, so that no
// node of the tree is blank below a member: the costly case of a long life.
type fullGroup struct {
	pub     *PublicGroup
	secrets *schedule
	signers []Signer
	private map[nodeIndex][]byte // of every node
}

// newFullGroup makes one of n members. It commits for each in turn as far as
// the tree is concerned, and leaves out what only the others would need.
func newFullGroup(t testing.TB, s Suite, n int) *fullGroup {
	t.Helper()
	c, err := s.crypto()
	check(t, err)
	g := &fullGroup{private: make(map[nodeIndex][]byte)}
	tree := newTree(c)
	for i := range n {
		signer := newSigner(t, s)
		k, secret, err := NewKeyPackage(signer, KeyPackageParams{Suite: s, Identity: []byte{byte(i), byte(i >> 8)}, NotAfter: 1 << 40})
		check(t, err)
		_, err = tree.add(k.leaf)
		check(t, err)
		g.signers = append(g.signers, signer)
		g.private[leafNodeIndex(uint32(i))] = secret.leaf
	}
	tree.seal()
	group := []byte("a group of full members")
	for i := range uint32(n) {
		tree = g.commit(t, tree, group, i)
	}
	g.secrets = c.schedule(wire.Random(c.nh))
	confirmed := wire.Random(c.nh)
	g.pub = newPublic(tree, group, 7, nil, confirmed, c.confirmationTag(g.secrets.confirmation, confirmed))
	return g
}

// commit renews the path of leaf i.
func (g *fullGroup) commit(t testing.TB, old *tree, group []byte, i uint32) *tree {
	t.Helper()
	c := old.crypto
	next := old.edit()
	private, public, err := c.keyPair(wire.Random(c.nh))
	check(t, err)
	made, err := c.derivePath(next.filteredPath(i), wire.Random(c.nh))
	check(t, err)
	parents, leafHash := next.pathParents(made.path, made.keys)
	leaf := next.leaf(i).renewed(sourceCommit, public, leafHash, g.signers[i], group, i)
	check(t, next.putPath(i, leaf, made.path, parents))
	next.seal()
	g.private[leafNodeIndex(i)] = private
	for _, k := range made.private {
		g.private[k.node] = k.private
	}
	return next
}

// member is the epoch as the member at leaf i has it.
func (g *fullGroup) member(i uint32) *Epoch {
	s := *g.secrets
	e := &Epoch{pub: g.pub, own: i, secrets: &s}
	g.pub.tree.each(func(x nodeIndex, n *node) bool {
		if x.covers(i) && n.publicKey() != nil {
			e.private = append(e.private, nodeKey{x, g.private[x]})
		}
		return true
	})
	e.private = g.pub.tree.keptKeys(g.pub.tree, e.private, nil)
	return e
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFullGroup makes sure that the benchmarks measure something that is valid.
func TestFullGroup(t *testing.T) {
	g := newFullGroup(t, 1, 13)
	check(t, g.pub.tree.validate(g.pub.groupID, nil))
	for i := range uint32(13) {
		check(t, g.member(i).fits())
	}
	s, err := g.member(3).Commit(CommitParams{Signer: g.signers[3]})
	check(t, err)
	for _, i := range []uint32{0, 2, 7, 12} {
		next, _, err := g.member(i).Process(s.Commit)
		check(t, err)
		equal(t, "authenticator", next.EpochAuthenticator(), s.Next.EpochAuthenticator())
	}
}
