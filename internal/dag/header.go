package dag

import (
	"crypto/ed25519"

	"kith/internal/wire"
)

// Version is the only version of an entry header, an Ack and a Reach today.
const Version uint8 = 1

// A Header is one entry of a device's log without its ciphertext.
type Header struct {
	Version        uint8
	Suite          uint16 // of the MLS group that encrypts the entry
	SigAlg         uint8
	Group          wire.GroupID
	Device         wire.DeviceID
	Seq            uint64         // from 1, no gaps
	Prev           wire.EntryHash // zero if Seq is 1
	Parents        []Ref          // ascending; never of Device itself, for which Prev stands
	Block          wire.BlockHash // the chain block whose epoch encrypts the entry
	Lamport        uint64         // 1 + the highest among parents and prev, 1 without any
	Order          uint64         // ms, by which entries are displayed
	Time           uint64         // ms, the author's clock, for people only
	ContentID      wire.ContentID
	ContentCommit  wire.Digest
	CiphertextHash wire.Digest
	Length         uint32 // of the ciphertext, in bytes
	Signature      [wire.SignatureSize]byte

	parsed wire.EntryHash // of the bytes it was parsed from; zero in one that is being made
}

// Hash returns the entry hash. A header that was parsed is changed by [Header.Sign] alone.
func (h *Header) Hash() wire.EntryHash {
	if h.parsed != (wire.EntryHash{}) {
		return h.parsed
	}
	return wire.EntryHash(wire.Hash(wire.HashEntry, h.Bytes()))
}

// Ref returns the name of the entry.
func (h *Header) Ref() Ref { return Ref{h.Device, h.Seq, h.Hash().Short()} }

// Place returns where the entry is displayed.
func (h *Header) Place() Place { return Place{h.Order, h.Device, h.Seq, h.Hash().Short()} }

// AAD returns the authenticated_data of the entry's ciphertext. It covers every
// field that is known before the ciphertext is made.
func (h *Header) AAD() wire.Digest {
	var w wire.Writer
	h.writeOpen(&w)
	return wire.Digest(wire.Hash(wire.HashEntryAAD, w.Bytes()))
}

// SignedBytes returns what is signed under wire.SignEntry: everything but the
// signature.
func (h *Header) SignedBytes() []byte {
	var w wire.Writer
	h.writeOpen(&w)
	h.writeSealed(&w)
	return w.Bytes()
}

// Sign sets the signature to what sign, the signer of the device, makes.
func (h *Header) Sign(sign func(wire.Label, []byte) []byte) {
	h.parsed = wire.EntryHash{}
	h.Signature = [wire.SignatureSize]byte(sign(wire.SignEntry, h.SignedBytes()))
}

// VerifySignature reports whether key, which must be the key of h.Device,
// signed the header.
func (h *Header) VerifySignature(key ed25519.PublicKey) bool {
	return wire.Device(key) == h.Device &&
		wire.Verify(key, wire.SignEntry, h.SignedBytes(), h.Signature[:])
}

// Names calls f for the entry before it in its log, if any, and each parent.
func (h *Header) Names(f func(Ref)) {
	if h.Seq > 1 {
		f(Ref{h.Device, h.Seq - 1, h.Prev.Short()})
	}
	for _, p := range h.Parents {
		f(p)
	}
}

// form checks each field by itself.
func (h *Header) form() error {
	if h.Version != Version {
		return reject(ReasonVersion)
	}
	ok := h.SigAlg == wire.SigEd25519 &&
		h.Seq > 0 && (h.Seq == 1) == (h.Prev == wire.EntryHash{}) &&
		len(h.Parents) <= MaxParents &&
		h.Lamport > 0 && h.Lamport < MaxLamport &&
		h.Length <= MaxCiphertext
	// Lamport values rise along each log, so no seq is above its lamport.
	above := h.Seq <= h.Lamport
	for i, p := range h.Parents {
		ok = ok && p.Seq > 0 && p.Device != h.Device &&
			(i == 0 || h.Parents[i-1].Compare(p) < 0)
		above = above && p.Seq < h.Lamport
	}
	switch {
	case !ok:
		return reject(ReasonForm)
	case !above:
		return reject(ReasonLamport)
	}
	return nil
}
