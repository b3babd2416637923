// Package mailnats keeps the drops and items of a mailbox in a stream of NATS JetStream: a
// mailbox for many, on several machines. kith is a client of the servers, which are programs of
// their own (docs/operators.md, docs/adr/0047-mailbox-engine-for-many.md).
//
// All of a drop is on one subject of the stream. Each change of it, that it is made, a put, a
// delete, is one message, which holds the whole state after it (record.go), and is taken by the
// servers only if it follows on the message that it was made from. So several mailboxes may serve
// the same stream at once, and a change whose answer was lost is looked
// for before it is made again.
package mailnats
