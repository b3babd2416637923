package mls

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kith/internal/wire"
)

// busyTree is a tree with full nodes, blank nodes and unmerged leaves:
// leaf 2 is gone, leaves 4 and 5 were added without a path.
func busyTree(t *testing.T) (*tree, []byte) {
	t.Helper()
	g := testGroup(t, 4)
	step := func(by int, p CommitParams) {
		t.Helper()
		p.Signer = g[by].signer
		s, err := g[by].epoch.Commit(p)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range g {
			if i == by {
				m.epoch = s.Next
			} else if m.epoch != nil {
				m.epoch, _, err = m.epoch.Process(s.Commit)
				if err != nil && !errors.Is(err, ErrRemoved) {
					t.Fatal(err)
				}
			}
		}
	}
	step(1, CommitParams{})
	step(3, CommitParams{})
	x, y := newParty(t, "x"), newParty(t, "y")
	step(0, CommitParams{Add: []*KeyPackage{x.pack, y.pack}})
	z := newParty(t, "z")
	step(1, CommitParams{Add: []*KeyPackage{z.pack}, NoPath: true})
	step(0, CommitParams{Remove: []uint32{2}})
	w := newParty(t, "w")
	step(1, CommitParams{Add: []*KeyPackage{w.pack}, NoPath: true})
	e := g[0].epoch
	if err := e.pub.tree.validate(e.pub.groupID, nil); err != nil {
		t.Fatal(err)
	}
	unmerged, blank := 0, 0
	e.pub.tree.each(func(x nodeIndex, n *node) bool {
		switch {
		case n.parent != nil:
			unmerged += len(n.parent.unmerged)
		case !x.isLeaf():
			blank++
		}
		return true
	})
	if unmerged == 0 || blank == 0 {
		t.Fatalf("the tree has %d unmerged leaves and %d blank parents", unmerged, blank)
	}
	return e.pub.tree, e.pub.groupID
}

// mended is a tree with one node changed.
func mended(t *tree, at nodeIndex, mend func(*node)) *tree {
	out := t.edit()
	leaf, _ := at.span()
	out.change(leaf, func(x nodeIndex, n *node) {
		if x == at {
			if n.parent != nil {
				p := *n.parent
				n.parent = &p
			}
			mend(n)
		}
	})
	out.seal()
	return out
}

func refuseTrees(t *testing.T, r *refusals) {
	tree, group := busyTree(t)
	r.keep(func() []byte { return append(encode(tree.write), tree.hash()...) })
	full := tree.edit()
	full.leaves = MaxLeaves
	r.refused("a leaf more than there can be", full.grow(), ReasonTooManyLeaves)
	root := tree.rootIndex()
	if len(tree.root.parent.unmerged) == 0 {
		t.Fatal("no unmerged leaves at the root")
	}
	for _, c := range []struct {
		what string
		at   nodeIndex
		mend func(*node)
		want Reason
	}{
		{"unmerged leaf that is blank", root, func(n *node) { n.parent.unmerged = []uint32{7} }, ReasonUnmerged},
		{"unmerged leaf outside", root, func(n *node) { n.parent.unmerged = []uint32{8} }, ReasonUnmerged},
		{"unmerged leaf not on the lists between", root, func(n *node) { n.parent.unmerged = []uint32{1} }, ReasonUnmerged},
		{"unmerged leaf taken off", root, func(n *node) { n.parent.unmerged = nil }, ReasonParentHash},
		{"another parent hash", root.left(), func(n *node) { n.parent.parentHash = make([]byte, 32) }, ReasonParentHash},
		{"parent key replaced", root, func(n *node) { n.parent.encryptionKey = bytes.Repeat([]byte{9}, 32) }, ReasonParentHash},
		{"parent key of small order", root, func(n *node) { n.parent.encryptionKey = make([]byte, 32) }, ReasonKey},
		{"leaf blanked", leafNodeIndex(3), func(n *node) { n.leaf = nil }, ReasonParentHash},
	} {
		err := mended(tree, c.at, c.mend).validate(group, nil)
		r.refused(c.what, err, c.want)
	}
	r.refused("another group", tree.validate([]byte("h"), nil), ReasonSignature)
	r.refused("extension not supported", tree.validate(group, []Extension{{Type: 0xF123}}), ReasonCapability)
}

