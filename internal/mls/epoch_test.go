package mls_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/mls"
)

func reason(t *testing.T, err error, want mls.Reason) {
	t.Helper()
	var e *mls.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("got %v, want reason %q", err, want)
	}
}

func TestTwoChildrenOfOneEpoch(t *testing.T) {
	g := group(t, 4)
	root, stored := g[2].epoch, g[2].epoch.Marshal()
	left := g[0].commit(mls.CommitParams{})
	right := g[1].commit(mls.CommitParams{Remove: []uint32{g[3].epoch.OwnLeaf()}})
	for _, s := range []*mls.StagedCommit{left, right, left} {
		next, _, err := root.Process(s.Commit)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(next.EpochAuthenticator(), s.Next.EpochAuthenticator()) {
			t.Error("child epochs differ")
		}
		if !bytes.Equal(next.Public().TreeHash(), s.Next.Public().TreeHash()) || next.Public().Epoch() != 2 {
			t.Error("public parts differ")
		}
	}
	if !bytes.Equal(root.Marshal(), stored) {
		t.Error("the parent epoch changed")
	}
	text, _, err := root.Decrypt(g[2].keys, g[0].encrypt("still here"))
	if err != nil || string(text) != "still here" {
		t.Errorf("parent epoch: %q, %v", text, err)
	}
	left.Next.Erase() // the parent and the other child keep their secrets
	if _, _, err := root.Process(right.Commit); err != nil {
		t.Error(err)
	}
	if bytes.Equal(left.Next.EpochAuthenticator(), right.Next.EpochAuthenticator()) ||
		!bytes.Equal(left.Next.EpochAuthenticator(), make([]byte, 32)) {
		t.Error("erased epoch still has its authenticator")
	}
}

func TestPublicGroupFollows(t *testing.T) {
	ann := newDevice(t, "ann")
	ann.create("g")
	public, err := mls.PublicFromLeaf(suite, []byte("g"), ann.pack.LeafNode(), ann.epoch.ConfirmationTag())
	if err != nil {
		t.Fatal(err)
	}
	all := []*device{ann}
	for i := range 9 {
		d := newDevice(t, fmt.Sprint("member ", i))
		s := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{d.pack}})
		next, changes, err := public.Apply(s.Commit)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes.Added) != 1 || !bytes.Equal(changes.Added[0].KeyPackageRef, d.pack.Ref()) || changes.Committer != 0 {
			t.Errorf("changes: %+v", changes)
		}
		ann.take(s, all)
		w, err := s.Welcome(ann.key, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		d.join(w, s.Next.Public().RatchetTree())
		all = append(all, d)
		public = next
	}
	agree(t, all)
	for _, d := range all {
		p := d.epoch.Public()
		if !bytes.Equal(p.TreeHash(), public.TreeHash()) || p.Epoch() != public.Epoch() ||
			!bytes.Equal(p.ConfirmedTranscriptHash(), public.ConfirmedTranscriptHash()) ||
			!bytes.Equal(p.ConfirmationTag(), public.ConfirmationTag()) {
			t.Fatalf("%s sees another public state", d.name)
		}
	}
	if n := len(slices.Collect(public.Leaves())); n != 10 || public.Members() != 10 {
		t.Errorf("%d leaves, %d members", n, public.Members())
	}
	if l, ok := public.LeafOf([]byte("member 3")); !ok || l.Index != 4 || !bytes.Equal(l.SignatureKey, all[4].key.PublicKey()) {
		t.Errorf("LeafOf: %+v, %v", l, ok)
	}
}

func TestStoredForms(t *testing.T) {
	g := group(t, 5)
	for _, d := range g {
		pub, err := mls.ParsePublicGroup(d.epoch.Public().Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pub.Marshal(), d.epoch.Public().Marshal()) {
			t.Error("public group changes when stored")
		}
		e, err := mls.ParseEpoch(d.epoch.Marshal(), pub)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(e.Marshal(), d.epoch.Marshal()) || !bytes.Equal(e.Export("x", nil, 40), d.epoch.Export("x", nil, 40)) ||
			!bytes.Equal(e.ExternalPub(), d.epoch.ExternalPub()) {
			t.Error("epoch changes when stored")
		}
		if _, err := e.Encrypt(e.Ratchets(), d.key, nil, nil, 0); !errors.Is(err, mls.ErrKeyUsed) {
			t.Errorf("a restored epoch has message keys: %v", err)
		}
		d.epoch = e
	}
	s := g[3].commit(mls.CommitParams{})
	g[3].take(s, g)
	agree(t, g)

	other := group(t, 5)
	_, err := mls.ParseEpoch(g[1].epoch.Marshal(), other[1].epoch.Public())
	reason(t, err, mls.ReasonStoredRecord)

	secret, err := mls.ParseKeyPackageSecrets(g[0].secret.Marshal())
	if err != nil || !bytes.Equal(secret.Marshal(), g[0].secret.Marshal()) {
		t.Errorf("key package secrets: %v", err)
	}
}

