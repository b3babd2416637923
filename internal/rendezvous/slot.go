package rendezvous

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"time"

	"kith/internal/wire"
)

// A Secret is what a record is published under. One device publishes under it: each
// direction of a pair has a secret of its own.
type Secret [32]byte

// NewSecret draws a secret.
func NewSecret() Secret { return Secret(wire.Random(32)) }

// Format does not print the secret, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "rendezvous.Secret(redacted)")
}

// LogValue does not log the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue("rendezvous.Secret(redacted)") }

// A Slot is the number of a stretch of SlotLength, counted from 1970 and shifted
// by the secret's phase: secrets of one device do not change places together.
type Slot uint64

// Slot returns the slot of the time ms, in ms since 1970.
func (s Secret) Slot(ms uint64) Slot {
	return Slot((ms/1000 + s.phase()) / uint64(SlotLength/time.Second))
}

// Slots returns the slots a reader asks for at the time ms, the likeliest first.
func (s Secret) Slots(ms uint64) []Slot {
	at := s.Slot(ms)
	slots := []Slot{at}
	if back := uint64(searchBack / time.Millisecond); ms > back && s.Slot(ms-back) != at {
		slots = append(slots, s.Slot(ms-back))
	}
	if next := s.Slot(ms + uint64(searchAhead/time.Millisecond)); next != at {
		slots = append(slots, next)
	}
	return slots
}

// Next returns when a record that was published at the time ms is to be published
// anew, if its hosts stay the same: after PublishEvery, or when the slot changes.
func (s Secret) Next(ms uint64) uint64 {
	ends := (uint64(s.Slot(ms))+1)*uint64(SlotLength/time.Second) - s.phase()
	return min(ms+uint64(PublishEvery/time.Millisecond), ends*1000)
}

func (s Secret) phase() uint64 {
	b := s.derive(wire.InfoRendezvousPhase, 4)
	return uint64(binary.BigEndian.Uint32(b)) % uint64(SlotLength/time.Second)
}

// context stands before what is signed, in place of the secret.
func (s Secret) context() []byte { return s.derive(wire.InfoRendezvousContext, 32) }

// derive is HKDF-SHA256 (RFC 5869) of the secret, without salt.
func (s Secret) derive(info string, n int) []byte {
	key, err := hkdf.Key(sha256.New, s[:], nil, info, n)
	if err != nil {
		panic("rendezvous: HKDF: " + err.Error())
	}
	return key
}

// A place is where in the DHT a record of one slot is put, and the keys for it.
type place struct {
	key    ed25519.PrivateKey // of the item
	box    cipher.AEAD
	base   uint32 // seq at the beginning of the slot
	slot   Slot
	begins uint64 // s since 1970
}

// Derivation of place n of a slot, by HKDF-SHA256 without salt, info the text and
//
//	size field
//	8    slot
//	1    n, from 0
//
//	"Kith 1 rendezvous place" makes
//
//	size field
//	32   seed of the item's Ed25519 key
//	32   AES-256 key of the box
//	4    seq at the beginning of the slot
func (s Secret) place(slot Slot, n int) place {
	info := binary.BigEndian.AppendUint64([]byte(wire.InfoRendezvousPlace), uint64(slot))
	b := s.derive(string(append(info, byte(n))), 68)
	block, err := aes.NewCipher(b[32:64])
	if err != nil {
		panic("rendezvous: AES: " + err.Error())
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		panic("rendezvous: GCM: " + err.Error())
	}
	return place{
		key:    ed25519.NewKeyFromSeed(b[:32]),
		box:    box,
		base:   binary.BigEndian.Uint32(b[64:]),
		slot:   slot,
		begins: uint64(slot)*uint64(SlotLength/time.Second) - s.phase(),
	}
}

func (p place) public() ed25519.PublicKey { return p.key.Public().(ed25519.PublicKey) }

// target is the item's id in the DHT: BEP 44 without salt. A salt would join the
// places of a slot by their common key.
func (p place) target() nodeID { return nodeID(sha1.Sum(p.public())) }

// seq counts seconds of the slot from a number of the place's own: nodes take what
// is newer, and cannot tell two places of one publisher by it.
func (p place) seq(made uint64) int64 { return int64(p.base) + int64(made/1000) - int64(p.begins) }

// sign signs an item as BEP 44 has it; value is bencoded.
func (p place) sign(seq int64, value []byte) []byte {
	return ed25519.Sign(p.key, signedItem(seq, value))
}

func (p place) verify(seq int64, value, signature []byte) bool {
	return wire.VerifyRaw(p.public(), signedItem(seq, value), signature)
}

func signedItem(seq int64, value []byte) []byte {
	return append(fmt.Appendf(nil, "3:seqi%de1:v", seq), value...)
}
