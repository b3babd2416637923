// Package peer is a session with one other device over one link: both sides
// prove who they are before a word is said, then messages for several groups go
// both ways, bounded in size, rate and memory.
//
// Vocabulary
//
//	knock      the dialler's first frame: a box that only the wanted device can
//	           open, with the dialler's ids and its signature over this connection.
//	request    the other first frame: what a stranger who holds a contact link
//	           sends, sealed with the link's secret.
//	card       what two people tell each other first: the headers of their
//	           person chains, their names, first key packages and addresses.
//	stranger   whoever dials and proves neither of the two.
//	session    a connection on which both sides have proved their device.
//	channel    32 bytes that say whom a message is for inside the node: a group
//	           id, or zero for the node itself.
//	fragment   one frame of a message.
//	tree       in a large group, the way of a payload from neighbour to neighbour:
//	           a machine without clock, goroutine and I/O, in the files tree*.go.
//
// What always holds
//
//   - A stranger gets no frame. Its connection is closed the same time after it
//     began, whatever was wrong with what it sent or did not send.
//   - A proof holds for one connection and one pair of devices: what is signed
//     names both devices and the connection's binding.
//   - At most one box is opened per connection.
//   - After the handshake every frame is sealed from device to device: a link
//     carries names, titles and group ids without reading them.
//   - Memory for a message is taken as its bytes arrive. Who sends faster than
//     we read waits; who breaks the format loses the session.
//   - Nothing here knows what a message means.
//
// docs/spec/broadcast.md has the tree; docs/spec/peer.md has the bytes, the bounds and what each observer sees.
package peer
