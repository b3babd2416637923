package mls_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/mls"
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// round sends a commit of d to others as a handshake message and lets them
// process it with in. Those it removes are left where they are.
func (d *device) round(others []*device, in mls.Inputs, p mls.CommitParams) *mls.StagedCommit {
	d.t.Helper()
	p.PSKs = in.PSKs
	p.Refs = in.Proposals
	s := d.commit(p)
	b := must[[]byte](d.t)(d.epoch.Seal(d.keys, &mls.Handshake{Commit: s.Commit}, 3))
	for _, o := range others {
		if o == d {
			continue
		}
		h, err := o.epoch.Open(o.keys, b)
		if err != nil {
			d.t.Fatalf("%s: open: %v", o.name, err)
		}
		next, _, err := o.epoch.ProcessWith(h.Commit, in)
		if errors.Is(err, mls.ErrRemoved) {
			continue
		}
		if err != nil {
			d.t.Fatalf("%s: process: %v", o.name, err)
		}
		o.enter(next)
	}
	d.enter(s.Next)
	return s
}

// tell sends a proposal and returns it as the others open it.
func (d *device) tell(p *mls.Proposed, others []*device) *mls.Proposed {
	d.t.Helper()
	b := must[[]byte](d.t)(d.epoch.Seal(d.keys, &mls.Handshake{Proposed: p}, 0))
	for _, o := range others {
		if o == d {
			continue
		}
		h := must[*mls.Handshake](d.t)(o.epoch.Open(o.keys, b))
		if !bytes.Equal(h.Proposed.Ref(), p.Ref()) {
			d.t.Error("another reference")
		}
		p = h.Proposed
	}
	return p
}

// TestPreSharedKeys commits external and resumption keys by value and by
// reference, in the clear and private, and lets somebody join with them.
func TestPreSharedKeys(t *testing.T) {
	for _, private := range []bool{false, true} {
		g := group(t, 4)
		past := g[0].epoch
		old := make([]*mls.Epoch, len(g))
		for i, d := range g {
			old[i] = d.epoch
		}
		g[1].round(g, mls.Inputs{}, mls.CommitParams{Private: private})
		external := must[*mls.Proposal](t)(mls.ExternalPSK(suite, []byte("door")))
		if string(external.ExternalPSKID()) != "door" {
			t.Error("id of the key")
		}
		resumption := must[*mls.Proposal](t)(mls.ResumptionPSK(suite, past.Public()))
		told := g[2].tell(must[*mls.Proposed](t)(g[2].epoch.Propose(external, mls.ProposalParams{Signer: g[2].key, Private: private})), g)
		psks := mls.PSKs{External: map[string][]byte{"door": []byte("knock knock")}, Epochs: old}
		in := mls.Inputs{Proposals: []*mls.Proposed{told}, PSKs: psks}

		_, err := g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Refs: in.Proposals})
		reason(t, err, mls.ReasonPSK)
		dan := newDevice(t, "dan")
		before := g[0].epoch
		s := g[0].round(g, in, mls.CommitParams{
			Proposals: []*mls.Proposal{resumption}, Add: []*mls.KeyPackage{dan.pack}, NoPath: true, Private: private,
		})
		agree(t, g)
		other := must[*mls.StagedCommit](t)(before.Commit(mls.CommitParams{Signer: g[0].key}))
		if bytes.Equal(other.Next.EpochAuthenticator(), s.Next.EpochAuthenticator()) {
			t.Error("the keys made no difference")
		}
		w := must[[]byte](t)(s.Welcome(g[0].key, nil, true))
		_, _, err = mls.Join(w, dan.pack, dan.secret, nil)
		reason(t, err, mls.ReasonPSK)
		psks.External["door"] = []byte("wrong")
		_, _, err = mls.JoinWith(w, dan.pack, dan.secret, nil, psks)
		reason(t, err, mls.ReasonDecrypt)
		psks.External["door"] = []byte("knock knock")
		e, _, err := mls.JoinWith(w, dan.pack, dan.secret, nil, psks)
		if err != nil {
			t.Fatal(err)
		}
		dan.enter(e)
		agree(t, append(g, dan))
	}
}

