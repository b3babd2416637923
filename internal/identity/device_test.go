package identity_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

// fixedDevice is a device with known seeds.
func fixedDevice(t testing.TB) *identity.Device {
	t.Helper()
	return device(t, 0x41, 0x42)
}

func device(t testing.TB, sign, knock byte) *identity.Device {
	t.Helper()
	d, err := identity.ParseDevice(storedDevice(sign, knock))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// storedDevice spells the bytes of a device: version, two seeds.
func storedDevice(sign, knock byte) []byte {
	b := append([]byte{1}, bytes.Repeat([]byte{sign}, 32)...)
	return append(b, bytes.Repeat([]byte{knock}, 32)...)
}

func TestDeviceBytes(t *testing.T) {
	d := fixedDevice(t)
	if got := d.Marshal(); !bytes.Equal(got, storedDevice(0x41, 0x42)) {
		t.Errorf("stored as %x", got)
	}
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{0x41}, 32)).Public().(ed25519.PublicKey)
	if !d.PublicKey().Equal(key) || d.ID() != wire.Device(key) {
		t.Error("public key or id")
	}
	if len(d.KnockKey()) != identity.KnockKeySize {
		t.Errorf("knock key of %d bytes", len(d.KnockKey()))
	}
}

func TestNewDevice(t *testing.T) {
	a, b := identity.NewDevice(), identity.NewDevice()
	if a.ID() == b.ID() || bytes.Equal(a.KnockKey(), b.KnockKey()) {
		t.Error("two devices are alike")
	}
	back, err := identity.ParseDevice(a.Marshal())
	if err != nil || back.ID() != a.ID() || !bytes.Equal(back.KnockKey(), a.KnockKey()) {
		t.Errorf("came back as another device: %v", err)
	}
}

func TestDeviceRefuses(t *testing.T) {
	good := storedDevice(1, 2)
	for _, b := range [][]byte{nil, {1}, good[:64], append(bytes.Clone(good), 0), append([]byte{2}, good[1:]...)} {
		if _, err := identity.ParseDevice(b); !errors.Is(err, identity.ErrDevice) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

func TestParsedDeviceKeepsNoAlias(t *testing.T) {
	b := storedDevice(1, 2)
	d, err := identity.ParseDevice(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	d.PublicKey()[0]++
	if !bytes.Equal(d.Marshal(), storedDevice(1, 2)) || !wire.Verify(d.PublicKey(), wire.SignAck, nil, d.Sign(wire.SignAck, nil)) {
		t.Error("the device changed with bytes of others")
	}
}

func TestDeviceSigns(t *testing.T) {
	d := fixedDevice(t)
	content := []byte("content")
	if !wire.Verify(d.PublicKey(), wire.SignEntry, content, d.Sign(wire.SignEntry, content)) {
		t.Error("signature with a label")
	}
	if wire.Verify(d.PublicKey(), wire.SignBlock, content, d.Sign(wire.SignEntry, content)) {
		t.Error("one label passes for another")
	}
	if !wire.VerifyRaw(d.PublicKey(), content, d.SignRaw(content)) {
		t.Error("raw signature")
	}
}

// TestNothingSecretIsPrinted looks for the seeds in whatever a verb prints.
func TestNothingSecretIsPrinted(t *testing.T) {
	d := fixedDevice(t)
	phrase := strings.Repeat("abandon ", 23) + "art"
	r, err := identity.ParsePhrase(phrase)
	if err != nil {
		t.Fatal(err)
	}
	l := identity.ContactLink{Secret: [32]byte(bytes.Repeat([]byte{0x43}, 32))}
	type holder struct {
		device   identity.Device
		pointer  *identity.Device
		recovery identity.Recovery
	}
	seed, err := hkdf.Key(sha256.New, make([]byte, 32), nil, wire.InfoRecovery, 32)
	if err != nil {
		t.Fatal(err)
	}
	keys := [][]byte{seed[:4]}
	for _, b := range []byte{0x41, 0x42, 0x43} {
		keys = append(keys, bytes.Repeat([]byte{b}, 4))
	}
	values := []any{d, *d, r, *r, holder{*d, d, *r}, &holder{*d, d, *r}, []any{d, r, l}, l, &l}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%08b", "%t", "%c"} {
			out := fmt.Sprintf(verb, v)
			for _, key := range keys {
				checkPrinted(t, verb, out, key)
			}
		}
	}
	for _, v := range []any{d, r} {
		if b, err := json.Marshal(v); err != nil || string(b) != "{}" {
			t.Errorf("JSON %s, %v", b, err)
		}
	}
	if got := fmt.Sprint(d); got != "identity.Device(redacted)" {
		t.Errorf("printed as %q", got)
	}
}

func checkPrinted(t *testing.T, verb, out string, key []byte) {
	t.Helper()
	var decimal, goSyntax []string
	for _, b := range key {
		decimal = append(decimal, fmt.Sprint(b))
		goSyntax = append(goSyntax, fmt.Sprintf("0x%x", b))
	}
	for _, form := range []string{
		string(key), hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)),
		strings.Join(decimal, " "), strings.Join(goSyntax, ", "),
	} {
		if strings.Contains(out, form) {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}
