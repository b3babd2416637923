package identity

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"
	"slices"

	"kith/internal/wire"
)

// A Recovery is the private side of a person's phrase: the recovery key, which
// outranks every device of the person chain, and the sealing key.
type Recovery struct {
	secret func() *recoverySecret // as in Device
}

type recoverySecret struct {
	key  ed25519.PrivateKey
	seal hpke.PrivateKey
}

// ParsePhrase returns the keys of a phrase. The error is an *InputError that
// says which word is wrong where that can be told.
func ParsePhrase(words string) (*Recovery, error) {
	bits, err := entropy(words)
	if err != nil {
		return nil, err
	}
	secret := &recoverySecret{
		key:  ed25519.NewKeyFromSeed(derive(bits, wire.InfoRecovery, ed25519.SeedSize)),
		seal: xwing(derive(bits, wire.InfoSealing, seedSize)),
	}
	return &Recovery{func() *recoverySecret { return secret }}, nil
}

// RecoveryKey returns the public recovery key.
func (r *Recovery) RecoveryKey() ed25519.PublicKey {
	return slices.Clone(r.secret().key.Public().(ed25519.PublicKey))
}

// ID returns the id that stands as the author's device in blocks signed by the
// recovery key.
func (r *Recovery) ID() wire.DeviceID { return wire.Device(r.RecoveryKey()) }

// SealingKey returns the public sealing key.
func (r *Recovery) SealingKey() []byte { return r.secret().seal.PublicKey().Bytes() }

// Sign signs content under label with the recovery key.
func (r *Recovery) Sign(label wire.Label, content []byte) []byte {
	return wire.Sign(r.secret().key, label, content)
}

// Format prints no key, whatever the verb.
func (Recovery) Format(f fmt.State, _ rune) { redact(f, "identity.Recovery") }

// derive is HKDF-SHA256 (RFC 5869) of a uniform secret, without salt.
func derive(secret []byte, info string, n int) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, info, n)
	if err != nil {
		panic("identity: HKDF: " + err.Error())
	}
	return key
}
