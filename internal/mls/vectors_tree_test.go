package mls

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/wire"
)

func TestVectorsTreeOperations(t *testing.T) {
	var n tally
	for i, v := range vectors[struct {
		Suite      uint16 `json:"cipher_suite"`
		Proposal   hexBytes
		Sender     uint32   `json:"proposal_sender"`
		Before     hexBytes `json:"tree_before"`
		After      hexBytes `json:"tree_after"`
		HashBefore hexBytes `json:"tree_hash_before"`
		HashAfter  hexBytes `json:"tree_hash_after"`
	}](t, &n, "tree-operations") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		before, err := parseTree(c, v.Before)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "hash before", before.hash(), v.HashBefore)
		r := wire.NewReader(v.Proposal)
		p := readProposal(r)
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
		after := before.edit()
		switch p.Type {
		case ProposalAdd:
			_, err = after.add(p.KeyPackage.leaf)
		case ProposalUpdate:
			err = after.update(v.Sender, p.leaf)
		case ProposalRemove:
			after.remove(p.Removed)
		}
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		after.seal()
		equal(t, "tree after", encode(after.write), v.After)
		equal(t, "hash after", after.hash(), v.HashAfter)
		equal(t, "old tree", encode(before.write), v.Before)
	}
	n.log(t)
}

func TestVectorsTreeValidation(t *testing.T) {
	var n tally
	for i, v := range vectors[struct {
		Suite       uint16 `json:"cipher_suite"`
		Tree        hexBytes
		GroupID     hexBytes   `json:"group_id"`
		Hashes      []hexBytes `json:"tree_hashes"`
		Resolutions [][]uint32
	}](t, &n, "tree-validation") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		tree, err := parseTree(c, v.Tree)
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		if len(v.Hashes) != int(2*tree.leaves-1) {
			t.Fatalf("case %d: %d nodes, want %d", i, 2*tree.leaves-1, len(v.Hashes))
		}
		tree.each(func(x nodeIndex, n *node) bool {
			equal(t, "tree hash", tree.hashOf(x, n), v.Hashes[x])
			var got []uint32
			for _, k := range tree.resolution(x, n, nil) {
				got = append(got, uint32(k.node))
			}
			if !slices.Equal(got, v.Resolutions[x]) {
				t.Errorf("case %d: resolution of %d is %v, want %v", i, x, got, v.Resolutions[x])
			}
			return true
		})
		if err := tree.validate(v.GroupID, nil); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
		equal(t, "tree", encode(tree.write), v.Tree)
	}
	n.log(t)
}

type vectorPath struct {
	Sender    uint32
	Path      hexBytes   `json:"update_path"`
	Secrets   []hexBytes `json:"path_secrets"`
	Commit    hexBytes   `json:"commit_secret"`
	HashAfter hexBytes   `json:"tree_hash_after"`
}

type vectorTreeKEM struct {
	Suite     uint16   `json:"cipher_suite"`
	GroupID   hexBytes `json:"group_id"`
	Epoch     uint64
	Confirmed hexBytes `json:"confirmed_transcript_hash"`
	Tree      hexBytes `json:"ratchet_tree"`
	Leaves    []struct {
		Index       uint32
		Priv        hexBytes `json:"encryption_priv"`
		Signature   hexBytes `json:"signature_priv"`
		PathSecrets []struct {
			Node   uint32
			Secret hexBytes `json:"path_secret"`
		} `json:"path_secrets"`
	} `json:"leaves_private"`
	Paths []vectorPath `json:"update_paths"`
}

func TestVectorsTreeKEM(t *testing.T) {
	var n tally
	for i, v := range vectors[vectorTreeKEM](t, &n, "treekem") {
		c := n.suiteOf(t, v.Suite)
		if c == nil {
			continue
		}
		tree, err := parseTree(c, v.Tree)
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		private := v.private(t, c, tree)
		for _, p := range v.Paths {
			r := wire.NewReader(p.Path)
			up := readUpdatePath(r)
			if err := r.Done(); err != nil {
				t.Fatal(err)
			}
			v.check(t, tree, private, up, p)
			own, commit := v.ownPath(t, c, tree, p.Sender)
			if !bytes.Equal(v.open(t, tree, private, own, p.Sender, nil), commit) {
				t.Error("own path: another commit secret")
			}
		}
	}
	n.log(t)
}

