// Package dag holds the log of one group: every device appends signed entries
// to a log of its own, and each entry names by hash what its author had seen,
// so that all logs together form a Merkle DAG.
//
// Words:
//
//	entry      one header and, kept apart, one ciphertext; this package knows headers only
//	ref        the name of an entry: device, seq, hash cut to 16 bytes
//	prev       the previous entry of the same device
//	parents    the heads of other devices that the author had seen
//	checked    in the graph: prev and parents are checked, and every claim holds
//	parked     waiting for an entry that it names and that is not here yet
//	head       a checked entry that no checked entry names
//	frontier   per device the highest checked seq; what lies below has no gap
//	floor      a frontier from which a newcomer starts
//	part       a piece of the checked graph, written down so that it need not be made of headers again
//	loose      checked, but not exactly, as something before it lies below the floor
//
// Invariants:
//
//   - The checked graph is a function of the set of headers given, never of
//     their order, as long as the parking limits are not reached.
//   - Display order (order, device, seq, hash) never puts an entry before one that it
//     names, whatever clocks its author has.
//   - What [Graph.Next] names, everybody with the same headers accepts.
//   - No receiver's clock is used; only [Graph.Next] is told the time, for an
//     entry of our own.
//   - Membership, signatures and ciphertexts are not judged here; the caller
//     checks a signature before it calls [Graph.Add].
//
// Bytes: docs/spec/entry.md and docs/spec/ack.md.
package dag
