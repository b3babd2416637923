package mls

import (
	"bytes"
	"strings"
	"testing"

	"kith/internal/wire"
)

// Each decoder answers: what parses encodes to the same bytes, and nothing
// panics. The last two go past the signatures, which fuzzing cannot forge.

// fuzzRoundTrip fuzzes one of the structures of the vectors.
func fuzzRoundTrip(f *testing.F, name string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		write := structures[name](r)
		if r.Done() == nil && !bytes.Equal(encode(write), b) {
			t.Errorf("%x parses and encodes to %x", b, encode(write))
		}
	})
}

// fuzzGroup is a group and a commit in it that removes, adds and renews.
func fuzzGroup(f testing.TB) ([]*party, *StagedCommit) {
	g := testGroup(f, 4)
	s, err := g[1].epoch.Commit(CommitParams{
		Add: []*KeyPackage{newParty(f, "x").pack}, Remove: []uint32{2}, Signer: g[1].signer,
	})
	if err != nil {
		f.Fatal(err)
	}
	return g, s
}

func FuzzKeyPackage(f *testing.F) {
	fuzzRoundTrip(f, "mls_key_package", FrameMessage(FormatKeyPackage, newParty(f, "a").pack.Bytes()))
}

func FuzzTree(f *testing.F) {
	g, _ := fuzzGroup(f)
	fuzzRoundTrip(f, "ratchet_tree", g[0].epoch.pub.RatchetTree())
}

func FuzzWelcome(f *testing.F) {
	g, s := fuzzGroup(f)
	w, err := s.Welcome(g[1].signer, nil, false)
	if err != nil {
		f.Fatal(err)
	}
	fuzzRoundTrip(f, "mls_welcome", FrameMessage(FormatWelcome, w))
}

func FuzzGroupInfo(f *testing.F) {
	g, s := fuzzGroup(f)
	b, err := s.Next.GroupInfo(g[1].signer, []Extension{{Type: 0xF001}}, false)
	if err != nil {
		f.Fatal(err)
	}
	fuzzRoundTrip(f, "mls_group_info", FrameMessage(FormatGroupInfo, b))
}

func FuzzGroupSecrets(f *testing.F) {
	s := groupSecrets{joiner: make([]byte, 32), pathSecret: make([]byte, 32), psks: []pskID{psk(32, 0).psk, psk(32, 1).psk}}
	fuzzRoundTrip(f, "group_secrets", encode(s.write))
}

func FuzzPublicMessage(f *testing.F) {
	g, s := fuzzGroup(f)
	b, err := g[1].epoch.Seal(nil, &Handshake{Commit: s.Commit}, 0)
	if err != nil {
		f.Fatal(err)
	}
	fuzzRoundTrip(f, "public_message_commit", b)
}

func FuzzPrivateMessage(f *testing.F) {
	g := testGroup(f, 2)
	b, err := g[0].epoch.Encrypt(g[0].epoch.Ratchets(), g[0].signer, []byte("aad"), []byte("text"), 3)
	if err != nil {
		f.Fatal(err)
	}
	fuzzRoundTrip(f, "private_message", FrameMessage(FormatPrivateMessage, b))
}

func FuzzCommit(f *testing.F) {
	_, s := fuzzGroup(f)
	f.Add(s.Commit.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCommit(b)
		if err != nil {
			return
		}
		c.a.content = c.a.content.frozen()
		if !bytes.Equal(c.Bytes(), b) {
			t.Errorf("%x parses and encodes to %x", b, c.Bytes())
		}
	})
}

func FuzzProposal(f *testing.F) {
	g := testGroup(f, 2)
	update, _, err := g[0].epoch.ProposeUpdate(ProposalParams{Signer: g[0].signer})
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range []*Proposal{
		add(g[0].pack), remove(1), update.a.content.proposal, psk(32, 0), psk(32, usageBranch), ReInit([]byte("h"), 1, nil),
		extend(Extension{Type: 9, Data: []byte{1}}),
		{Type: ProposalExternalInit, body: &body{kemOutput: []byte{1}}},
		{Type: ProposalSelfRemove},
		{Type: 0xF000, body: &body{data: []byte("x")}},
	} {
		f.Add(encode(p.write))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		p := readProposal(r)
		if r.Done() == nil && !bytes.Equal(encode(p.write), b) {
			t.Errorf("%x parses and encodes to %x", b, encode(p.write))
		}
	})
}

