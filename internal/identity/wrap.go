package identity

import (
	"crypto/hpke"

	"kith/internal/wire"
)

// WrapSize is the length of the key of a bundle wrapped for one device, in bytes: an
// encapsulated key of 1,120 bytes, the key of 32, a tag of 16.
const WrapSize = 1120 + 32 + 16

// WrapKey seals the key of a bundle to a public knock key; HPKE as in a knock, info
// "Kith 1 bundle".
func WrapKey(to []byte, secret [32]byte) ([]byte, error) {
	key, err := hpke.MLKEM768X25519().NewPublicKey(to)
	if err != nil {
		return nil, ErrKnockKey
	}
	return wrapTo(key, secret)
}

// WrapForNobody is a wrap that no device opens, and that looks like all others.
func WrapForNobody() ([]byte, error) {
	return wrapTo(xwing(wire.Random(seedSize)).PublicKey(), [32]byte(wire.Random(32)))
}

func wrapTo(key hpke.PublicKey, secret [32]byte) ([]byte, error) {
	enc, sender, err := hpke.NewSender(key, knockKDF, knockAEAD, []byte(wire.InfoBundle))
	if err != nil {
		return nil, ErrKnockKey
	}
	sealed, err := sender.Seal(nil, secret[:])
	if err != nil {
		return nil, ErrKnockKey
	}
	return append(enc, sealed...), nil
}

// UnwrapKey opens a wrap; false: it is for another device.
func (d *Device) UnwrapKey(wrap []byte) (secret [32]byte, ok bool) {
	if len(wrap) != WrapSize {
		return secret, false
	}
	r, err := hpke.NewRecipient(wrap[:1120], d.secret().knock, knockKDF, knockAEAD, []byte(wire.InfoBundle))
	if err != nil {
		return secret, false
	}
	plain, err := r.Open(nil, wrap[1120:])
	if err != nil || len(plain) != len(secret) {
		return secret, false
	}
	return [32]byte(plain), true
}
