// Package mls is Messaging Layer Security, RFC 9420: a group of devices that
// agree on keys, epoch by epoch. It knows nothing of Kith.
//
// Words. A [KeyPackage] offers a device to be added. A [PublicGroup] is an
// epoch as anybody can follow it; an [Epoch] is one with the secrets of a
// member. A [Commit] ends an epoch and begins the next; a [StagedCommit] is an
// own one, not yet agreed on, and makes the Welcome for those it adds, who
// [Join] with it. [Ratchets] are the message keys of an epoch. A [Proposed] is a
// proposal that was sent on its own. A group can grow out of another, by
// [Epoch.Branch] or, after a [ReInit], by [Epoch.Reinitialize].
//
// Invariants.
//   - PublicGroup, Epoch, Commit, KeyPackage and the tree under them never
//     change. Processing gives new values; old ones stay valid, and two
//     children of one epoch can live side by side. A failure leaves no trace.
//   - Ratchets alone change. Every move shows in Changes, and is to be stored
//     before what it made possible is sent or shown.
//   - Everything from outside is refused unless it has its one encoding, every
//     length is compared with what is left before memory is taken, and no bytes
//     cause a panic.
//   - Time is an argument and randomness comes from wire.Random: no clock, no
//     I/O, no goroutine.
//   - Signatures are checked by the rule of wire.VerifyRaw.
//
// The files follow the chapters of the RFC. docs/spec/mls.md says what is
// supported, what is refused, and which file holds which section.
package mls
