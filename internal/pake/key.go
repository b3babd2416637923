package pake

import (
	"crypto/hkdf"
	"crypto/sha512"
	"fmt"
	"io"
)

// A Key is what both sides have after a run, and nobody else. It prints as
// "redacted" in every form. The zero value is no key.
type Key struct {
	isk func() *[iskSize]byte // behind a function for fmt, as in identity.Device
}

func newKey(isk *[iskSize]byte) Key { return Key{func() *[iskSize]byte { return isk }} }

// Derive returns a secret for one purpose: HKDF-SHA-512 (RFC 5869) of the draft's
// intermediate session key, without salt; sections 4 and 10.3 want it so. info is a
// label of internal/wire, and what the caller adds to it. It panics for the zero
// Key, which comes with an error that the caller passed over.
func (k Key) Derive(info string) [32]byte {
	if k.isk == nil {
		panic("pake: no key was agreed on")
	}
	b, err := hkdf.Key(sha512.New, k.isk()[:], nil, info, 32)
	if err != nil {
		panic(err) // only for more than 255 hashes
	}
	defer clear(b)
	return [32]byte(b)
}

// Format prints no secret, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { redact(f, "pake.Key") }

// Format prints no code, whatever the verb.
func (Input) Format(f fmt.State, _ rune) { redact(f, "pake.Input") }

// Format prints no secret, whatever the verb.
func (Initiator) Format(f fmt.State, _ rune) { redact(f, "pake.Initiator") }

// Format prints no secret, whatever the verb.
func (Responder) Format(f fmt.State, _ rune) { redact(f, "pake.Responder") }

func redact(f fmt.State, name string) { _, _ = io.WriteString(f, name+"(redacted)") }
