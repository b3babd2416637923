// Package identity holds the private parts of a device's and a person's keys,
// and is the only package that does: others get signatures and opened boxes.
//
// Words:
//
//	device key     Ed25519; signs blocks, entries, MLS; its hash is the device id
//	knock key      X-Wing HPKE; opens the box by which a dialler says who it is
//	phrase         24 words (BIP 39), 256 bits, kept on paper
//	recovery key   Ed25519 from the phrase; rank 0 of the person chain
//	sealing key    X-Wing HPKE from the phrase
//	info           the preimage of an info commitment: name and picture
//	contact link   one-time invitation to become a friend
//	fingerprint    60 digits that two people compare
//
// Invariants:
//
//   - No private byte leaves a value of this package but through
//     [Device.Marshal] and [NewPhrase]; printing a Device, a Recovery or a
//     ContactLink with any verb says "redacted".
//   - Every signature of ours carries a label; [Device.SignRaw] is for MLS
//     alone, which has its own.
//
// Bytes: docs/spec/contact-link.md and docs/spec/knock.md.
package identity
