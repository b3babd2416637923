package mls

// Commits and key packages that follow the form and break one rule each. They
// are signed by a real member, so they are made inside the package.

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/wire"
)

const testNow = 1_800_000_000

type party struct {
	signer Signer
	pack   *KeyPackage
	secret *KeyPackageSecrets
	epoch  *Epoch
}

func newParty(t testing.TB, name string, extensions ...uint16) *party {
	t.Helper()
	return newPartyOf(t, 1, name, extensions...)
}

func newPartyOf(t testing.TB, s Suite, name string, extensions ...uint16) *party {
	t.Helper()
	m := &party{signer: newSigner(t, s)}
	var err error
	m.pack, m.secret, err = NewKeyPackage(m.signer, KeyPackageParams{
		Suite: s, Identity: []byte(name), NotBefore: testNow - 10, NotAfter: testNow + 10, ExtensionTypes: extensions,
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// testGroup makes a group whose members stand at the leaves in their order.
func testGroup(t testing.TB, n int) []*party { return testGroupWith(t, n, nil) }

// testGroupWith makes one with extensions, whose members support the types given.
func testGroupWith(t testing.TB, n int, extensions []Extension, types ...uint16) []*party {
	t.Helper()
	all := make([]*party, n)
	for i := range all {
		all[i] = newParty(t, string(rune('a'+i)), types...)
	}
	e, err := CreateWith(1, []byte("g"), extensions, all[0].pack, all[0].secret)
	if err != nil {
		t.Fatal(err)
	}
	all[0].epoch = e
	if n == 1 {
		return all
	}
	var packs []*KeyPackage
	for _, m := range all[1:] {
		packs = append(packs, m.pack)
	}
	s, err := e.Commit(CommitParams{Add: packs, Signer: all[0].signer})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Welcome(all[0].signer, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	all[0].epoch = s.Next
	for _, m := range all[1:] {
		if m.epoch, _, err = Join(w, m.pack, m.secret, nil); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// forge signs a commit of m with the proposals and path given.
func (m *party) forge(path *updatePath, proposals ...*Proposal) *Commit {
	c := &commit{path: path}
	for _, p := range proposals {
		c.proposals = append(c.proposals, proposalOrRef{proposal: p})
	}
	return m.sign(c)
}

func (m *party) sign(c *commit) *Commit {
	e := m.epoch
	a := e.pub.authenticate(content{
		groupID: e.pub.groupID, epoch: e.pub.epoch, sender: sender{senderMember, e.own}, kind: contentCommit, commit: c,
	}, m.signer, false)
	a.tag = make([]byte, 32)
	return &Commit{a}
}

// path makes a path that fits an empty commit; mend may change the leaf before
// it is signed.
func (m *party) path(t *testing.T, mend func(*leafNode)) *updatePath {
	t.Helper()
	s, err := m.epoch.Commit(CommitParams{Signer: m.signer})
	if err != nil {
		t.Fatal(err)
	}
	p := s.Commit.a.content.commit.path
	out := &updatePath{leaf: p.leaf, nodes: slices.Clone(p.nodes)}
	if mend != nil {
		l := *p.leaf
		mend(&l)
		out.leaf = l.signedBy(m.signer, m.epoch.pub.groupID, m.epoch.own)
	}
	return out
}

func add(k *KeyPackage) *Proposal { return &Proposal{Type: ProposalAdd, KeyPackage: k} }
func remove(i uint32) *Proposal   { return &Proposal{Type: ProposalRemove, Removed: i} }
func extend(e ...Extension) *Proposal {
	return &Proposal{Type: ProposalGroupContextExtensions, Extensions: e}
}

func psk(nonce int, usage uint8) *Proposal {
	id := pskID{kind: pskExternal, id: []byte("k"), nonce: make([]byte, nonce)}
	if usage != 0 {
		id = pskID{kind: pskResumption, usage: usage, groupID: []byte("g"), nonce: make([]byte, nonce)}
	}
	return pskProposal(id)
}

func refuseProposalLists(t *testing.T, r *refusals) {
	g := testGroup(t, 4)
	r.watch(g...)
	m := g[1]
	update := m.path(t, func(l *leafNode) { l.source, l.parentHash = sourceUpdate, nil }).leaf
	twin := newParty(t, "twin")
	twin2 := &party{signer: twin.signer}
	var err error
	if twin2.pack, _, err = NewKeyPackage(twin.signer, KeyPackageParams{Suite: 1, Identity: []byte("twin2")}); err != nil {
		t.Fatal(err)
	}
	required := encode(func(w *wire.Writer) {
		writeU16s(w, []uint16{0xF123})
		writeU16s(w, nil)
		writeU16s(w, nil)
	})
	for _, c := range []struct {
		what      string
		path      bool
		proposals []*Proposal
		want      Reason
	}{
		{"empty commit without a path", false, nil, ReasonPathMissing},
		{"remove without a path", false, []*Proposal{remove(2)}, ReasonPathMissing},
		{"extensions without a path", false, []*Proposal{extend()}, ReasonPathMissing},
		{"own update", true, []*Proposal{{Type: ProposalUpdate, body: &body{leaf: update}}}, ReasonOwnUpdate},
		{"own remove", true, []*Proposal{remove(1)}, ReasonOwnRemove},
		{"one leaf removed twice", true, []*Proposal{remove(2), remove(2)}, ReasonSameLeaf},
		{"remove of a leaf outside", true, []*Proposal{remove(4)}, ReasonNoLeaf},
		{"remove of a leaf far outside", true, []*Proposal{remove(1<<32 - 1)}, ReasonNoLeaf},
		{"add of a member", false, []*Proposal{add(g[2].pack)}, ReasonDuplicateKey},
		{"two adds with one signature key", false, []*Proposal{add(twin.pack), add(twin2.pack)}, ReasonDuplicateKey},
		{"the same add twice", false, []*Proposal{add(twin.pack), add(twin.pack)}, ReasonDuplicateKey},
		{"reinit and an add", false, []*Proposal{{Type: ProposalReInit, body: &body{version: 1, suite: 1}}, add(twin.pack)}, ReasonReInit},
		{"reinit to an older version", false, []*Proposal{{Type: ProposalReInit, body: &body{suite: 1}}}, ReasonVersion},
		{"external init by a member", true, []*Proposal{{Type: ProposalExternalInit, body: &body{}}}, ReasonProposalType},
		{"two lists of extensions", true, []*Proposal{extend(), extend()}, ReasonDuplicate},
		{"extension nobody supports", true, []*Proposal{extend(Extension{Type: 0xF123})}, ReasonCapability},
		{"required capability nobody has", true, []*Proposal{extend(Extension{ExtensionRequiredCapabilities, required})}, ReasonCapability},
		{"required capabilities malformed", true, []*Proposal{extend(Extension{ExtensionRequiredCapabilities, []byte{1}})}, ReasonMalformed},
		{"psk with a short nonce", false, []*Proposal{psk(31, 0)}, ReasonPSK},
		{"psk for reinit", false, []*Proposal{psk(32, usageReInit)}, ReasonPSK},
		{"psk for branch", false, []*Proposal{psk(32, usageBranch)}, ReasonPSK},
		{"psk twice", false, []*Proposal{psk(32, 0), psk(32, 0)}, ReasonDuplicate},
	} {
		var p *updatePath
		if c.path {
			p = m.path(t, nil)
		}
		commit := m.forge(p, c.proposals...)
		_, _, err := g[0].epoch.pub.Apply(commit)
		refused(t, c.what, err, c.want)
		_, _, err = g[0].epoch.Process(commit)
		r.refused(c.what, err, c.want)
	}
	var many []*Proposal
	for i := range MaxPSKs + 1 {
		p := psk(32, 0)
		p.psk.id = []byte{byte(i)}
		many = append(many, p)
	}
	_, _, err = g[0].epoch.pub.Apply(m.forge(nil, many...))
	r.refused("too many psks", err, ReasonPSK)
	_, _, err = g[0].epoch.pub.Apply(m.sign(&commit{proposals: []proposalOrRef{{reference: make([]byte, 32)}}}))
	r.refused("unknown reference", err, ReasonReference)
}

func refuseExternalCommits(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	r.watch(g...)
	e, joiner := g[0].epoch, newParty(t, "joiner")
	info, err := e.GroupInfo(g[0].signer, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	s, err := JoinExternal(ExternalParams{GroupInfo: info, Signer: joiner.signer})
	if err != nil {
		t.Fatal(err)
	}
	good := s.Commit.a.content.commit
	init := good.proposals[0]
	value := func(p *Proposal) proposalOrRef { return proposalOrRef{proposal: p} }
	for _, c := range []struct {
		what      string
		proposals []proposalOrRef
		path      *updatePath
		want      Reason
	}{
		{"no external init", nil, good.path, ReasonProposalType},
		{"two external inits", []proposalOrRef{init, init}, good.path, ReasonProposalType},
		{"an add", []proposalOrRef{init, value(add(joiner.pack))}, good.path, ReasonProposalType},
		{"two removes", []proposalOrRef{init, value(remove(1)), value(remove(2))}, good.path, ReasonProposalType},
		{"extensions", []proposalOrRef{init, value(extend())}, good.path, ReasonProposalType},
		{"a reference", []proposalOrRef{init, {reference: make([]byte, 32)}}, good.path, ReasonReference},
		{"no path", []proposalOrRef{init}, nil, ReasonSender},
		{"kem output cut", []proposalOrRef{value(&Proposal{Type: ProposalExternalInit, body: &body{kemOutput: []byte{1}}})}, good.path, ReasonDecrypt},
		{"no kem output", []proposalOrRef{value(&Proposal{Type: ProposalExternalInit, body: &body{}})}, good.path, ReasonDecrypt},
		{"another kem output", []proposalOrRef{value(&Proposal{Type: ProposalExternalInit, body: &body{kemOutput: make([]byte, 32)}})}, good.path, ReasonDecrypt},
	} {
		a := e.pub.authenticate(content{
			groupID: e.pub.groupID, epoch: e.pub.epoch, sender: sender{kind: senderNewMemberCommit},
			kind: contentCommit, commit: &commit{proposals: c.proposals, path: c.path},
		}, joiner.signer, false)
		a.tag = s.Commit.a.tag
		_, _, err := g[1].epoch.Process(&Commit{a})
		r.refused(c.what, err, c.want)
	}
	if _, _, err := g[1].epoch.Process(s.Commit); err != nil {
		t.Error(err)
	}
	// Who comes back may not bring the key of the leaf that is replaced.
	back, err := JoinExternal(ExternalParams{GroupInfo: info, Signer: g[2].signer, Replaces: []uint32{2}})
	if err != nil {
		t.Fatal(err)
	}
	c := *back.Commit.a.content.commit
	l := *c.path.leaf
	l.encryptionKey = e.pub.tree.leaf(2).encryptionKey
	c.path = &updatePath{leaf: l.signedBy(g[2].signer, e.pub.groupID, 2), nodes: c.path.nodes}
	a := e.pub.authenticate(content{
		groupID: e.pub.groupID, epoch: e.pub.epoch, sender: sender{kind: senderNewMemberCommit}, kind: contentCommit, commit: &c,
	}, g[2].signer, false)
	a.tag = back.Commit.a.tag
	_, _, err = g[1].epoch.Process(&Commit{a})
	r.refused("key of the leaf that is replaced", err, ReasonSameKey)
	c.proposals = append(slices.Clone(c.proposals), c.proposals[1])
	again := e.pub.authenticate(content{
		groupID: e.pub.groupID, epoch: e.pub.epoch, sender: sender{kind: senderNewMemberCommit}, kind: contentCommit, commit: &c,
	}, g[2].signer, false)
	again.tag = a.tag
	_, _, err = g[1].epoch.Process(&Commit{again})
	r.refused("the same leaf replaced twice", err, ReasonSameLeaf)
}

func refusePaths(t *testing.T, r *refusals) {
	g := testGroup(t, 4)
	r.watch(g...)
	m, tree := g[1], g[1].epoch.pub.tree
	for _, c := range []struct {
		what string
		make func(*updatePath)
		leaf func(*leafNode)
		want Reason
	}{
		{"node missing", func(p *updatePath) { p.nodes = p.nodes[1:] }, nil, ReasonPathLength},
		{"path secret missing", func(p *updatePath) { p.nodes[1].secrets = p.nodes[1].secrets[1:] }, nil, ReasonPathLength},
		{"path secret too many", func(p *updatePath) {
			p.nodes[0].secrets = append(slices.Clone(p.nodes[0].secrets), p.nodes[0].secrets[0])
		}, nil, ReasonPathLength},
		{"key of another member", func(p *updatePath) { p.nodes[0].key = tree.leaf(3).encryptionKey }, nil, ReasonDuplicateKey},
		{"key of a parent", func(p *updatePath) { p.nodes[0].key = tree.root.parent.encryptionKey }, nil, ReasonDuplicateKey},
		{"one key twice", func(p *updatePath) { p.nodes[0].key = p.nodes[1].key }, nil, ReasonDuplicateKey},
		{"leaf key as path key", func(p *updatePath) { p.nodes[0].key = p.leaf.encryptionKey }, nil, ReasonDuplicateKey},
		{"key of small order", func(p *updatePath) { p.nodes[0].key = make([]byte, 32) }, nil, ReasonKey},
		{"short key", func(p *updatePath) { p.nodes[0].key = make([]byte, 31) }, nil, ReasonKey},
		{"other key than the leaf was made for", func(p *updatePath) { p.nodes[0].key = bytes.Repeat([]byte{9}, 32) }, nil, ReasonParentHash},
		{"leaf key unchanged", nil, func(l *leafNode) { l.encryptionKey = tree.leaf(1).encryptionKey }, ReasonSameKey},
		{"leaf key of another member", nil, func(l *leafNode) { l.encryptionKey = tree.leaf(2).encryptionKey }, ReasonDuplicateKey},
		{"leaf key of a parent", nil, func(l *leafNode) { l.encryptionKey = tree.root.parent.encryptionKey }, ReasonDuplicateKey},
		{"leaf key of small order", nil, func(l *leafNode) { l.encryptionKey = append([]byte{1}, make([]byte, 31)...) }, ReasonKey},
		{"wrong parent hash", nil, func(l *leafNode) { l.parentHash = make([]byte, 32) }, ReasonParentHash},
		{"leaf of source update", nil, func(l *leafNode) { l.source = sourceUpdate }, ReasonLeafSource},
		{"leaf of source key_package", nil, func(l *leafNode) { l.source = sourceKeyPackage }, ReasonLeafSource},
		{"suite not supported", nil, func(l *leafNode) { l.capabilities.suites = []uint16{2} }, ReasonCapability},
		{"version not supported", nil, func(l *leafNode) { l.capabilities.versions = nil }, ReasonCapability},
		{"own credential not supported", nil, func(l *leafNode) { l.capabilities.credentials = []uint16{2} }, ReasonCapability},
		{"extension not among the capabilities", nil, func(l *leafNode) { l.extensions = []Extension{{Type: 0xF123}} }, ReasonCapability},
		{"credential others do not support", nil, func(l *leafNode) {
			l.credential = credential{kind: credentialX509}
			l.capabilities.credentials = []uint16{1, 2}
		}, ReasonCredential},
		{"signature key not its own", nil, func(l *leafNode) { l.signatureKey = g[2].signer.PublicKey() }, ReasonSignature},
	} {
		p := m.path(t, c.leaf)
		if c.make != nil {
			c.make(p)
		}
		_, _, err := g[0].epoch.pub.Apply(m.forge(p))
		r.refused(c.what, err, c.want)
	}
	moved := g[2].path(t, nil) // signed for leaf 2
	_, _, err := g[0].epoch.pub.Apply(m.forge(moved))
	r.refused("leaf signed for another place", err, ReasonSignature)
}

func refuseCommits(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	r.watch(g...)
	s, err := g[1].epoch.Commit(CommitParams{Signer: g[1].signer})
	if err != nil {
		t.Fatal(err)
	}
	resign := func(change func(*content), private bool) *Commit {
		c := *s.Commit.a.content
		change(&c)
		a := g[1].epoch.pub.authenticate(c, g[1].signer, private)
		a.tag = s.Commit.a.tag
		return &Commit{a}
	}
	swapped := *resign(func(*content) {}, true).a
	swapped.format = FormatPublicMessage
	short := *s.Commit.a
	short.tag = short.tag[1:]
	wrong := *s.Commit.a
	wrong.tag = make([]byte, 32)
	for _, c := range []struct {
		what string
		c    *Commit
		want Reason
	}{
		{"another group", resign(func(c *content) { c.groupID = []byte("h") }, false), ReasonGroup},
		{"blank sender", resign(func(c *content) { c.sender.index = 3 }, false), ReasonNoLeaf},
		{"sender outside", resign(func(c *content) { c.sender.index = 1 << 31 }, false), ReasonNoLeaf},
		{"another member's name", resign(func(c *content) { c.sender.index = 2 }, false), ReasonSignature},
		{"external sender", resign(func(c *content) { c.sender.kind = senderExternal }, false), ReasonSender},
		{"signed for the other wire format", &Commit{&swapped}, ReasonSignature},
		{"tag of the wrong length", &Commit{&short}, ReasonConfirmation},
		{"wrong tag", &Commit{&wrong}, ReasonConfirmation},
	} {
		_, _, err := g[0].epoch.Process(c.c)
		r.refused(c.what, err, c.want)
	}
	_, _, err = g[0].epoch.Process(resign(func(c *content) { c.epoch++ }, false))
	r.refusedAs("next epoch", err, ErrWrongEpoch)
	_, _, err = g[1].epoch.Process(s.Commit)
	r.refused("own commit", err, ReasonSender)
	if _, _, err := g[0].epoch.Process(s.Commit); err != nil {
		t.Error(err)
	}
	b := s.Commit.Bytes()
	b[1] = 2 // PrivateMessage
	_, err = ParseCommit(b)
	r.refused("private commit", err, ReasonContent)
}
