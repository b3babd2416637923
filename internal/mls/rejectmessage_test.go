package mls

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/wire"
)

func refuseKeyPackages(t *testing.T, r *refusals) {
	m := newParty(t, "ann")
	r.watch(m)
	if err := m.pack.Verify(testNow); err != nil {
		t.Fatal(err)
	}
	leaf := func(mend func(*leafNode)) func(*KeyPackage) {
		return func(k *KeyPackage) {
			l := *k.leaf
			mend(&l)
			k.leaf = l.signedBy(m.signer, []byte("g"), 0)
		}
	}
	for _, c := range []struct {
		what string
		mend func(*KeyPackage)
		want Reason
	}{
		{"another suite", func(k *KeyPackage) { k.suite = 4 }, ReasonSuite},
		{"init key equals leaf key", func(k *KeyPackage) { k.initKey = k.leaf.encryptionKey }, ReasonInitKey},
		{"init key of small order", func(k *KeyPackage) { k.initKey = make([]byte, 32) }, ReasonKey},
		{"leaf of source update", leaf(func(l *leafNode) { l.source = sourceUpdate }), ReasonLeafSource},
		{"leaf of source commit", leaf(func(l *leafNode) { l.source = sourceCommit }), ReasonLeafSource},
		{"leaf key of small order", leaf(func(l *leafNode) { l.encryptionKey = make([]byte, 32) }), ReasonKey},
		{"suite not among the capabilities", leaf(func(l *leafNode) { l.capabilities.suites = nil }), ReasonCapability},
		{"leaf extension not among the capabilities", leaf(func(l *leafNode) { l.extensions = []Extension{{Type: 9}} }), ReasonCapability},
		{"extension not among the capabilities", func(k *KeyPackage) { k.extensions = []Extension{{Type: 9}} }, ReasonCapability},
		{"not valid yet", leaf(func(l *leafNode) { l.notBefore = testNow + 1 }), ReasonLifetime},
		{"not valid any more", leaf(func(l *leafNode) { l.notAfter = testNow - 1 }), ReasonLifetime},
		{"never valid", leaf(func(l *leafNode) { l.notBefore, l.notAfter = testNow+1, testNow-1 }), ReasonLifetime},
	} {
		k := *m.pack
		c.mend(&k)
		parsed, err := ParseKeyPackage(k.signedBy(m.signer).raw)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		r.refused(c.what, parsed.Verify(testNow), c.want)
	}
	for i := range m.pack.raw {
		b := m.pack.Bytes()
		b[i] ^= 4
		if k, err := ParseKeyPackage(b); err == nil && k.Verify(testNow) == nil {
			t.Errorf("accepted with byte %d changed", i)
		}
	}
}

// TestUnknownCapabilities: unknown values in lists of capabilities are ignored.
func TestUnknownCapabilities(t *testing.T) {
	m := newParty(t, "ann", 0xF001, 0x2A2A)
	l := *m.pack.leaf
	l.capabilities.versions = append(l.capabilities.versions, 99)
	l.capabilities.proposals = []uint16{0x4444}
	l.capabilities.credentials = append(l.capabilities.credentials, 77)
	l.extensions = []Extension{{Type: 0xF001, Data: []byte("what")}, {Type: ExtensionApplicationID}}
	k := *m.pack
	k.leaf = l.signedBy(m.signer, nil, 0)
	if err := k.signedBy(m.signer).Verify(testNow); err != nil {
		t.Error(err)
	}
}

