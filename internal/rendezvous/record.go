package rendezvous

import (
	"crypto/ed25519"
	"slices"

	"kith/internal/wire"
)

// A Record says where the link of a device can be dialled.
type Record struct {
	Key       ed25519.PublicKey // of the device
	Made      uint64            // ms since 1970
	Expiry    uint64            // ms since 1970
	Peer      []byte            // link peer id; never the device key
	Hosts     []string          // best first
	Signature [wire.SignatureSize]byte
}

// Record
//
//	size field
//	1    version, 1
//	1    sigalg, 1
//	32   device key
//	8    made, ms
//	8    expiry, ms
//	V    link peer id, at most 64
//	V    hosts, at most 8; each V of 1 to 128 printable ASCII bytes
//	-- what the signature covers ends here; the context of the secret, 32, stands before it
//	64   signature
//	n    zeros, up to 608 in all
const (
	recordVersion = 1
	recordFixed   = 1 + 1 + ed25519.PublicKeySize + 8 + 8 + wire.SignatureSize
)

// Device returns the id of the device that signed the record. A reader who knows
// whose secret it is compares the two; the holder of a contact link knows only the
// person, and compares once a session has proved the device.
func (r *Record) Device() wire.DeviceID { return wire.Device(r.Key) }

// Sign drops the hosts that do not fit, the last first, and sets the signature to
// what sign, the signer of the device with r.Key, makes.
func (r *Record) Sign(s Secret, sign func(wire.Label, []byte) []byte) {
	r.Hosts = fitting(r.Hosts, len(r.Peer))
	r.Signature = [wire.SignatureSize]byte(sign(wire.SignRendezvous, r.signed(s)))
}

// fitting returns the hosts that a record has room for: each in order, unless it
// alone is too long for what is left.
func fitting(hosts []string, peer int) []string {
	var out []string
	room := plainSize - recordFixed - vector(peer) - 2 // 2: the length before the hosts
	for _, h := range hosts {
		if len(h) == 0 || len(h) > MaxHost || !printable([]byte(h)) || vector(len(h)) > room || len(out) == MaxHosts {
			continue
		}
		room -= vector(len(h))
		out = append(out, h)
	}
	return out
}

// vector is the size of an opaque<V> of n bytes.
func vector(n int) int {
	if n < 1<<6 {
		return n + 1
	}
	return n + 2
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c <= ' ' || c > '~' })
}

// Verify reports whether the device with r.Key signed the record for the secret.
func (r *Record) Verify(s Secret) bool {
	return wire.Verify(r.Key, wire.SignRendezvous, r.signed(s), r.Signature[:])
}

func (r *Record) signed(s Secret) []byte { return append(s.context(), r.fields()...) }

func (r *Record) fields() []byte {
	var w wire.Writer
	w.U8(recordVersion)
	w.U8(wire.SigEd25519)
	w.Raw(r.Key)
	w.U64(r.Made)
	w.U64(r.Expiry)
	w.Vec(r.Peer)
	w.Group(func(w *wire.Writer) {
		for _, h := range r.Hosts {
			w.Vec([]byte(h))
		}
	})
	return w.Bytes()
}

// Marshal encodes the record, always at the same size, or returns nil if it does
// not fit, which it does once signed.
func (r *Record) Marshal() []byte {
	b := append(r.fields(), r.Signature[:]...)
	if len(r.Key) != ed25519.PublicKeySize || len(b) > plainSize {
		return nil
	}
	return append(b, make([]byte, plainSize-len(b))...)
}

// ParseRecord decodes what Marshal made. The signature is not checked.
func ParseRecord(b []byte) (Record, error) {
	if len(b) != plainSize {
		return Record{}, ErrRecord
	}
	var out Record
	r := wire.NewReader(b)
	if r.U8() != recordVersion || r.U8() != wire.SigEd25519 {
		return Record{}, ErrRecord
	}
	out.Key = slices.Clone(r.Raw(ed25519.PublicKeySize))
	out.Made = r.U64()
	out.Expiry = r.U64()
	out.Peer = slices.Clone(r.Vec(MaxPeer))
	r.Each(MaxHosts*(MaxHost+2), MaxHosts, func(r *wire.Reader) {
		h := r.Vec(MaxHost)
		if len(h) == 0 || !printable(h) {
			r.Fail(wire.ErrCanonical)
		}
		out.Hosts = append(out.Hosts, string(h))
	})
	r.Fixed(out.Signature[:])
	if r.Err() != nil || slices.ContainsFunc(r.Rest(), func(c byte) bool { return c != 0 }) {
		return Record{}, ErrRecord
	}
	return out, nil
}

// Box
//
//	size field
//	12   nonce, random
//	608  AES-256-GCM ciphertext of a record, no additional data
//	16   tag

// seal returns the box of a record at a place.
func (p place) seal(r *Record) []byte {
	nonce := wire.Random(nonceSize)
	return p.box.Seal(nonce, nonce, r.Marshal(), nil)
}

// open returns the record of a box that was found at a place with seq.
func (p place) open(s Secret, seq int64, box []byte) (Record, error) {
	if len(box) != boxSize {
		return Record{}, ErrRecord
	}
	plain, err := p.box.Open(nil, box[:nonceSize], box[nonceSize:], nil)
	if err != nil {
		return Record{}, ErrRecord
	}
	r, err := ParseRecord(plain)
	if err != nil {
		return Record{}, err
	}
	// Who holds the secret and is not the publisher could else bring an old record
	// under a new seq.
	if s.Slot(r.Made) != p.slot || p.seq(r.Made) != seq || !r.Verify(s) {
		return Record{}, ErrRecord
	}
	return r, nil
}
