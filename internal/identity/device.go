package identity

import (
	"crypto/ed25519"
	"crypto/hpke"
	"fmt"
	"io"
	"slices"

	"kith/internal/wire"
)

// A Device is the private side of one device: its device key and knock key.
type Device struct {
	// Behind a function, because fmt looks into unexported fields, calls no
	// Format there, and follows pointers for a verb that does not fit.
	secret func() *deviceSecret
	public ed25519.PublicKey
	id     wire.DeviceID
}

type deviceSecret struct {
	key   ed25519.PrivateKey
	knock hpke.PrivateKey
}

// Stored device, secret
//
//	size field
//	1    version, 1
//	32   Ed25519 seed (RFC 8032 section 5.1.5)
//	32   X-Wing seed (draft-ietf-hpke-pq, MLKEM768-X25519)
const (
	deviceVersion = 1
	seedSize      = 32
)

// NewDevice makes the keys of a new device.
func NewDevice() *Device {
	return newDevice(wire.Random(seedSize), wire.Random(seedSize))
}

func newDevice(sign, knock []byte) *Device {
	key := ed25519.NewKeyFromSeed(sign)
	public := key.Public().(ed25519.PublicKey)
	secret := &deviceSecret{key, xwing(knock)}
	return &Device{
		secret: func() *deviceSecret { return secret },
		public: public,
		id:     wire.Device(public),
	}
}

// xwing returns the X-Wing key of a seed; each seed has one.
func xwing(seed []byte) hpke.PrivateKey {
	key, err := hpke.MLKEM768X25519().NewPrivateKey(seed)
	if err != nil {
		panic("identity: X-Wing seed: " + err.Error())
	}
	return key
}

// Marshal encodes the device with its private keys, for the encrypted store
// only.
func (d *Device) Marshal() []byte {
	knock, err := d.secret().knock.Bytes()
	if err != nil {
		panic("identity: X-Wing key: " + err.Error())
	}
	var w wire.Writer
	w.U8(deviceVersion)
	w.Raw(d.secret().key.Seed())
	w.Raw(knock)
	return w.Bytes()
}

// ParseDevice decodes what Marshal made.
func ParseDevice(b []byte) (*Device, error) {
	r := wire.NewReader(b)
	if r.U8() != deviceVersion {
		return nil, ErrDevice
	}
	sign, knock := r.Raw(seedSize), r.Raw(seedSize)
	if r.Done() != nil {
		return nil, ErrDevice
	}
	return newDevice(slices.Clone(sign), slices.Clone(knock)), nil
}

// ID returns the device id.
func (d *Device) ID() wire.DeviceID { return d.id }

// PublicKey returns the public device key.
func (d *Device) PublicKey() ed25519.PublicKey { return slices.Clone(d.public) }

// KnockKey returns the public knock key.
func (d *Device) KnockKey() []byte { return d.secret().knock.PublicKey().Bytes() }

// Sign signs content under label with the device key.
func (d *Device) Sign(label wire.Label, content []byte) []byte {
	return wire.Sign(d.secret().key, label, content)
}

// SignRaw signs message as it stands. It is for MLS, whose messages begin with
// a label of its own (RFC 9420 section 5.1.2).
func (d *Device) SignRaw(message []byte) []byte {
	return ed25519.Sign(d.secret().key, message)
}

// Format prints no key, whatever the verb.
func (Device) Format(f fmt.State, _ rune) { redact(f, "identity.Device") }

func redact(f fmt.State, name string) { _, _ = io.WriteString(f, name+"(redacted)") }