// TestExpiredLeafDoesNotBlockAJoin: lifetimes count when a package arrives, not
// in a tree.
func TestExpiredLeafDoesNotBlockAJoin(t *testing.T) {
	old := &party{signer: newSigner(t, 1)}
	var err error
	if old.pack, old.secret, err = NewKeyPackage(old.signer, KeyPackageParams{Suite: 1, NotAfter: 1}); err != nil {
		t.Fatal(err)
	}
	refused(t, "expired package", old.pack.Verify(testNow), ReasonLifetime)
	e, err := Create(1, []byte("g"), old.pack, old.secret)
	if err != nil {
		t.Fatal(err)
	}
	m := newParty(t, "new")
	s, err := e.Commit(CommitParams{Add: []*KeyPackage{m.pack}, Signer: old.signer, NoPath: true})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Welcome(old.signer, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Join(w, m.pack, m.secret, nil); err != nil {
		t.Error(err)
	}
}

// protect makes a private message of m by hand: mend may change sender data and
// plaintext before they are sealed.
func (m *party) protect(t *testing.T, mend func(*senderData, *[]byte)) []byte {
	t.Helper()
	e, c := m.epoch, m.epoch.pub.crypto
	a := e.pub.authenticate(content{
		groupID: e.pub.groupID, epoch: e.pub.epoch, sender: sender{senderMember, e.own},
		kind: contentApplication, application: []byte("hi"),
	}, m.signer, true)
	plain := encode(func(w *wire.Writer) {
		a.content.writeBody(w)
		a.writeAuth(w)
		w.Raw(make([]byte, 4))
	})
	d, err := e.Ratchets().draw(ratchetID{e.own, ratchetApplication}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	data := senderData{leaf: e.own}
	mend(&data, &plain)
	p := &privateMessage{groupID: e.pub.groupID, epoch: e.pub.epoch, kind: contentApplication}
	p.ciphertext = c.aeadSeal(d.key.key, data.guarded(d.key.nonce), p.contentAAD(), plain)
	key, nonce := c.senderDataKey(e.secrets.senderData, p.ciphertext)
	p.senderData = c.aeadSeal(key, nonce, p.senderAAD(), data.bytes())
	return encode(p.write)
}

func refuseMessages(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	e, keys := g[0].epoch, g[0].epoch.Ratchets()
	keys.Changes()
	r.watch(g...)
	for _, c := range []struct {
		what string
		mend func(*senderData, *[]byte)
		want Reason
	}{
		{"padding not zero", func(_ *senderData, p *[]byte) { (*p)[len(*p)-2] = 1 }, ReasonPadding},
		{"content cut off", func(_ *senderData, p *[]byte) { *p = (*p)[:5] }, ReasonMalformed},
		{"signature of something else", func(_ *senderData, p *[]byte) { (*p)[1] ^= 1 }, ReasonSignature},
		{"blank sender", func(d *senderData, _ *[]byte) { d.leaf = 3 }, ReasonNoLeaf},
		{"sender outside", func(d *senderData, _ *[]byte) { d.leaf = 1 << 30 }, ReasonNoLeaf},
		{"another sender", func(d *senderData, _ *[]byte) { d.leaf = 2 }, ReasonDecrypt},
		{"another generation", func(d *senderData, _ *[]byte) { d.generation = 1 }, ReasonDecrypt},
		{"generation at the end", func(d *senderData, _ *[]byte) { d.generation = 1<<32 - 1 }, ReasonGeneration},
	} {
		_, _, err := e.Decrypt(keys, g[1].protect(t, c.mend))
		r.refused(c.what, err, c.want)
		if n := len(keys.Changes()); n != 0 {
			t.Errorf("%s: %d records changed", c.what, n)
		}
	}
	worn := g[2].epoch.Ratchets()
	worn.sender[ratchetID{2, ratchetApplication}] = &ratchet{next: 1<<32 - 1, secret: make([]byte, 32)}
	_, err := g[2].epoch.Encrypt(worn, g[2].signer, nil, []byte("hi"), 0)
	r.refused("own ratchet at its end", err, ReasonExhausted)
	if text, _, err := e.Decrypt(keys, g[1].protect(t, func(*senderData, *[]byte) {})); err != nil || string(text) != "hi" {
		t.Errorf("%q, %v", text, err)
	}
}

func refuseHandshakes(t *testing.T, r *refusals) {
	g := testGroup(t, 3)
	r.watch(g...)
	p, err := g[1].epoch.ProposeRemove(2, ProposalParams{Signer: g[1].signer})
	if err != nil {
		t.Fatal(err)
	}
	good, err := g[1].epoch.Seal(nil, &Handshake{Proposed: p}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := g[0].epoch.Open(g[0].epoch.Ratchets(), bad); err == nil {
			t.Errorf("accepted with byte %d changed", i)
		}
	}
	tag := bytes.Clone(good)
	tag[len(tag)-1] ^= 1
	_, err = g[0].epoch.Open(nil, tag)
	r.refused("membership tag", err, ReasonMembership)
	if h, err := g[0].epoch.Open(nil, good); err != nil || !bytes.Equal(h.Proposed.Ref(), p.Ref()) {
		t.Errorf("%v", err)
	}
	_, err = g[0].epoch.Open(nil, FrameMessage(FormatKeyPackage, g[0].pack.Bytes()))
	r.refused("key package", err, ReasonContent)
	_, err = g[2].epoch.Seal(nil, &Handshake{Proposed: p}, 0)
	r.refused("sealing another's proposal", err, ReasonSender)
}

// TestProposalsByReference plays a commit over proposals of others, public and
// private, with an Update, and one without a path.
func TestProposalsByReference(t *testing.T) {
	for _, private := range []bool{false, true} {
		g := testGroup(t, 4)
		keys := make([]*Ratchets, len(g))
		for i, m := range g {
			keys[i] = m.epoch.Ratchets()
		}
		x := newParty(t, "x")
		update, secret, err := g[1].epoch.ProposeUpdate(ProposalParams{Signer: g[1].signer, Private: private})
		if err != nil {
			t.Fatal(err)
		}
		drop, err := g[1].epoch.ProposeRemove(3, ProposalParams{Signer: g[1].signer, Private: private})
		if err != nil {
			t.Fatal(err)
		}
		add, err := g[2].epoch.ProposeAdd(x.pack, ProposalParams{Signer: g[2].signer, Private: private})
		if err != nil {
			t.Fatal(err)
		}
		refs := []*Proposed{update, drop, add}
		s, err := g[0].epoch.Commit(CommitParams{Refs: refs, Signer: g[0].signer, Private: private})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit.ByValueOnly(); err == nil {
			t.Error("a commit by reference passes for one by value")
		}
		b, err := g[0].epoch.Seal(keys[0], &Handshake{Commit: s.Commit}, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range g[1:] {
			h, err := m.epoch.Open(keys[i+1], b)
			if err != nil {
				t.Fatal(err)
			}
			next, changes, err := m.epoch.ProcessWith(h.Commit, Inputs{Proposals: refs, Updates: []*UpdateSecret{secret}})
			if i == 2 {
				if !errors.Is(err, ErrRemoved) || len(changes.Updated) != 1 {
					t.Errorf("removed: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "authenticator", next.EpochAuthenticator(), s.Next.EpochAuthenticator())
		}
		_, _, err = g[1].epoch.ProcessWith(s.Commit, Inputs{Proposals: refs})
		refused(t, "own update without its key", err, ReasonNoUpdateSecret)
		_, _, err = g[1].epoch.ProcessWith(s.Commit, Inputs{Proposals: refs[:2], Updates: []*UpdateSecret{secret}})
		refused(t, "missing proposal", err, ReasonReference)
	}
}

// TestBytes compares encodings with bytes spelt out by hand.
func TestBytes(t *testing.T) {
	c := content{
		groupID: []byte("grp"), epoch: 0x0102, sender: sender{senderMember, 7}, authenticatedData: []byte{0xAA},
		kind: contentCommit, commit: &commit{proposals: []proposalOrRef{{proposal: remove(9)}, {reference: []byte{1, 2}}}},
	}
	a := authenticated{format: FormatPublicMessage, content: c.frozen(), signature: []byte{5, 6}, tag: []byte{7}}
	equal(t, "authenticated content", encode(a.write), []byte{
		0, 1, // wire format
		3, 'g', 'r', 'p', 0, 0, 0, 0, 0, 0, 1, 2, // group id, epoch
		1, 0, 0, 0, 7, // sender
		1, 0xAA, // authenticated data
		3,                   // commit
		11,                  // proposals
		1, 0, 3, 0, 0, 0, 9, // by value: remove leaf 9
		2, 2, 1, 2, // by reference
		0,       // no path
		2, 5, 6, // signature
		1, 7, // confirmation tag
	})
	p := privateMessage{groupID: []byte{9}, epoch: 3, kind: 1, authenticatedData: []byte{4}, senderData: []byte{5}, ciphertext: []byte{6, 7}}
	equal(t, "private message", FrameMessage(FormatPrivateMessage, encode(p.write)), []byte{
		0, 1, 0, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0, 3, 1, 1, 4, 1, 5, 2, 6, 7,
	})
	g := groupContext{1, []byte{8}, 2, []byte{3}, nil, []Extension{{Type: 0x0A0B, Data: []byte{1}}}}
	equal(t, "group context", g.bytes(), []byte{0, 1, 0, 1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 2, 1, 3, 0, 4, 0x0A, 0x0B, 1, 1})
	id := pskID{kind: pskResumption, usage: 1, groupID: []byte{2}, epoch: 3, nonce: []byte{4}}
	equal(t, "psk id", encode(id.write), []byte{2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 3, 1, 4})
	l := leafNode{
		encryptionKey: []byte{1}, signatureKey: []byte{2}, credential: credential{kind: 1, identity: []byte("me")},
		capabilities: capabilities{versions: []uint16{1}, suites: []uint16{1}, credentials: []uint16{1}},
		source:       sourceKeyPackage, notBefore: 1, notAfter: 2,
	}
	equal(t, "leaf node", encode(l.writeFields), []byte{
		1, 1, 1, 2, 0, 1, 2, 'm', 'e', // keys, basic credential
		2, 0, 1, 2, 0, 1, 0, 0, 2, 0, 1, // capabilities
		1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, // source, lifetime
		0, // extensions
	})
}
