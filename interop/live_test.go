package interop

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	peer "github.com/thomas-vilte/mls-go"
	"github.com/thomas-vilte/mls-go/ciphersuite"

	"kith/internal/mls"
)

type key ed25519.PrivateKey

func (k key) PublicKey() ed25519.PublicKey  { return ed25519.PrivateKey(k).Public().(ed25519.PublicKey) }
func (k key) SignRaw(message []byte) []byte { return ed25519.Sign(ed25519.PrivateKey(k), message) }

// A match is a group with our member in it and theirs.
type match struct {
	t      *testing.T
	ctx    context.Context
	key    key
	pack   *mls.KeyPackage
	secret *mls.KeyPackageSecrets
	ours   *mls.Epoch
	keys   *mls.Ratchets
	theirs *peer.Client
	group  []byte
}

func newMatch(t *testing.T) *match {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &match{t: t, ctx: context.Background(), key: key(private)}
	now := uint64(time.Now().Unix())
	m.pack, m.secret, err = mls.NewKeyPackage(m.key, mls.KeyPackageParams{
		Suite: mls.SuiteX25519AES128SHA256Ed25519, Identity: []byte("ours"), NotBefore: now - 3600, NotAfter: now + 86400,
	})
	m.check(err)
	m.theirs, err = peer.NewClient([]byte("theirs"), ciphersuite.MLS128DHKEMX25519,
		peer.WithLogger(slog.New(slog.DiscardHandler)))
	m.check(err)
	return m
}

func (m *match) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// body takes off the header of an MLSMessage, if there is one.
func (m *match) body(f mls.WireFormat, b []byte) []byte {
	m.t.Helper()
	if got, inner, err := mls.UnframeMessage(b); err == nil && got == f {
		return inner
	}
	return b
}

func (m *match) enter(e *mls.Epoch) { m.ours, m.keys = e, e.Ratchets() }

// agree compares the epochs and exported secrets and sends a message each way.
func (m *match) agree() {
	m.t.Helper()
	auth, err := m.theirs.EpochAuthenticator(m.ctx, m.group)
	m.check(err)
	if !bytes.Equal(auth, m.ours.EpochAuthenticator()) {
		m.t.Fatalf("epoch authenticators differ in epoch %d", m.ours.Public().Epoch())
	}
	secret, err := m.theirs.Export(m.ctx, m.group, "label", []byte("context"), 40)
	m.check(err)
	if !bytes.Equal(secret, m.ours.Export("label", []byte("context"), 40)) {
		m.t.Error("exported secrets differ")
	}
	for range 2 {
		b, err := m.ours.Encrypt(m.keys, m.key, []byte("aad"), []byte("from us"), 7)
		m.check(err)
		got, err := m.theirs.ReceiveMessage(m.ctx, m.group, mls.FrameMessage(mls.FormatPrivateMessage, b))
		m.check(err)
		if string(got.Plaintext) != "from us" || string(got.AuthenticatedData) != "aad" {
			m.t.Errorf("they read %q, %q", got.Plaintext, got.AuthenticatedData)
		}
		b, err = m.theirs.SendMessage(m.ctx, m.group, []byte("from them"))
		m.check(err)
		text, _, err := m.ours.Decrypt(m.keys, m.body(mls.FormatPrivateMessage, b))
		m.check(err)
		if string(text) != "from them" {
			m.t.Errorf("we read %q", text)
		}
	}
}

// weCommit makes a commit of ours and lets them process it.
func (m *match) weCommit(p mls.CommitParams) *mls.StagedCommit {
	m.t.Helper()
	p.Signer = m.key
	s, err := m.ours.Commit(p)
	m.check(err)
	b, err := m.ours.Seal(m.keys, &mls.Handshake{Commit: s.Commit}, 0)
	m.check(err)
	m.check(m.theirs.ProcessCommit(m.ctx, m.group, b))
	m.enter(s.Next)
	return s
}

