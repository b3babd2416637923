// Package mailbox is a blind store: people who are never on at the same time
// leave sealed items for each other at a program that anybody can run. It has
// both sides, the server and its client.
//
// # Vocabulary
//
//   - drop: a place at a mailbox, named by 32 bytes that say nothing, where
//     items lie one after the other until the drop expires.
//   - item: opaque bytes of one of three sizes.
//   - capability: 32 secret bytes that let one write into, or read from, one drop.
//   - access: the secret, one for all users of a mailbox, that lets one make drops.
//   - position: the number of an item in its drop, from 1 on, never given twice.
//   - turn: a moment of a day at which one member of a group puts or reads.
//
// # Invariants
//
//  1. What was acknowledged survives kill -9 and a power cut, until its drop
//     expires or its reader deletes it. Nothing is thrown away to make room.
//  2. Of an item the mailbox keeps its bytes and its position; of a drop its name,
//     the hashes of two capabilities and the hour at which it expires. Nothing else.
//  3. Who has neither access nor a capability gets no frame. A drop that does not
//     exist and a wrong capability have the same answer, after the same work.
//
// docs/spec/mailbox.md has the bytes, what a mailbox can do by lying, and what it
// can still tell from what it sees.
package mailbox