func FuzzExtensions(f *testing.F) {
	f.Add(byte(0), ExternalSenders(ExternalSender{SignatureKey: []byte{1}, Identity: []byte("x")}).Data)
	f.Add(byte(1), RequiredCapabilities([]uint16{9}, []ProposalType{10}, []uint16{1}).Data)
	f.Add(byte(2), encode(func(w *wire.Writer) { writeExtensions(w, []Extension{{Type: 1, Data: []byte{2}}}) }))
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		switch which % 3 {
		case 0:
			if keys, err := parseExternalSenders(b); err == nil && len(keys) > MaxExternalSenders {
				t.Errorf("%d senders", len(keys))
			}
		case 1:
			c, err := parseRequired(b)
			if err != nil {
				return
			}
			var types []ProposalType
			for _, p := range c.proposals {
				types = append(types, ProposalType(p))
			}
			if got := RequiredCapabilities(c.extensions, types, c.credentials).Data; !bytes.Equal(got, b) {
				t.Errorf("%x parses and encodes to %x", b, got)
			}
		case 2:
			r := wire.NewReader(b)
			list := readExtensions(r)
			if r.Done() == nil && !bytes.Equal(encode(func(w *wire.Writer) { writeExtensions(w, list) }), b) {
				t.Errorf("%x encodes differently", b)
			}
		}
	})
}

// FuzzMemory: no input takes more than its bound, whichever decoder reads it.
func FuzzMemory(f *testing.F) {
	g, s := fuzzGroup(f)
	f.Add(g[0].epoch.pub.RatchetTree())
	f.Add(s.Commit.Bytes())
	all := decoders(suites[1])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > inputSize {
			return
		}
		// Together first: asking for the memory stops all that runs, and the
		// fuzzer comes to few inputs when that is done for each decoder.
		if allocated(func() {
			for _, decode := range all {
				decode(b)
			}
		}) <= memoryBound {
			return
		}
		for name, decode := range all {
			if n := allocated(func() { decode(b) }); n > memoryBound {
				t.Errorf("%s takes %d bytes for %d", name, n, len(b))
			}
		}
	})
}

// FuzzExternalCommit: what parses encodes the same, and no member follows it.
func FuzzExternalCommit(f *testing.F) {
	g := testGroup(f, 3)
	info, err := g[0].epoch.GroupInfo(g[0].signer, nil, true)
	if err != nil {
		f.Fatal(err)
	}
	s, err := JoinExternal(ExternalParams{GroupInfo: info, Signer: newSigner(f, 1)})
	if err != nil {
		f.Fatal(err)
	}
	good := s.Commit.Bytes()
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseExternalCommit(b)
		if err != nil || bytes.Equal(b, good) {
			return
		}
		c.a.content = c.a.content.frozen()
		if !bytes.Equal(c.Bytes(), b) {
			t.Errorf("%x parses and encodes to %x", b, c.Bytes())
		}
		if _, _, err := g[1].epoch.Process(c); err == nil {
			t.Errorf("followed %x", b)
		}
	})
}

// FuzzHistory plays random valid histories and changes one byte of what was
// sent: it is refused, and the good message is still good.
func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5}, uint16(77), byte(1))
	f.Fuzz(func(t *testing.T, steps []byte, at uint16, flip byte) {
		if flip == 0 || len(steps) > 12 {
			return
		}
		g := testGroup(t, 3)
		for _, step := range steps {
			by := g[int(step)%3]
			p := CommitParams{Signer: by.signer, Private: step&4 != 0}
			if step&8 != 0 {
				p.Add = []*KeyPackage{newParty(t, "x").pack}
			}
			s, err := by.epoch.Commit(p)
			if err != nil {
				t.Fatal(err)
			}
			m, err := by.epoch.Seal(by.epoch.Ratchets(), &Handshake{Commit: s.Commit}, int(step))
			if err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(m)
			bad[int(at)%len(m)] ^= flip
			for _, o := range g {
				if o == by {
					continue
				}
				before, keys := o.epoch.Marshal(), o.epoch.Ratchets()
				if h, err := o.epoch.Open(keys, bad); err == nil && h.Commit != nil {
					if _, _, err := o.epoch.Process(h.Commit); err == nil {
						t.Fatalf("followed a commit with byte %d changed", int(at)%len(m))
					}
				}
				if !bytes.Equal(before, o.epoch.Marshal()) {
					t.Fatal("a refused commit left a trace")
				}
				h, err := o.epoch.Open(keys, m)
				if err != nil {
					t.Fatal(err)
				}
				if o.epoch, _, err = o.epoch.Process(h.Commit); err != nil {
					t.Fatal(err)
				}
			}
			by.epoch = s.Next
		}
	})
}