func TestWelcome(t *testing.T) {
	ann, ben, eve := newDevice(t, "ann"), newDevice(t, "ben"), newDevice(t, "eve")
	ann.create("g")
	if w, err := ann.commit(mls.CommitParams{}).Welcome(ann.key, nil, true); w != nil || err != nil {
		t.Errorf("welcome for nobody: %x, %v", w, err)
	}
	s := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{ben.pack}})
	own := []mls.Extension{{Type: 0xF0F0, Data: []byte("block")}}
	w, err := s.Welcome(ann.key, own, false)
	if err != nil {
		t.Fatal(err)
	}
	refs, err := mls.WelcomeRefs(w)
	if err != nil || len(refs) != 1 || !bytes.Equal(refs[0], ben.pack.Ref()) {
		t.Fatalf("refs %x, %v", refs, err)
	}
	tree := s.Next.Public().RatchetTree()

	_, _, err = mls.Join(w, eve.pack, eve.secret, tree)
	reason(t, err, mls.ReasonNotForUs)
	_, _, err = mls.Join(w, ben.pack, eve.secret, tree)
	reason(t, err, mls.ReasonSecret)
	_, _, err = mls.Join(w, ben.pack, ben.secret, nil)
	reason(t, err, mls.ReasonNoTree)
	_, _, err = mls.Join(w, ben.pack, ben.secret, ann.epoch.Public().RatchetTree())
	reason(t, err, mls.ReasonTreeHash)
	_, err = s.Welcome(eve.key, nil, true)
	reason(t, err, mls.ReasonSigner)
	_, err = s.Welcome(ann.key, []mls.Extension{{Type: mls.ExtensionExternalPub}}, true)
	reason(t, err, mls.ReasonExtension)

	info := ben.join(w, tree)
	if info.Signer != 0 || len(info.Extensions) != 2 || string(info.Extensions[0].Data) != "block" {
		t.Errorf("group info: %+v", info)
	}
	if !bytes.Equal(info.ExternalPub(), s.Next.ExternalPub()) || !bytes.Equal(ben.epoch.ExternalPub(), s.Next.ExternalPub()) {
		t.Error("external_pub differs")
	}
	// external_pub is a struct: its key has a length of its own.
	if x := info.Extensions[1]; x.Type != mls.ExtensionExternalPub || len(x.Data) != 33 || x.Data[0] != 32 {
		t.Errorf("external_pub extension: %+v", x)
	}
}

// TestRandomHistory plays 100 epochs of a group of up to 20 devices: random
// adds, removes and empty commits by random members, some of whom are restored
// from storage in between. All agree after each.
func TestRandomHistory(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9420, 0))
	first := newDevice(t, "0")
	first.create("random")
	in := []*device{first}
	for epoch := 1; epoch <= 100; epoch++ {
		by := in[rnd.IntN(len(in))]
		var p mls.CommitParams
		var joining, leaving []*device
		for len(in)+len(joining) < 20 && rnd.IntN(3) > 0 {
			d := newDevice(t, fmt.Sprint(epoch, ".", len(joining)))
			joining, p.Add = append(joining, d), append(p.Add, d.pack)
		}
		for _, d := range in {
			if d != by && rnd.IntN(8) == 0 {
				leaving, p.Remove = append(leaving, d), append(p.Remove, d.epoch.OwnLeaf())
			}
		}
		s := by.commit(p)
		for _, d := range leaving {
			if _, _, err := d.epoch.Process(s.Commit); !errors.Is(err, mls.ErrRemoved) {
				t.Fatalf("epoch %d: removed device got %v", epoch, err)
			}
		}
		in = slices.DeleteFunc(in, func(d *device) bool { return slices.Contains(leaving, d) })
		by.take(s, in)
		if len(joining) > 0 {
			w, err := s.Welcome(by.key, nil, rnd.IntN(2) == 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range joining {
				d.join(w, s.Next.Public().RatchetTree())
			}
		}
		in = append(in, joining...)
		agree(t, in)
		restore(t, in[rnd.IntN(len(in))])
		talk(t, in, in[rnd.IntN(len(in))])
	}
}

func restore(t *testing.T, d *device) {
	t.Helper()
	pub, err := mls.ParsePublicGroup(d.epoch.Public().Marshal())
	if err != nil {
		t.Fatal(err)
	}
	e, err := mls.ParseEpoch(d.epoch.Marshal(), pub)
	if err != nil {
		t.Fatal(err)
	}
	d.epoch = e
}