// TestOriginalHashThroughBlanks is the example of figure 21: F is unmerged at W
// and Y, and a blank node stands between Y and F.
func TestOriginalHashThroughBlanks(t *testing.T) {
	c := suites[1]
	full, without := newTree(c), newTree(c)
	for _, name := range "ABCDEFG" {
		l := newParty(t, string(name)).pack.leaf
		for _, tree := range []*tree{full, without} {
			if _, err := tree.add(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	without.change(5, func(x nodeIndex, n *node) {
		if x.isLeaf() {
			n.leaf = nil
		}
	})
	set := func(tree *tree, at nodeIndex, unmerged []uint32) {
		tree.change(5, func(x nodeIndex, n *node) {
			if x == at {
				n.parent = &parentNode{encryptionKey: []byte{byte(x)}, unmerged: unmerged}
			}
		})
	}
	y := rootOf(8).right()
	set(full, y, []uint32{5})
	set(without, y, nil)
	full.seal()
	without.seal()
	got := full.originalHash(y, full.root.right, []uint32{5})
	equal(t, "original hash", got, without.at(y).hash)
	if bytes.Equal(got, full.at(y).hash) {
		t.Error("the unmerged leaf made no difference")
	}
}

func refuseTreeEncodings(t *testing.T, r *refusals) {
	tree, _ := busyTree(t)
	good := encode(tree.write)
	r.keep(func() []byte { return append(encode(tree.write), tree.hash()...) })
	if _, err := parseTree(tree.crypto, good); err != nil {
		t.Fatal(err)
	}
	body := func(parts ...[]byte) []byte { return wire.Opaque(slices.Concat(parts...)) }
	leaf := encode(tree.at(0).write)
	inner := wire.NewReader(good)
	content := inner.Vec(MaxTree)
	for what, b := range map[string][]byte{
		"empty":               body(),
		"nothing but blank":   body([]byte{0}),
		"last node blank":     body(content, []byte{0}),
		"leaf twice":          body(leaf, []byte{0}, leaf),
		"leaf for a parent":   body(leaf, leaf),
		"parent for a leaf":   body([]byte{1, 2, 1, 'k', 0, 0}),
		"unknown node type":   body([]byte{1, 3}),
		"neither 0 nor 1":     body([]byte{2}),
		"unmerged descending": body(leaf, []byte{1, 2, 1, 'k', 0, 8, 0, 0, 0, 1, 0, 0, 0, 0}, []byte{0}),
		"unmerged twice":      body(leaf, []byte{1, 2, 1, 'k', 0, 8, 0, 0, 0, 1, 0, 0, 0, 1}, []byte{0}),
		"bytes left over":     append(bytes.Clone(good), 0),
		"length says 1 GiB":   {0xbf, 0xff, 0xff, 0xff},
	} {
		if _, err := parseTree(tree.crypto, b); err == nil {
			t.Errorf("%s: accepted", what)
		} else {
			r.refused(what, err, ReasonMalformed)
		}
	}
}

func TestShortMessagesCostLittle(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, head := range [][]byte{{0xbf, 0xff, 0xff, 0xff}, {0, 1, 0xbf, 0xff, 0xff, 0xff}, {0, 1, 0, 1, 0xbf, 0xff}} {
		ParseKeyPackage(head)
		ParseCommit(head)
		ParsePublicGroup(append([]byte{1}, head...))
		WelcomeRefs(head)
		parseTree(suites[1], head)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<16 {
		t.Errorf("a few bytes cost %d bytes of memory", n)
	}
}

func TestAddsFillTheLeftmostBlank(t *testing.T) {
	g := testGroup(t, 8)
	s, err := g[0].epoch.Commit(CommitParams{Remove: []uint32{2, 5}, Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := newParty(t, "x"), newParty(t, "y"), newParty(t, "z")
	s, err = s.Next.Commit(CommitParams{Add: []*KeyPackage{a.pack, b.pack, c.pack}, Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, l := range s.Changes.Added {
		got = append(got, l.Index)
	}
	if !slices.Equal(got, []uint32{2, 5, 8}) {
		t.Errorf("added at %v", got)
	}
	// Removing 4 to 8 leaves the right halves blank: the tree shrinks to four leaves.
	s, err = s.Next.Commit(CommitParams{Remove: []uint32{8, 4, 6, 5, 7}, Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Next.pub.tree.leaves; n != 4 {
		t.Errorf("%d leaves after removing the right half", n)
	}
	if err := s.Next.pub.tree.validate([]byte("g"), nil); err != nil {
		t.Error(err)
	}
}

func TestKeysOfSmallOrder(t *testing.T) {
	one := make([]byte, 32)
	one[0] = 8
	private, err := ecdh.X25519().NewPrivateKey(one)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range smallOrder {
		for _, top := range []byte{0, 0x80} {
			bad := k
			bad[31] |= top
			public, err := ecdh.X25519().NewPublicKey(bad[:])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := private.ECDH(public); err == nil {
				t.Errorf("key %d is not of small order", i)
			}
			if usableX25519(bad[:]) {
				t.Errorf("key %d is called usable", i)
			}
		}
	}
	if !usableX25519(private.PublicKey().Bytes()) || usableX25519(nil) {
		t.Error("usableX25519 is wrong about ordinary keys")
	}
}

func TestKeysOfOtherSuites(t *testing.T) {
	for s, c := range suites {
		_, good, err := c.keyPair(wire.Random(c.nh))
		if err != nil {
			t.Fatal(err)
		}
		if !c.usableKEM(good) || c.usableKEM(good[1:]) || c.usableKEM(nil) || c.usableKEM(append([]byte{0}, good...)) {
			t.Errorf("suite %d: usableKEM is wrong about ordinary keys", s)
		}
		bad := bytes.Clone(good)
		bad[1], bad[2] = 0xff, 0xff // X-Wing: two numbers over the modulus; a point off the curve
		if s == SuiteX25519AES128SHA256Ed25519 || s == SuiteX25519ChaChaSHA256Ed25519 {
			continue // every number is a point
		}
		_, refusal := c.kem.NewPublicKey(bad)
		if refusal == nil || c.usableKEM(bad) {
			t.Errorf("suite %d: bad key is usable: %v", s, refusal)
		}
		if s == SuiteXWingAES128SHA256Ed25519 {
			copy(bad, good)
			clear(bad[len(bad)-32:])
			if c.usableKEM(bad) {
				t.Error("X25519 half of small order is usable")
			}
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	g := testGroup(t, 2)
	e := g[0].epoch
	s, err := e.Commit(CommitParams{Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	r := e.Ratchets()
	_, u, err := e.ProposeUpdate(ProposalParams{Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := json.Marshal([]any{PSKs{External: map[string][]byte{"a": []byte("b")}}, r.Changes()[0]}); err != nil || string(out) != `["mls: secret","mls: secret"]` {
		t.Errorf("as JSON: %s, %v", out, err)
	}
	r = e.Ratchets()
	for _, v := range []any{
		*e, *r, *g[0].secret, *s, *u, u, e, r, g[0].secret, s, newSigner(t, 2), PSKs{External: map[string][]byte{"a": []byte("b")}}, r.Changes()[0],
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			if out := fmt.Sprintf(verb, v); out != "mls: secret" {
				t.Errorf("%T with %s prints %s", v, verb, out)
			}
		}
	}
	if out := fmt.Sprintf("%v %x", reject("1", ReasonKey), e); strings.Contains(out, hex.EncodeToString(e.secrets.init)) {
		t.Error("init secret printed")
	}
}

func TestErase(t *testing.T) {
	g := testGroup(t, 3)
	e := g[1].epoch
	r := e.Ratchets()
	kept := [][]byte{e.secrets.encryption, r.tree[rootOf(r.leaves)]}
	for _, s := range e.secrets.all() {
		kept = append(kept, *s)
	}
	for _, k := range e.private {
		kept = append(kept, k.private)
	}
	s, err := g[0].epoch.Commit(CommitParams{Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := e.Process(s.Commit)
	if err != nil {
		t.Fatal(err)
	}
	e.Erase()
	r.Erase()
	for i, b := range kept {
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("secret %d is still there", i)
		}
	}
	s2, err := s.Next.Commit(CommitParams{Signer: g[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := next.Process(s2.Commit); err != nil {
		t.Errorf("erasing an epoch hurt its child: %v", err)
	}
	g[1].secret.Erase()
	if !bytes.Equal(g[1].secret.init, make([]byte, 32)) || !bytes.Equal(g[1].secret.leaf, make([]byte, 32)) {
		t.Error("key package secrets are still there")
	}
}