func FuzzStored(f *testing.F) {
	g := testGroup(f, 4)
	f.Add(byte(0), g[0].epoch.pub.Marshal())
	closed, err := g[0].epoch.Commit(CommitParams{Signer: g[0].signer, Proposals: []*Proposal{ReInit([]byte("h"), 3, nil)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(0), closed.Next.pub.Marshal())
	f.Add(byte(1), g[0].epoch.Marshal())
	f.Add(byte(2), g[0].secret.Marshal())
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		var got interface{ Marshal() []byte }
		var err error
		switch which % 3 {
		case 0:
			got, err = ParsePublicGroup(b)
		case 1:
			got, err = ParseEpoch(b, g[0].epoch.pub)
		case 2:
			got, err = ParseKeyPackageSecrets(b)
		}
		if err == nil && !bytes.Equal(got.Marshal(), b) {
			t.Errorf("%x parses and encodes to %x", b, got.Marshal())
		}
	})
}

func FuzzRatchetRecords(f *testing.F) {
	g := testGroup(f, 4)
	e, r := g[0].epoch, g[0].epoch.Ratchets()
	if _, err := e.Encrypt(r, g[0].signer, nil, nil, 0); err != nil {
		f.Fatal(err)
	}
	for _, c := range r.Changes() {
		f.Add(c.Key, c.Value)
	}
	other := ratchetID{1, ratchetApplication}
	for _, ahead := range []uint32{0, 300} { // what is passed over, and passed by a leap
		d, err := r.draw(other, r.next(other)+5, ahead)
		if err != nil {
			f.Fatal(err)
		}
		r.spend(d)
	}
	for _, c := range r.Changes() {
		f.Add(c.Key, c.Value)
	}
	of := Change{Key: senderRecord(other), Value: r.record(senderRecord(other))}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		records := []Change{{Key: headerRecord(), Value: newRatchets(suites[1], 4).record(headerRecord())}, {Key: key, Value: value}}
		if !bytes.Equal(key, of.Key) {
			records = append(records, of)
		}
		r, err := LoadRatchets(1, records)
		if err != nil || len(key) == 0 {
			return
		}
		if strings.ContainsRune("trsp", rune(key[0])) && !bytes.Equal(r.record(key), value) {
			t.Errorf("%x: %x is read, and written as %x", key, value, r.record(key))
		}
		if id := (ratchetID{0, ratchetApplication}); r.next(id) < 1<<32-1 {
			if d, err := r.draw(id, r.next(id), 0); err == nil {
				r.spend(d)
			}
		}
		r.Changes()
	})
}

// FuzzCommitBody signs whatever parses as a commit. Nothing may be accepted:
// the confirmation tag is never right.
func FuzzCommitBody(f *testing.F) {
	g, s := fuzzGroup(f)
	f.Add(encode(s.Commit.a.content.commit.write))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		c := readCommit(r)
		if r.Done() != nil {
			return
		}
		forged := g[1].sign(c)
		for _, m := range g {
			if next, _, err := m.epoch.Process(forged); err == nil || next != nil {
				t.Errorf("member %d accepted %x", m.epoch.own, b)
			}
		}
		pub, _, err := g[0].epoch.pub.Apply(forged)
		if err != nil {
			return
		}
		if err := pub.tree.validate(pub.groupID, pub.extensions); err != nil {
			t.Errorf("%x leads to an invalid tree: %v", b, err)
		}
	})
}

// FuzzPlaintext seals any plaintext as a member.
func FuzzPlaintext(f *testing.F) {
	g := testGroup(f, 2)
	e := g[0].epoch
	f.Add([]byte{1, 'x', 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &privateMessage{groupID: e.pub.groupID, epoch: e.pub.epoch, kind: contentApplication}
		a, err := p.parsePlain(b, 1)
		if err != nil {
			return
		}
		if err := e.pub.verifySender(a); err == nil {
			t.Errorf("%x verifies", b)
		}
	})
}
