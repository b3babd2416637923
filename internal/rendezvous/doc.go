// Package rendezvous lets two devices that share a secret find each other's
// present addresses where neither can reach the other: on the Mainline DHT of
// BitTorrent, which nobody runs.
//
// Vocabulary. A [Secret] is known to one publisher and to those who may find it.
// A [Record] says where the publisher's link is. A [Slot] is a stretch of time; in
// each, a secret has [Places] places: keys of the DHT that only holders of the
// secret can compute, and that have nothing in common. A [Client] publishes and
// finds records; it asks and never serves.
//
// What holds:
//   - What is stored at a place is a box of one size, whatever is in it, and is
//     signed with the place's key: a node of the DHT can withhold it or give an
//     older one, and nothing else.
//   - A record is signed by its device over a context of the secret, so that it
//     cannot be shown under another secret.
//   - Two places share no byte on the wire, nor do two slots or two secrets,
//     but for the network address they are published from.
//   - A client that is not used has no socket, no goroutine and no traffic.
//
// docs/spec/rendezvous.md has the bytes, the bounds and what each observer sees.
package rendezvous