func TestExtensionsAndCustomProposals(t *testing.T) {
	const ours, kind = 0xF0F0, 0xF00D
	g := make([]*device, 3)
	for i := range g {
		g[i] = newDevice(t, string(rune('a'+i)))
		g[i].params.ExtensionTypes, g[i].params.ProposalTypes = []uint16{ours}, []uint16{kind}
		g[i].renew()
	}
	first := []mls.Extension{{Type: ours, Data: []byte("v1")}}
	g[0].enter(must[*mls.Epoch](t)(mls.CreateWith(suite, []byte("x"), first, g[0].pack, g[0].secret)))
	g[0].add(nil, g[1:])
	plain := newDevice(t, "plain")
	_, err := g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Add: []*mls.KeyPackage{plain.pack}})
	reason(t, err, mls.ReasonCapability) // lacks an extension of the group

	custom := must[*mls.Proposal](t)(mls.CustomProposal(kind, []byte("data")))
	told := g[2].tell(must[*mls.Proposed](t)(g[2].epoch.Propose(custom, mls.ProposalParams{Signer: g[2].key})), g)
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Refs: []*mls.Proposed{told, told}})
	reason(t, err, mls.ReasonDuplicate) // 33 bytes more, and all its data again
	next := &mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: []mls.Extension{mls.RequiredCapabilities(nil, []mls.ProposalType{kind}, nil)}}
	s := g[1].round(g, mls.Inputs{Proposals: []*mls.Proposed{told}}, mls.CommitParams{Proposals: []*mls.Proposal{next}})
	agree(t, g)
	if c := s.Changes.Custom; len(c) != 1 || c[0].Sender != 2 || c[0].Type != kind || string(c[0].Data) != "data" {
		t.Errorf("custom proposals: %+v", c)
	}
	if x := g[0].epoch.Public().Extensions(); len(x) != 1 || x[0].Type != mls.ExtensionRequiredCapabilities {
		t.Errorf("extensions %v", x)
	}
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Add: []*mls.KeyPackage{plain.pack}})
	reason(t, err, mls.ReasonCapability) // lacks the proposal type
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Proposals: []*mls.Proposal{{Type: 0xF00E}}})
	reason(t, err, mls.ReasonProposalType) // made by hand
	unknown := must[*mls.Proposal](t)(mls.CustomProposal(0xF00E, nil))
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Proposals: []*mls.Proposal{unknown}})
	reason(t, err, mls.ReasonProposalType) // nobody supports it
	j := mls.ExternalParams{GroupInfo: g[0].info(true), Signer: plain.key, Identity: []byte("plain")}
	_, err = mls.JoinExternal(j)
	reason(t, err, mls.ReasonCapability)
	j.ProposalTypes = []uint16{kind}
	s = must[*mls.StagedCommit](t)(mls.JoinExternal(j))
	follow(t, s, g)
	plain.enter(s.Next)
	agree(t, append(g, plain))
}

func TestExternalSenders(t *testing.T) {
	g := group(t, 4)
	service := newDevice(t, "service")
	list := mls.ExternalSenders(mls.ExternalSender{SignatureKey: newDevice(t, "x").key.PublicKey()},
		mls.ExternalSender{SignatureKey: service.key.PublicKey(), Identity: []byte("service")})
	g[0].round(g, mls.Inputs{}, mls.CommitParams{Proposals: []*mls.Proposal{
		{Type: mls.ProposalGroupContextExtensions, Extensions: []mls.Extension{list}},
	}})
	p := g[0].epoch.Public()
	x := mls.ExternalProposal{Suite: suite, GroupID: p.GroupID(), Epoch: p.Epoch(), Sender: 1, Signer: service.key}
	dan, eve := newDevice(t, "dan"), newDevice(t, "eve")
	psk := must[*mls.Proposal](t)(mls.ExternalPSK(suite, []byte("k")))
	in := mls.Inputs{PSKs: mls.PSKs{External: map[string][]byte{"k": {1}}}}
	open := func(b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range g {
			if _, err := d.epoch.Open(nil, b); err != nil {
				t.Fatal(err)
			}
		}
		in.Proposals = append(in.Proposals, must[*mls.Proposed](t)(p.OpenProposal(b)))
	}
	open(x.Propose(&mls.Proposal{Type: mls.ProposalAdd, KeyPackage: dan.pack}))
	open(x.Propose(&mls.Proposal{Type: mls.ProposalRemove, Removed: 3}))
	open(x.Propose(psk))
	open(x.Propose(&mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: []mls.Extension{list}}))
	own := x
	own.Signer = eve.key
	open(own.ProposeJoin(eve.pack))
	_, err := x.ProposeJoin(eve.pack)
	reason(t, err, mls.ReasonSigner)
	_, err = x.Propose(&mls.Proposal{Type: mls.ProposalExternalInit})
	reason(t, err, mls.ReasonSender)
	wrong := x
	for _, wrong.Sender = range []uint32{0, 2, 1 << 31} {
		b := must[[]byte](t)(wrong.Propose(psk))
		if _, err := g[0].epoch.Open(nil, b); err == nil {
			t.Errorf("sender %d passes", wrong.Sender)
		}
	}
	s := g[1].round(g, in, mls.CommitParams{})
	w := must[[]byte](t)(s.Welcome(g[1].key, nil, true))
	for _, d := range []*device{dan, eve} {
		e, _, err := mls.JoinWith(w, d.pack, d.secret, nil, in.PSKs)
		if err != nil {
			t.Fatal(err)
		}
		d.enter(e)
	}
	agree(t, append(g[:3], dan, eve))
}

