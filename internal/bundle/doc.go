// Package bundle is what carries groups' payloads where no session is: a file for people to
// hand over, or items in a mailbox. It is signed by the device that made it, sealed for whom
// it is, and as long as its padding says. It is read and written in a stream, chunk by chunk;
// what comes out of a chunk was signed.
//
// # Vocabulary
//
// A wrap is the key of a file sealed to one device. An item is a piece of a bundle with the
// length of all items of its size. docs/spec/bundle.md has the bytes.
package bundle
