// Package link gives two devices an authenticated, encrypted byte link: whole
// frames go in on one side and come out on the other, in order.
//
// Vocabulary. A [Link] is this device's end of one network: it dials and
// accepts. A [Conn] is one connection to one peer. A frame is what one Write
// carries. An [Address] says where a Link can be dialled: the id of its link
// key and some hosts. A [Sighting] is a device heard on the local network.
//
// Two kinds of Link exist: [NewDirect] on QUIC and TCP with TLS 1.3 (its parts
// come from go-libp2p), and [NewMem] in memory. Both pass the one suite in
// linktest. [LAN] finds addresses on the local network and connects to nobody.
//
// What holds of every Conn:
//   - A frame arrives whole, once and in the order of the Writes, or the
//     connection ends.
//   - Write blocks while the peer does not read.
//   - Binding is the same on both ends and differs between connections, so a
//     signature over it cannot be replayed on another connection.
//   - The key of a Link is not a device key. It proves only that both ends of
//     one connection are who dialled and who was dialled; who they are as
//     people is the business of the room above.
//   - A stranger who connects learns that a link is here and nothing more: the
//     first frame is always the dialler's.
//
// docs/spec/link.md has the bytes, the bounds and what each observer sees.
package link