func TestSelfRemove(t *testing.T) {
	g := group(t, 6)
	leave := func(d *device) (*mls.Proposed, []byte) {
		t.Helper()
		p := must[*mls.Proposed](t)(d.epoch.ProposeSelfRemove(mls.ProposalParams{Signer: d.key}))
		return p, must[[]byte](t)(d.epoch.Seal(nil, &mls.Handshake{Proposed: p}, 0))
	}
	_, err := g[1].epoch.ProposeSelfRemove(mls.ProposalParams{Signer: g[1].key, Private: true})
	reason(t, err, mls.ReasonContent)
	_, err = g[1].epoch.Commit(mls.CommitParams{Signer: g[1].key, Proposals: []*mls.Proposal{{Type: mls.ProposalSelfRemove}}})
	reason(t, err, mls.ReasonReference)
	p1, _ := leave(g[1])
	_, err = g[1].epoch.Commit(mls.CommitParams{Signer: g[1].key, Refs: []*mls.Proposed{p1}})
	reason(t, err, mls.ReasonOwnRemove)
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Refs: []*mls.Proposed{p1, p1}})
	reason(t, err, mls.ReasonSameLeaf)
	_, err = g[0].epoch.Commit(mls.CommitParams{Signer: g[0].key, Refs: []*mls.Proposed{p1}, Remove: []uint32{1}})
	reason(t, err, mls.ReasonSameLeaf)
	s := g[0].round(g, mls.Inputs{Proposals: []*mls.Proposed{p1}}, mls.CommitParams{})
	if r := s.Changes.Removed; len(r) != 1 || r[0].Index != 1 || !s.Commit.HasPath() {
		t.Errorf("removed %+v", r)
	}
	rest := []*device{g[0], g[2], g[3], g[4], g[5]}
	agree(t, rest)

	p2, m2 := leave(g[2])
	p5, m5 := leave(g[5])
	dan := newDevice(t, "dan")
	s = must[*mls.StagedCommit](t)(mls.JoinExternal(mls.ExternalParams{
		GroupInfo: g[0].info(true), Signer: dan.key, Identity: []byte("dan"), SelfRemoves: [][]byte{m2, m5},
	}))
	in := mls.Inputs{Proposals: []*mls.Proposed{p2, p5}}
	for _, d := range []*device{g[0], g[3], g[4]} {
		if _, _, err := d.epoch.Public().ApplyWith(s.Commit, in.Proposals); err != nil {
			t.Fatal(err)
		}
		next, changes, err := d.epoch.ProcessWith(s.Commit, in)
		if err != nil || len(changes.Removed) != 2 {
			t.Fatal(err)
		}
		d.enter(next)
	}
	if _, _, err := g[5].epoch.ProcessWith(s.Commit, in); !errors.Is(err, mls.ErrRemoved) {
		t.Errorf("who left got %v", err)
	}
	dan.enter(s.Next)
	agree(t, []*device{g[0], g[3], g[4], dan})
}

func TestKeyPackagesOfOtherKinds(t *testing.T) {
	d := newDevice(t, "last")
	d.params.LastResort = true
	d.params.Chain = [][]byte{[]byte("leaf certificate"), []byte("root")}
	d.params.CredentialTypes = []uint16{1}
	d.renew()
	if err := d.pack.Verify(now); err != nil || !d.pack.LastResort() || len(d.pack.Chain()) != 2 || d.pack.Identity() != nil {
		t.Errorf("%v, %v, %q", err, d.pack.LastResort(), d.pack.Chain())
	}
	if newDevice(t, "x").pack.LastResort() {
		t.Error("ordinary package says last resort")
	}
	// Others have to support X.509 before one of them may use it.
	plain := newDevice(t, "plain")
	plain.create("g")
	_, err := plain.epoch.Commit(mls.CommitParams{Signer: plain.key, Add: []*mls.KeyPackage{d.pack}})
	reason(t, err, mls.ReasonCredential)
	plain.params.CredentialTypes = []uint16{2}
	plain.renew()
	plain.create("g")
	plain.add(nil, []*device{d})
	agree(t, []*device{plain, d})
	if l, ok := plain.epoch.Public().Leaf(1); !ok || string(l.Chain[0]) != "leaf certificate" {
		t.Errorf("leaf %+v", l)
	}
	d.take(d.commit(mls.CommitParams{}), []*device{plain})
	agree(t, []*device{plain, d})
}
