package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

// zeroPhrase is the phrase of 256 zero bits (BIP 39's test vectors).
var zeroPhrase = strings.Repeat("abandon ", 23) + "art"

func TestPhraseKeys(t *testing.T) {
	r, err := identity.ParsePhrase(zeroPhrase)
	if err != nil {
		t.Fatal(err)
	}
	seed, _ := hkdf.Key(sha256.New, make([]byte, 32), nil, "Kith 1 recovery", 32)
	key := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if !r.RecoveryKey().Equal(key) || r.ID() != wire.Device(key) {
		t.Error("recovery key")
	}
	seed, _ = hkdf.Key(sha256.New, make([]byte, 32), nil, "Kith 1 sealing", 32)
	seal, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil || !bytes.Equal(r.SealingKey(), seal.PublicKey().Bytes()) {
		t.Error("sealing key")
	}
	if !wire.Verify(key, wire.SignBlock, []byte("x"), r.Sign(wire.SignBlock, []byte("x"))) {
		t.Error("signature")
	}
}

func TestNewPhrase(t *testing.T) {
	a, b := identity.NewPhrase(), identity.NewPhrase()
	if a == b || len(strings.Fields(a)) != identity.PhraseWords {
		t.Fatal("phrases")
	}
	x, err := identity.ParsePhrase(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := identity.ParsePhrase("\n " + strings.ToUpper(strings.ReplaceAll(a, " ", " \t")) + " ")
	if err != nil || !x.RecoveryKey().Equal(y.RecoveryKey()) {
		t.Errorf("as typed: %v", err)
	}
}

func TestPhraseSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		words  string
		reason identity.Reason
		word   int
	}{
		{"", identity.ReasonPhraseCount, 0},
		{strings.Repeat("abandon ", 23), identity.ReasonPhraseCount, 0},
		{strings.Repeat("abandon ", 11) + "about", identity.ReasonPhraseCount, 0},
		{strings.Repeat("abandon ", 6) + "abandom " + strings.Repeat("abandon ", 16) + "art", identity.ReasonPhraseWord, 7},
		{strings.Repeat("abandon ", 23) + "zebrra", identity.ReasonPhraseWord, 24},
		{strings.Repeat("abandon ", 24), identity.ReasonPhraseSum, 0},
		{"art " + strings.Repeat("abandon ", 23), identity.ReasonPhraseSum, 0},
	} {
		_, err := identity.ParsePhrase(c.words)
		var e *identity.InputError
		if !errors.As(err, &e) || e.Reason != c.reason || e.Word != c.word {
			t.Errorf("%q: %v", c.words, err)
			continue
		}
		for _, w := range []string{"abandom", "zebrra"} {
			if strings.Contains(err.Error(), w) {
				t.Errorf("the error repeats what was typed: %v", err)
			}
		}
	}
	_, err := identity.ParsePhrase(strings.Repeat("abandon ", 23) + "zebrra")
	if !strings.Contains(err.Error(), "(word 24)") {
		t.Errorf("%v", err)
	}
}
