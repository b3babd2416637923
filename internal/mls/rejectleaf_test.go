package mls

import (
	"testing"

	"kith/internal/wire"
)

// leafCases break one rule of section 7.3 each, in a leaf that is signed anew.
// other is another member of the group.
func leafCases(own, other *party) []struct {
	what string
	mend func(*leafNode)
	want Reason
} {
	tree := own.epoch.pub.tree
	return []struct {
		what string
		mend func(*leafNode)
		want Reason
	}{
		{"key unchanged", func(l *leafNode) { l.encryptionKey = tree.leaf(own.epoch.own).encryptionKey }, ReasonSameKey},
		{"key of another leaf", func(l *leafNode) { l.encryptionKey = tree.leaf(other.epoch.own).encryptionKey }, ReasonDuplicateKey},
		{"signature key of another leaf", func(l *leafNode) { l.signatureKey = other.signer.PublicKey() }, ReasonSignature},
		{"key of small order", func(l *leafNode) { l.encryptionKey = make([]byte, 32) }, ReasonKey},
		{"key too short", func(l *leafNode) { l.encryptionKey = l.encryptionKey[1:] }, ReasonKey},
		{"key too long", func(l *leafNode) { l.encryptionKey = append(l.encryptionKey[:32:32], 0) }, ReasonKey},
		{"no key", func(l *leafNode) { l.encryptionKey = nil }, ReasonKey},
		{"signature key too short", func(l *leafNode) { l.signatureKey = l.signatureKey[1:] }, ReasonSignature},
		{"no signature key", func(l *leafNode) { l.signatureKey = nil }, ReasonSignature},
		{"no version", func(l *leafNode) { l.capabilities.versions = nil }, ReasonCapability},
		{"only another version", func(l *leafNode) { l.capabilities.versions = []uint16{2} }, ReasonCapability},
		{"no suite", func(l *leafNode) { l.capabilities.suites = nil }, ReasonCapability},
		{"only another suite", func(l *leafNode) { l.capabilities.suites = []uint16{3} }, ReasonCapability},
		{"no credential type", func(l *leafNode) { l.capabilities.credentials = nil }, ReasonCapability},
		{"extension it does not support", func(l *leafNode) { l.extensions = []Extension{{Type: 0xF123}} }, ReasonCapability},
		{"lacks an extension of the group", func(l *leafNode) { l.capabilities.extensions = []uint16{0xF222} }, ReasonCapability},
		{"lacks a required proposal", func(l *leafNode) { l.capabilities.proposals = nil }, ReasonCapability},
		{"credential that others do not support", func(l *leafNode) {
			l.credential = credential{kind: credentialX509, chain: [][]byte{{1}}}
			l.capabilities.credentials = []uint16{1, 2}
		}, ReasonCredential},
	}
}

// refuseLeaves sends each broken leaf as an Update, and as a member that a
// newcomer finds in the tree. The group requires an extension and SelfRemove.
func refuseLeaves(t *testing.T, r *refusals) {
	g := testGroupWith(t, 4, []Extension{{Type: 0xF111}, RequiredCapabilities([]uint16{0xF222}, []ProposalType{ProposalSelfRemove}, nil)}, 0xF111, 0xF222)
	r.watch(g...)
	m := g[2]
	update := func(from *party, mend func(*leafNode), groupID []byte, at uint32) *Proposed {
		p, _, err := from.epoch.ProposeUpdate(ProposalParams{Signer: from.signer})
		if err != nil {
			t.Fatal(err)
		}
		l := *p.a.content.proposal.leaf
		mend(&l)
		leaf := l.signedBy(from.signer, groupID, at)
		out, err := from.epoch.propose(&Proposal{Type: ProposalUpdate, body: &body{leaf: leaf}}, ProposalParams{Signer: from.signer})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	commit := func(p *Proposed) error {
		_, _, err := g[0].epoch.ProcessWith(g[1].sign(&commit{
			proposals: []proposalOrRef{{reference: p.ref}}, path: g[1].path(t, nil),
		}), Inputs{Proposals: []*Proposed{p}})
		return err
	}
	group := []byte("g")
	for _, c := range leafCases(m, g[3]) {
		if c.want == ReasonCredential {
			continue // looked at when the whole tree is known; the path here does not fit it
		}
		r.refused("update: "+c.what, commit(update(m, c.mend, group, 2)), c.want)
	}
	r.refused("update: source key_package", commit(update(m, func(l *leafNode) { l.source = sourceKeyPackage }, group, 2)), ReasonLeafSource)
	r.refused("update: source commit", commit(update(m, func(l *leafNode) { l.source = sourceCommit }, group, 2)), ReasonLeafSource)
	same := func(*leafNode) {}
	r.refused("update: signed for another group", commit(update(m, same, []byte("h"), 2)), ReasonSignature)
	r.refused("update: signed for another leaf", commit(update(m, same, group, 3)), ReasonSignature)
	r.refused("update: by the committer", commit(update(g[1], same, group, 1)), ReasonOwnUpdate)
	refuseLeavesInTree(t, r, g)
}

func refuseLeavesInTree(t *testing.T, r *refusals, g []*party) {
	p := g[0].epoch.pub
	bare := newTree(p.crypto) // no parent hash depends on the leaf
	for _, m := range g {
		if _, err := bare.add(m.pack.leaf); err != nil {
			t.Fatal(err)
		}
	}
	bare.seal()
	if err := bare.validate(p.groupID, p.extensions); err != nil {
		t.Fatal(err)
	}
	for _, c := range leafCases(g[2], g[3]) {
		if c.want == ReasonSameKey || c.want == ReasonDuplicateKey || c.what == "signature key of another leaf" {
			continue // what a key had before a newcomer cannot know; the others do not parse
		}
		bad := mended(bare, leafNodeIndex(2), func(n *node) {
			l := *n.leaf
			c.mend(&l)
			n.leaf = l.signedBy(g[2].signer, p.groupID, 2)
		})
		r.refused("in a tree: "+c.what, bad.validate(p.groupID, p.extensions), c.want)
	}
	for what, mend := range map[string]func(*leafNode) *leafNode{
		"in a tree: signature damaged": func(l *leafNode) *leafNode {
			l.signature = append([]byte{l.signature[0] ^ 1}, l.signature[1:]...)
			return l
		},
		"in a tree: no signature":             func(l *leafNode) *leafNode { l.signature = nil; return l },
		"in a tree: signed by another member": func(l *leafNode) *leafNode { return l.signedBy(g[3].signer, p.groupID, 2) },
		"in a tree: signed for another leaf": func(l *leafNode) *leafNode {
			l.source = sourceUpdate
			return l.signedBy(g[2].signer, p.groupID, 1)
		},
		"in a tree: signed for another group": func(l *leafNode) *leafNode {
			l.source = sourceUpdate
			return l.signedBy(g[2].signer, []byte("h"), 2)
		},
	} {
		bad := mended(bare, leafNodeIndex(2), func(n *node) {
			l := *n.leaf
			n.leaf = mend(&l)
		})
		r.refused(what, bad.validate(p.groupID, p.extensions), ReasonSignature)
	}
	twice := encode(func(w *wire.Writer) {
		w.Group(func(w *wire.Writer) {
			bare.at(0).write(w)
			w.Bool(false)
			bare.at(0).write(w)
		})
	})
	_, err := parseTree(p.crypto, twice)
	r.refused("in a tree: one leaf twice", err, ReasonMalformed)
}
