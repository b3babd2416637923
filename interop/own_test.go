package interop

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"kith/internal/mls"
)

type key ed25519.PrivateKey

func (k key) PublicKey() ed25519.PublicKey  { return ed25519.PrivateKey(k).Public().(ed25519.PublicKey) }
func (k key) SignRaw(message []byte) []byte { return ed25519.Sign(ed25519.PrivateKey(k), message) }

// An own is one of our members.
type own struct {
	t      testing.TB
	suite  mls.Suite
	name   string
	key    mls.Signer
	pack   *mls.KeyPackage
	secret *mls.KeyPackageSecrets
	epoch  *mls.Epoch
	keys   *mls.Ratchets
	told   []*mls.Proposed
	update []*mls.UpdateSecret
	psks   mls.PSKs
}

func newOwn(t testing.TB, s mls.Suite, name string) *own {
	t.Helper()
	o := &own{t: t, suite: s, name: name}
	if k, err := mls.NewECDSASigner(s); err == nil {
		o.key = k
	} else {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		check(t, err)
		o.key = key(private)
	}
	now := uint64(time.Now().Unix())
	var err error
	o.pack, o.secret, err = mls.NewKeyPackage(o.key, mls.KeyPackageParams{
		Suite: s, Identity: []byte(name), NotBefore: now - 3600, NotAfter: now + 86400, CredentialTypes: []uint16{2},
	})
	check(t, err)
	o.psks.External = map[string][]byte{"door": []byte("knock knock")}
	return o
}

// packed is the key package as an MLSMessage in hex.
func (o *own) packed() string {
	return hex.EncodeToString(mls.FrameMessage(mls.FormatKeyPackage, o.pack.Bytes()))
}

func (o *own) enter(e *mls.Epoch) {
	o.psks.Epochs = append(o.psks.Epochs, e)
	o.epoch, o.keys, o.told, o.update = e, e.Ratchets(), nil, nil
}

// receive processes a handshake of theirs.
func (o *own) receive(message []byte) {
	o.t.Helper()
	h, err := o.epoch.Open(o.keys, message)
	check(o.t, err)
	if h.Proposed != nil {
		o.told = append(o.told, h.Proposed)
		return
	}
	next, _, err := o.epoch.ProcessWith(h.Commit, mls.Inputs{Proposals: o.told, Updates: o.update, PSKs: o.psks})
	check(o.t, err)
	o.enter(next)
}

// commit makes one over all that was proposed and returns its message.
func (o *own) commit(p mls.CommitParams, padding int) (*mls.StagedCommit, string) {
	o.t.Helper()
	p.Signer, p.Refs, p.PSKs = o.key, o.told, o.psks
	s, err := o.epoch.Commit(p)
	check(o.t, err)
	b, err := o.epoch.Seal(o.keys, &mls.Handshake{Commit: s.Commit}, padding)
	check(o.t, err)
	return s, hex.EncodeToString(b)
}

// tell sends a proposal.
func (o *own) tell(p *mls.Proposed, err error) string {
	o.t.Helper()
	check(o.t, err)
	b, err := o.epoch.Seal(o.keys, &mls.Handshake{Proposed: p}, 0)
	check(o.t, err)
	o.told = append(o.told, p)
	return hex.EncodeToString(b)
}

func unframed(t testing.TB, f mls.WireFormat, b []byte) []byte {
	t.Helper()
	got, body, err := mls.UnframeMessage(b)
	check(t, err)
	if got != f {
		t.Fatalf("wire format %d, want %d", got, f)
	}
	return body
}

func unhex(t testing.TB, v any) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.(string))
	check(t, err)
	return b
}

func ourCommit(o *own, p mls.CommitParams) (*mls.StagedCommit, string) {
	o.t.Helper()
	s, m := o.commit(p, 5)
	o.enter(s.Next)
	return s, m
}

// joinOwn lets another member of ours join with the Welcome.
func joinOwn(o *own, s *mls.StagedCommit, other *own) {
	o.t.Helper()
	w, err := s.Welcome(o.key, nil, true)
	check(o.t, err)
	e, _, err := mls.JoinWith(w, other.pack, other.secret, nil, o.psks)
	check(o.t, err)
	other.enter(e)
	if !bytes.Equal(e.EpochAuthenticator(), o.epoch.EpochAuthenticator()) {
		o.t.Errorf("our member %s disagrees", other.name)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
