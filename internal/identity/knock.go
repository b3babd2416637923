package identity

import (
	"crypto/ed25519"
	"crypto/hpke"

	"kith/internal/wire"
)

// A Knock is what a dialler says to the device it dials: who it is, proved for
// this connection only.
type Knock struct {
	Member    wire.Member
	Flags     uint8
	Signature [wire.SignatureSize]byte // see Device.SignKnock
}

// FlagProof says that a device proof follows the knock at once.
const FlagProof uint8 = 1

// Knock
//
//	size field
//	1120 encapsulated key
//	208  sealed plaintext:
//	       32 person id
//	       32 device id
//	       1  flags; bit 0: a device proof follows; others zero
//	       64 signature of the device key
//	       63 zero
//
// HPKE (RFC 9180) base mode: MLKEM768-X25519 (X-Wing), HKDF-SHA256,
// AES-256-GCM, info "Kith 1 knock", no aad.
const knockPlain = 192

// knockKDF and knockAEAD complete X-Wing to the HPKE suite of a knock.
var (
	knockKDF  = hpke.HKDFSHA256()
	knockAEAD = hpke.AES256GCM()
)

// SealKnock seals k to a public knock key. The result has KnockSize bytes.
func SealKnock(to []byte, k Knock) ([]byte, error) {
	box, _, err := SealKnockSession(to, k)
	return box, err
}

// SealKnockSession is SealKnock with a secret that only this device and the one
// that opens the box have: the HPKE exporter's (RFC 9180 section 5.3).
func SealKnockSession(to []byte, k Knock) (box []byte, secret [32]byte, err error) {
	key, err := hpke.MLKEM768X25519().NewPublicKey(to)
	if err != nil {
		return nil, secret, ErrKnockKey
	}
	var w wire.Writer
	w.Raw(k.Member.Person[:])
	w.Raw(k.Member.Device[:])
	w.U8(k.Flags)
	w.Raw(k.Signature[:])
	w.Raw(make([]byte, knockPlain-w.Len()))
	enc, sender, err := hpke.NewSender(key, knockKDF, knockAEAD, []byte(wire.InfoKnock))
	if err != nil {
		return nil, secret, ErrKnockKey
	}
	sealed, err := sender.Seal(nil, w.Bytes())
	if err != nil {
		return nil, secret, ErrKnockKey
	}
	shared, err := sender.Export(wire.InfoSession, len(secret))
	if err != nil {
		return nil, secret, ErrKnockKey
	}
	return append(enc, sealed...), [32]byte(shared), nil
}

// OpenKnock opens a knock that was sealed to this device. The signature in it
// is for the caller to verify, with [VerifyKnock].
func (d *Device) OpenKnock(box []byte) (Knock, error) {
	k, _, err := d.OpenKnockSession(box)
	return k, err
}

// OpenKnockSession is OpenKnock with the secret of SealKnockSession.
func (d *Device) OpenKnockSession(box []byte) (k Knock, secret [32]byte, err error) {
	if len(box) != KnockSize {
		return Knock{}, secret, ErrKnock
	}
	enc, sealed := box[:KnockSize-knockPlain-16], box[KnockSize-knockPlain-16:]
	r, err := hpke.NewRecipient(enc, d.secret().knock, knockKDF, knockAEAD, []byte(wire.InfoKnock))
	if err != nil {
		return Knock{}, secret, ErrKnock
	}
	plain, err := r.Open(nil, sealed)
	if err != nil {
		return Knock{}, secret, ErrKnock
	}
	shared, err := r.Export(wire.InfoSession, len(secret))
	if err != nil {
		return Knock{}, secret, ErrKnock
	}
	k, err = parseKnock(plain)
	return k, [32]byte(shared), err
}

func parseKnock(plain []byte) (k Knock, err error) {
	r := wire.NewReader(plain)
	r.Fixed(k.Member.Person[:])
	r.Fixed(k.Member.Device[:])
	k.Flags = r.U8()
	r.Fixed(k.Signature[:])
	for _, b := range r.Rest() {
		if b != 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	if r.Err() != nil || len(plain) != knockPlain || k.Flags&^FlagProof != 0 {
		return Knock{}, ErrKnock
	}
	return k, nil
}

// SignKnock signs the dialler's statement that from, this device, dials to over
// the connection with this binding.
func (d *Device) SignKnock(from, to wire.DeviceID, binding [32]byte) [wire.SignatureSize]byte {
	return [wire.SignatureSize]byte(d.Sign(wire.SignKnock, knockContent(from, to, binding)))
}

// SignKnockAnswer signs the answer of to, this device, to a knock of from; the
// ids stand in the same order as in the knock.
func (d *Device) SignKnockAnswer(from, to wire.DeviceID, binding [32]byte) [wire.SignatureSize]byte {
	return [wire.SignatureSize]byte(d.Sign(wire.SignKnockAnswer, knockContent(from, to, binding)))
}

// VerifyKnock reports whether key is that of from, and made the signature of a
// knock at to.
func VerifyKnock(key ed25519.PublicKey, from, to wire.DeviceID, binding [32]byte, signature [wire.SignatureSize]byte) bool {
	return wire.Device(key) == from &&
		wire.Verify(key, wire.SignKnock, knockContent(from, to, binding), signature[:])
}

// VerifyKnockAnswer reports whether key is that of to, and made the signature
// of an answer to a knock of from.
func VerifyKnockAnswer(key ed25519.PublicKey, from, to wire.DeviceID, binding [32]byte, signature [wire.SignatureSize]byte) bool {
	return wire.Device(key) == to &&
		wire.Verify(key, wire.SignKnockAnswer, knockContent(from, to, binding), signature[:])
}

func knockContent(from, to wire.DeviceID, binding [32]byte) []byte {
	var w wire.Writer
	w.Raw(from[:])
	w.Raw(to[:])
	w.Raw(binding[:])
	return w.Bytes()
}