// theyCommit lets us process a commit of theirs.
func (m *match) theyCommit(b []byte) {
	m.t.Helper()
	h, err := m.ours.Open(m.keys, b)
	m.check(err)
	next, _, err := m.ours.Process(h.Commit)
	m.check(err)
	m.enter(next)
}

// play goes through updates of both sides and members of both kinds.
func (m *match) play() {
	m.t.Helper()
	m.agree()
	for range 3 {
		m.weCommit(mls.CommitParams{})
		m.agree()
		// Not SelfUpdate: it commits an Update of the committer's own, which
		// section 12.2 forbids and we refuse.
		b, _, err := m.theirs.CommitPendingProposals(m.ctx, m.group)
		m.check(err)
		m.theyCommit(b)
		m.agree()
	}
	third := newMatch(m.t)
	s := m.weCommit(mls.CommitParams{Add: []*mls.KeyPackage{third.pack}})
	w, err := s.Welcome(m.key, nil, true)
	m.check(err)
	e, _, err := mls.Join(w, third.pack, third.secret, nil)
	m.check(err)
	if !bytes.Equal(e.EpochAuthenticator(), m.ours.EpochAuthenticator()) {
		m.t.Error("our third member disagrees")
	}
	m.agree()
	m.weCommit(mls.CommitParams{Remove: []uint32{e.OwnLeaf()}})
	m.agree()
}

func TestTheyJoinOurGroup(t *testing.T) {
	m := newMatch(t)
	m.group = []byte("our group")
	e, err := mls.Create(mls.SuiteX25519AES128SHA256Ed25519, m.group, m.pack, m.secret)
	m.check(err)
	b, err := m.theirs.FreshKeyPackageBytes(m.ctx)
	m.check(err)
	k, err := mls.ParseKeyPackage(m.body(mls.FormatKeyPackage, b))
	m.check(err)
	m.check(k.Verify(uint64(time.Now().Unix())))
	s, err := e.Commit(mls.CommitParams{Add: []*mls.KeyPackage{k}, Signer: m.key})
	m.check(err)
	w, err := s.Welcome(m.key, nil, true)
	m.check(err)
	m.enter(s.Next)
	_, err = m.theirs.JoinGroup(m.ctx, mls.FrameMessage(mls.FormatWelcome, w))
	m.check(err)
	m.play()
}

func TestWeJoinTheirGroup(t *testing.T) {
	m := newMatch(t)
	var err error
	m.group, err = m.theirs.CreateGroup(m.ctx)
	m.check(err)
	_, w, err := m.theirs.InviteMember(m.ctx, m.group, m.pack.Bytes())
	m.check(err)
	e, _, err := mls.Join(m.body(mls.FormatWelcome, w), m.pack, m.secret, nil)
	m.check(err)
	m.enter(e)
	m.play()
}

// TestTheyJoinByThemselves processes an external commit of theirs.
func TestTheyJoinByThemselves(t *testing.T) {
	m := newMatch(t)
	m.group = []byte("open group")
	e, err := mls.Create(mls.SuiteX25519AES128SHA256Ed25519, m.group, m.pack, m.secret)
	m.check(err)
	m.enter(e)
	info, err := e.GroupInfo(m.key, nil, true)
	m.check(err)
	_, commit, err := m.theirs.ExternalJoin(m.ctx, info)
	m.check(err)
	m.theyCommit(commit)
	m.play()
}

// TestWeJoinByOurselves lets them process an external commit of ours.
func TestWeJoinByOurselves(t *testing.T) {
	m := newMatch(t)
	var err error
	m.group, err = m.theirs.CreateGroup(m.ctx)
	m.check(err)
	info, err := m.theirs.GroupInfo(m.ctx, m.group)
	m.check(err)
	s, err := mls.JoinExternal(mls.ExternalParams{
		GroupInfo: m.body(mls.FormatGroupInfo, info), Signer: m.key, Identity: []byte("ours"),
	})
	m.check(err)
	b, err := mls.SealExternal(s.Commit)
	m.check(err)
	m.check(m.theirs.ProcessPublicMessage(m.ctx, m.group, b))
	m.enter(s.Next)
	m.play()
}
