// Package wire is the lowest room of Kith: the canonical codec that every
// signed or hashed structure is written in, the labels that keep one kind of
// hash or signature from being taken for another, the identifiers those hashes
// make, and the one rule by which signatures are checked.
//
// The codec is the TLS presentation language as RFC 9420 section 2.1 uses it:
// integers are big-endian, opaque<V> carries a variable-length prefix in its
// shortest form. A value has exactly one encoding; a [Reader] refuses every
// other, and refuses a length before any memory is taken for it.
//
// docs/spec/wire.md has the same tables with their reasons.
package wire
