package identity_test

import (
	"bytes"
	"crypto/hpke"
	"errors"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

// knockPlaintext spells the plaintext of a knock by hand.
func knockPlaintext(flags byte) []byte {
	b := bytes.Repeat([]byte{0x10}, 32)
	b = append(b, bytes.Repeat([]byte{0x11}, 32)...)
	b = append(b, flags)
	b = append(b, bytes.Repeat([]byte{0x12}, 64)...)
	return append(b, make([]byte, 63)...)
}

func sampleKnock() identity.Knock {
	return identity.Knock{
		Member:    wire.Member{Person: wire.PersonID(bytes.Repeat([]byte{0x10}, 32)), Device: wire.DeviceID(bytes.Repeat([]byte{0x11}, 32))},
		Flags:     identity.FlagProof,
		Signature: [64]byte(bytes.Repeat([]byte{0x12}, 64)),
	}
}

// sealPlain seals any plaintext as a knock is sealed.
func sealPlain(t testing.TB, to, plain []byte, info string) []byte {
	t.Helper()
	key, err := hpke.MLKEM768X25519().NewPublicKey(to)
	if err != nil {
		t.Fatal(err)
	}
	box, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info), plain)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestKnockBytes(t *testing.T) {
	d := fixedDevice(t)
	got, err := d.OpenKnock(sealPlain(t, d.KnockKey(), knockPlaintext(1), "Kith 1 knock"))
	if err != nil || got != sampleKnock() {
		t.Fatalf("%+v, %v", got, err)
	}
	box, err := identity.SealKnock(d.KnockKey(), sampleKnock())
	if err != nil || len(box) != identity.KnockSize || identity.KnockSize != 1328 {
		t.Fatalf("box of %d bytes, %v", len(box), err)
	}
	key, err := hpke.MLKEM768X25519().NewPrivateKey(bytes.Repeat([]byte{0x42}, 32))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte("Kith 1 knock"), box)
	if err != nil || !bytes.Equal(plain, knockPlaintext(1)) {
		t.Errorf("plaintext %x, %v", plain, err)
	}
}

func TestKnockRefuses(t *testing.T) {
	d := fixedDevice(t)
	padding := knockPlaintext(0)
	padding[191] = 1
	box := sealPlain(t, d.KnockKey(), knockPlaintext(0), wire.InfoKnock)
	changed := bytes.Clone(box)
	changed[len(box)-1] ^= 1
	for name, b := range map[string][]byte{
		"nothing":        nil,
		"short":          box[:len(box)-1],
		"long":           append(bytes.Clone(box), 0),
		"changed":        changed,
		"unknown flag":   sealPlain(t, d.KnockKey(), knockPlaintext(2), wire.InfoKnock),
		"padding":        sealPlain(t, d.KnockKey(), padding, wire.InfoKnock),
		"another info":   sealPlain(t, d.KnockKey(), knockPlaintext(0), "Kith 1 other"),
		"another device": sealPlain(t, device(t, 5, 6).KnockKey(), knockPlaintext(0), wire.InfoKnock),
		"longer padding": sealPlain(t, d.KnockKey(), append(knockPlaintext(0), 0), wire.InfoKnock),
	} {
		if _, err := d.OpenKnock(b); !errors.Is(err, identity.ErrKnock) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := identity.SealKnock(d.KnockKey()[1:], sampleKnock()); !errors.Is(err, identity.ErrKnockKey) {
		t.Errorf("short key: %v", err)
	}
	if _, err := identity.SealKnock(bytes.Repeat([]byte{0xff}, identity.KnockKeySize), sampleKnock()); !errors.Is(err, identity.ErrKnockKey) {
		t.Errorf("impossible key: %v", err)
	}
}

func TestKnocksLookUnlike(t *testing.T) {
	d := fixedDevice(t)
	a, err := identity.SealKnock(d.KnockKey(), sampleKnock())
	if err != nil {
		t.Fatal(err)
	}
	b, err := identity.SealKnock(d.KnockKey(), sampleKnock())
	if err != nil || bytes.Equal(a[:1120], b[:1120]) || bytes.Equal(a[1120:], b[1120:]) {
		t.Error("two knocks share bytes")
	}
}

func TestKnockSignatures(t *testing.T) {
	a, b := device(t, 1, 2), device(t, 3, 4)
	binding := [32]byte{9}
	knock := a.SignKnock(a.ID(), b.ID(), binding)
	answer := b.SignKnockAnswer(a.ID(), b.ID(), binding)
	if !identity.VerifyKnock(a.PublicKey(), a.ID(), b.ID(), binding, knock) {
		t.Error("knock")
	}
	if !identity.VerifyKnockAnswer(b.PublicKey(), a.ID(), b.ID(), binding, answer) {
		t.Error("answer")
	}
	content := append(append(wire.Opaque(nil)[1:], idBytes(a.ID(), b.ID())...), binding[:]...)
	if !wire.Verify(a.PublicKey(), wire.SignKnock, content, knock[:]) {
		t.Error("the knock signs other bytes")
	}
	for name, ok := range map[string]bool{
		"another connection": identity.VerifyKnock(a.PublicKey(), a.ID(), b.ID(), [32]byte{8}, knock),
		"ids swapped":        identity.VerifyKnock(a.PublicKey(), b.ID(), a.ID(), binding, knock),
		"another target":     identity.VerifyKnock(a.PublicKey(), a.ID(), wire.DeviceID{1}, binding, knock),
		"key of the target":  identity.VerifyKnock(b.PublicKey(), a.ID(), b.ID(), binding, knock),
		"answer as knock":    identity.VerifyKnock(a.PublicKey(), a.ID(), b.ID(), binding, answer),
		"reflected knock":    identity.VerifyKnockAnswer(a.PublicKey(), a.ID(), b.ID(), binding, knock),
		"self-made answer":   identity.VerifyKnockAnswer(a.PublicKey(), a.ID(), b.ID(), binding, a.SignKnockAnswer(a.ID(), b.ID(), binding)),
	} {
		if ok {
			t.Errorf("%s passes", name)
		}
	}
}

func idBytes(ids ...wire.DeviceID) (b []byte) {
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return b
}

// Both sides of a knock get one secret, and each knock another.
func TestKnockSession(t *testing.T) {
	d := identity.NewDevice()
	var last [32]byte
	for range 2 {
		box, sealed, err := identity.SealKnockSession(d.KnockKey(), sampleKnock())
		if err != nil {
			t.Fatal(err)
		}
		k, opened, err := d.OpenKnockSession(box)
		if err != nil || k != sampleKnock() {
			t.Fatalf("opened %+v, %v", k, err)
		}
		if sealed != opened || sealed == last || sealed == [32]byte{} {
			t.Error("the secrets differ, or are those of another knock")
		}
		last = sealed
		box[len(box)-1] ^= 1
		if _, opened, err := d.OpenKnockSession(box); err == nil || opened != [32]byte{} {
			t.Error("a changed box gives a secret")
		}
	}
}
