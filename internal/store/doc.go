// Package store is the one database of a node: an encrypted SQLite file, kith.db,
// in the home folder. Nothing else in Kith imports SQLite.
//
// # Vocabulary
//
//   - record: one stored value of a group machine ([group.Record]), found by
//     group, kind and key; the machine is rebuilt from its records.
//   - row: one line of a conversation ([group.Row]), found by its place.
//   - bucket: a named set of small keys and values of the node itself.
//   - read mark: the place up to which a person has read a group.
//
// # Invariants
//
//  1. What [DB.Commit] or [DB.Update] returned nil for survives kill -9 and a
//     power cut. On an error nothing of the transaction is stored.
//  2. A message, that is rows of the same person, content id and commitment,
//     is visible once: at its smallest place that is not withdrawn.
//  3. Before SQLite opens a file, this package has proved that the key fits it.
//     SQLite itself takes a log it cannot read for an old one and deletes it.
//  4. No byte of a record, a row or a bucket reaches a file unencrypted.
//
// docs/spec/store.md says what lies in which file and what a thief of the disk
// learns.
package store
