// Package group is one group as ONE state machine: the membership chain
// (package chain), the group keys (package mls) and the device logs (package
// dag), which know nothing of each other, and the rules by which they agree.
//
// [Machine.Step] takes one [Input] and returns the [Effects] it wants done; it
// reads no clock, starts no goroutine and touches no storage. On an error the
// machine is unchanged. Whoever drives it commits Effects.Write, Rows, Checked, Void
// and Used in one transaction, and only then sends and notifies; if that
// transaction fails, the machine is thrown away and made again by [Load] from
// the records.
//
// # Invariants
//
//	R1 the MLS roster of an epoch equals the chain's active devices at the
//	   block that carries its commit.
//	R2 an entry is shown only if its author was a member at the block it names.
//	R3 nothing leaves the device, or reaches the screen, before what it depends
//	   on is durable.
//
// # Vocabulary
//
// The head is the block that fork choice picks; the chain is genesis to head.
// Epochs are kept by block hash, so that two branches are followed at once. A
// peer is a member's device with which a session is up; it has named the group
// once it sent a digest of it. What machines say to each other is in frame.go,
// and in docs/spec/sync.md.
package group
