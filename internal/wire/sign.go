package wire

import (
	"crypto/ed25519"
	"crypto/sha256"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// SigEd25519 is the only value of a sigalg byte today.
const SigEd25519 uint8 = 1

// SignatureSize is the length of an Ed25519 signature in bytes.
const SignatureSize = ed25519.SignatureSize

// Hash is H(label, x...): SHA-256 over opaque8("Kith 1 " + label) and then each
// part as it stands. The caller encodes a part of variable length with
// [Opaque], so that no two lists of parts hash the same bytes.
func Hash(label Label, parts ...[]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{byte(len(labelPrefix) + len(label))})
	h.Write([]byte(labelPrefix))
	h.Write([]byte(label))
	for _, p := range parts {
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// Device returns the id of the device that signs with key.
func Device(key ed25519.PublicKey) DeviceID {
	return DeviceID(Hash(HashDevice, []byte{SigEd25519}, key))
}

// SignContent is what is signed in place of content: the SignContent struct of
// RFC 9420 section 5.1.2 with our own prefix, so that no MLS signature can be
// taken for one of ours.
func SignContent(label Label, content []byte) []byte {
	var w Writer
	w.Vec([]byte(labelPrefix + string(label)))
	w.Vec(content)
	return w.Bytes()
}

// Sign signs content under label.
func Sign(key ed25519.PrivateKey, label Label, content []byte) []byte {
	return ed25519.Sign(key, SignContent(label, content))
}

// zip215 is the one verification rule of Kith: the cofactored equation of
// ZIP-215 for chain, logs and MLS alike. Go's own rule differs from it on
// malicious keys and cannot be batched, so the two must never be mixed.
var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// Verify reports whether signature is key's over content under label.
func Verify(key ed25519.PublicKey, label Label, content, signature []byte) bool {
	return VerifyRaw(key, SignContent(label, content), signature)
}

// VerifyRaw reports whether signature is key's over message as it stands; MLS
// builds its own message (RFC 9420 section 5.1.2).
func VerifyRaw(key ed25519.PublicKey, message, signature []byte) bool {
	if len(key) != ed25519.PublicKeySize || len(signature) != SignatureSize {
		return false
	}
	return voi.VerifyWithOptions(voi.PublicKey(key), message, signature, zip215)
}

// A Batch checks many signatures at once under the rule of [Verify], for about
// a third of the cost each from some dozens on. Its zero value is ready.
type Batch struct {
	v *voi.BatchVerifier
	n int
}

// Add puts one signature into the batch.
func (b *Batch) Add(key ed25519.PublicKey, label Label, content, signature []byte) {
	b.AddRaw(key, SignContent(label, content), signature)
}

// AddRaw is Add for a message that is signed as it stands.
func (b *Batch) AddRaw(key ed25519.PublicKey, message, signature []byte) {
	if b.v == nil {
		b.v = voi.NewBatchVerifier()
	}
	b.v.AddWithOptions(voi.PublicKey(key), message, signature, zip215)
	b.n++
}

// Verify returns whether every signature holds and, in the order of Add, which
// do. It empties the batch.
func (b *Batch) Verify() (bool, []bool) {
	if b.n == 0 {
		return true, nil
	}
	ok, each := b.v.Verify(nil)
	*b = Batch{}
	return ok, each
}