func talk(t *testing.T, in []*device, from *device) {
	t.Helper()
	b := from.encrypt("hello")
	for _, d := range in {
		if d == from {
			continue
		}
		if text, _, err := d.epoch.Decrypt(d.keys, b); err != nil || string(text) != "hello" {
			t.Fatalf("%s: %q, %v", d.name, text, err)
		}
	}
}

// A commit may change what its author's leaf announces; a leaf that announces
// one extension twice is refused before anything is made.
func TestLeafExtensionsChange(t *testing.T) {
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	ann.create("book club")
	ann.add(nil, []*device{ben})
	said := []mls.Extension{{Type: 0xF003, Data: []byte{0, 1}}}
	s := ann.commit(mls.CommitParams{LeafExtensions: said})
	said[0].Data[1] = 9
	ann.take(s, []*device{ben})
	agree(t, []*device{ann, ben})
	for range 2 { // a commit that names none keeps them
		for _, d := range []*device{ann, ben} {
			l, ok := d.epoch.Public().LeafOf([]byte("ann"))
			if !ok || len(l.Extensions) != 1 || l.Extensions[0].Type != 0xF003 || !bytes.Equal(l.Extensions[0].Data, []byte{0, 1}) {
				t.Fatalf("%s sees %+v", d.name, l.Extensions)
			}
		}
		ann.take(ann.commit(mls.CommitParams{}), []*device{ben})
	}
	before := ann.epoch.EpochAuthenticator()
	twice := []mls.Extension{{Type: 0xF003}, {Type: 0xF003}}
	if _, err := ann.epoch.Commit(mls.CommitParams{Signer: ann.key, LeafExtensions: twice}); err == nil {
		t.Error("an extension twice in a leaf")
	}
	if !bytes.Equal(before, ann.epoch.EpochAuthenticator()) {
		t.Error("a refused commit left a trace")
	}
}

// TestJoinWhoFollowed: a newcomer that followed the group without secrets joins
// with a Welcome that has no tree, and goes on with the others.
func TestJoinWhoFollowed(t *testing.T) {
	for _, s := range []mls.Suite{suite, mls.SuiteXWingAES128SHA256Ed25519} {
		ann, ben, cat := newDeviceOf(t, s, "ann"), newDeviceOf(t, s, "ben"), newDeviceOf(t, s, "cat")
		ann.create("g")
		followed := ann.epoch.Public()
		for _, d := range []*device{ben, cat} {
			staged := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{d.pack}})
			welcome, err := staged.Welcome(ann.key, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			if followed, _, err = followed.Apply(staged.Commit); err != nil {
				t.Fatal(err)
			}
			ann.take(staged, []*device{ben}[:ann.epoch.Public().Members()-1])
			e, _, err := followed.Join(welcome, d.pack, d.secret)
			if err != nil {
				t.Fatal(err)
			}
			if e.Public() != followed {
				t.Error("the newcomer has a tree of its own")
			}
			d.enter(e)
		}
		agree(t, []*device{ann, ben, cat})
		cat.take(cat.commit(mls.CommitParams{}), []*device{ann, ben})
		agree(t, []*device{ann, ben, cat})
	}
}

// TestClose: a closed epoch opens messages, from its stored form too, and nothing
// leads on from it.
func TestClose(t *testing.T) {
	g := group(t, 3)
	r := g[1].epoch.Ratchets()
	sent, err := g[0].epoch.Encrypt(g[0].epoch.Ratchets(), g[0].key, nil, []byte("late"), 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := g[1].epoch.Marshal()
	next := g[0].commit(mls.CommitParams{})
	g[1].epoch.Close()
	stored := g[1].epoch.Marshal()
	if len(stored) >= len(whole) || !g[1].epoch.Closed() {
		t.Errorf("closed, it keeps %d of %d bytes", len(stored), len(whole))
	}
	e, err := mls.ParseEpoch(stored, g[0].epoch.Public())
	if err != nil {
		t.Fatal(err)
	}
	if plain, _, err := e.Decrypt(r, sent); err != nil || string(plain) != "late" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, _, err := e.Process(next.Commit); !errors.Is(err, mls.ErrClosed) {
		t.Errorf("a commit is followed: %v", err)
	}
	if _, err := e.Commit(mls.CommitParams{Signer: g[1].key}); !errors.Is(err, mls.ErrClosed) {
		t.Errorf("a commit is made: %v", err)
	}
	half := slices.Clone(stored)
	half[len(half)-1] = 4 // says that a private key follows
	if _, err := mls.ParseEpoch(half, g[0].epoch.Public()); err == nil {
		t.Error("half a stored form is taken")
	}
}