// private derives each leaf's private keys and compares them with the tree.
func (v *vectorTreeKEM) private(t *testing.T, c *crypto, tree *tree) map[uint32][]nodeKey {
	out := make(map[uint32][]nodeKey)
	for _, l := range v.Leaves {
		keys := []nodeKey{{leafNodeIndex(l.Index), c.padded(l.Priv)}}
		for _, s := range l.PathSecrets {
			private, _, err := c.keyPair(c.derive(s.Secret, "node"))
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, nodeKey{nodeIndex(s.Node), private})
		}
		for _, k := range keys {
			public, err := c.publicOf(k.private)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "public key", public, tree.at(k.node).publicKey())
		}
		out[l.Index] = keys
	}
	return out
}

func (v *vectorTreeKEM) check(t *testing.T, tree *tree, private map[uint32][]nodeKey, up *updatePath, p vectorPath) {
	if err := up.leaf.verify(tree.crypto, v.GroupID, p.Sender); err != nil {
		t.Error(err)
	}
	merged := tree.edit()
	if _, err := merged.mergePath(p.Sender, up); err != nil {
		t.Fatal(err)
	}
	merged.seal()
	equal(t, "tree hash after", merged.hash(), p.HashAfter)
	equal(t, "commit secret", v.open(t, tree, private, up, p.Sender, p.Secrets), p.Commit)
}

// open lets every other leaf decrypt a path; all must find the same commit
// secret, and the path secrets in want.
func (v *vectorTreeKEM) open(t *testing.T, tree *tree, private map[uint32][]nodeKey, up *updatePath, sender uint32, want []hexBytes) []byte {
	t.Helper()
	merged := tree.edit()
	path, err := merged.mergePath(sender, up)
	if err != nil {
		t.Fatal(err)
	}
	merged.seal()
	context := groupContext{tree.crypto.suite, v.GroupID, v.Epoch, merged.hash(), v.Confirmed, nil}
	var commit []byte
	for leaf, keys := range private {
		if leaf == sender {
			continue
		}
		kept := merged.keptKeys(tree, keys, nil)
		got, err := merged.decrypt(leaf, sender, kept, path, up, nil, context.bytes())
		if err != nil {
			t.Fatalf("leaf %d: %v", leaf, err)
		}
		if want != nil {
			equal(t, "path secret", got.secrets[0], want[leaf])
		}
		if commit != nil {
			equal(t, "commit secret", got.commit, commit)
		}
		commit = got.commit
	}
	return commit
}

// ownPath makes a path for a leaf of the vector.
func (v *vectorTreeKEM) ownPath(t *testing.T, c *crypto, tree *tree, sender uint32) (*updatePath, []byte) {
	var signer Signer
	for _, l := range v.Leaves {
		if l.Index == sender {
			signer = vectorSigner(t, c.suite, l.Signature)
		}
	}
	_, public, err := c.keyPair(wire.Random(c.nh))
	if err != nil {
		t.Fatal(err)
	}
	next := tree.edit()
	made, err := c.derivePath(next.filteredPath(sender), wire.Random(c.nh))
	if err != nil {
		t.Fatal(err)
	}
	parents, leafHash := next.pathParents(made.path, made.keys)
	leaf := next.leaf(sender).renewed(sourceCommit, public, leafHash, signer, v.GroupID, sender)
	if err := next.putPath(sender, leaf, made.path, parents); err != nil {
		t.Fatal(err)
	}
	next.seal()
	context := groupContext{c.suite, v.GroupID, v.Epoch, next.hash(), v.Confirmed, nil}
	up, err := next.encrypt(&made, leaf, nil, context.bytes())
	if err != nil {
		t.Fatal(err)
	}
	return up, made.commit
}
