package mls_test

import (
	"testing"

	"kith/internal/mls"
)

// TestWelcomeKeyIsUsedOnce: the key and nonce of the encrypted GroupInfo follow
// from the epoch, so there is one GroupInfo for all Welcomes of a commit.
func TestWelcomeKeyIsUsedOnce(t *testing.T) {
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	ann.create("g")
	s := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{ben.pack}})
	if _, err := s.Welcome(ann.key, nil, false); err != nil {
		t.Fatal(err)
	}
	again := must[[]byte](t)(s.Welcome(ann.key, nil, false))
	if _, _, err := mls.Join(again, ben.pack, ben.secret, s.Next.Public().RatchetTree()); err != nil {
		t.Errorf("the same Welcome once more: %v", err)
	}
	if w, err := s.Welcome(ann.key, []mls.Extension{{Type: 0xF123, Data: []byte("other")}}, false); err != mls.ErrKeyUsed {
		t.Errorf("another GroupInfo under the same key: %x, %v", w, err)
	}
	if w, err := s.Welcome(ann.key, nil, true); err != mls.ErrKeyUsed {
		t.Errorf("another GroupInfo under the same key: %x, %v", w, err)
	}
}

// TestErasedSecretsMakeNothing: zeros in place of erased secrets are known to
// everybody, so nothing is made from them.
func TestErasedSecretsMakeNothing(t *testing.T) {
	ann, ben := newDevice(t, "ann"), newDevice(t, "ben")
	ann.create("g")
	s := ann.commit(mls.CommitParams{Add: []*mls.KeyPackage{ben.pack}})
	s.Erase()
	if w, err := s.Welcome(ann.key, nil, true); err != mls.ErrKeyUsed {
		t.Errorf("Welcome of an erased commit: %x, %v", w, err)
	}
	s = ann.commit(mls.CommitParams{})
	s.Next.Erase()
	if m, err := s.Next.Encrypt(s.Next.Ratchets(), ann.key, nil, []byte("hi"), 0); err != mls.ErrKeyUsed {
		t.Errorf("message of an erased epoch: %x, %v", m, err)
	}
}
