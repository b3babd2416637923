package mls

import (
	"testing"

	"kith/internal/wire"
)

// sparseGroup has n leaves of which only those that kept accepts are left, and no
// key above them: the worst state, in which a commit is sealed to everybody singly.
func sparseGroup(t testing.TB, s Suite, n uint32, kept func(uint32) bool) *fullGroup {
	t.Helper()
	c, err := s.crypto()
	check(t, err)
	g := &fullGroup{private: make(map[nodeIndex][]byte)}
	tree := newTree(c)
	var leaf leafNode
	for i := range n {
		signer := newSigner(t, s)
		if kept(i) {
			k, secret, err := NewKeyPackage(signer, KeyPackageParams{Suite: s, Identity: []byte{byte(i), byte(i >> 8)}, NotAfter: 1 << 40})
			check(t, err)
			leaf, g.private[leafNodeIndex(i)] = *k.leaf, secret.leaf
		} else { // nobody needs its keys
			leaf.encryptionKey, leaf.signatureKey = wire.Random(len(leaf.encryptionKey)), wire.Random(len(leaf.signatureKey))
		}
		g.signers = append(g.signers, signer)
		placed := leaf
		_, err := tree.add(&placed)
		check(t, err)
	}
	for i := range n {
		if !kept(i) {
			tree.remove(i)
		}
	}
	tree.seal()
	g.secrets = c.schedule(wire.Random(c.nh))
	confirmed := wire.Random(c.nh)
	g.pub = newPublic(tree, []byte("a group that many left"), 7, nil, confirmed, c.confirmationTag(g.secrets.confirmation, confirmed))
	return g
}

// TestScenario40CostCeiling: 10,000 leaves, six in ten of them blank. The dearest
// commit there is still fits into a block's body of 16 MiB, is followed by who is
// anywhere in the tree, and makes the next one by others cheaper. Bytes and seals are
// the same on every machine.
func TestScenario40CostCeiling(t *testing.T) {
	const n = 10_000
	for _, c := range []struct {
		suite         Suite
		commit, after int // bytes
	}{
		{1, 352 << 10, 96 << 10},
		{SuiteXWingAES128SHA256Ed25519, 5 << 20, 1 << 20},
	} {
		kept := func(i uint32) bool { return i%5 < 2 || i == n-1 }
		g := sparseGroup(t, c.suite, n, kept)
		first, err := g.member(0).Commit(CommitParams{Signer: g.signers[0]})
		check(t, err)
		if got := len(first.Commit.Bytes()); got > c.commit {
			t.Errorf("suite %#x: the commit has %d bytes", c.suite, got)
		}
		t.Logf("suite %#x: the commit has %d bytes, ceiling %d", c.suite, len(first.Commit.Bytes()), c.commit)
		var next *Epoch
		for _, i := range []uint32{1, 5001, n - 1} {
			next, _, err = g.member(i).Process(first.Commit)
			check(t, err)
			equal(t, "authenticator", next.EpochAuthenticator(), first.Next.EpochAuthenticator())
		}
		second, err := next.Commit(CommitParams{Signer: g.signers[n-1]})
		check(t, err)
		if got := len(second.Commit.Bytes()); got > c.after {
			t.Errorf("suite %#x: the next commit has %d bytes", c.suite, got)
		}
		t.Logf("suite %#x: the next has %d bytes, ceiling %d", c.suite, len(second.Commit.Bytes()), c.after)
	}
}
