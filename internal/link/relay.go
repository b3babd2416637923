package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// The protocol between a relay and those who meet there (docs/spec/link.md). Each
// of the three connections has one stream, which begins with one frame of who
// dialled the relay:
//
//	device          relay          caller
//	  | reserve ----> |              |
//	  | <--- reserved |              |
//	  |               | <---- call   |
//	  | <------ offer |              |
//	  | take -------> |              |     on a connection of its own
//	  | <----- joined | joined ----> |
//	  | <========= bytes =========>  |     TLS between device and caller
//
// A frame is its kind and the fields of that kind, all of fixed size:
//
//	kind       fields
//	1 reserve  ticket 32
//	2 reserved observed host 19, rate 8, circuit bytes 8
//	3 call     link key of the device 32
//	4 offer    token 16
//	5 take     token 16
//	6 joined
//	7 refused  reason 1
//
// and an observed host is
//
//	offset size field
//	0      1    1 QUIC, 2 TCP, 3 WebSocket
//	1      16   IPv6 address, or IPv4 as ::ffff:a.b.c.d
//	17     2    port, big-endian, not zero
const relayProtocol = "/kith/relay/1"

// Kinds of frames; numbers are only appended.
const (
	kindReserve  = 1
	kindReserved = 2
	kindCall     = 3
	kindOffer    = 4
	kindTake     = 5
	kindJoined   = 6
	kindRefused  = 7
)

// Reasons in a refused frame; numbers are only appended. One that is not
// known is as reasonFull.
const (
	reasonFull   = 1
	reasonTicket = 2
	reasonNobody = 3
	reasonOff    = 4
)

const (
	keySize      = 32
	tokenSize    = 16
	observedSize = 1 + 16 + 2
)

// relaySizes are the bytes that follow each kind.
var relaySizes = [...]int{
	kindReserve: TicketSize, kindReserved: observedSize + 8 + 8, kindCall: keySize,
	kindOffer: tokenSize, kindTake: tokenSize, kindJoined: 0, kindRefused: 1,
}

type (
	token     [tokenSize]byte
	publicKey [keySize]byte // an Ed25519 public key
)

// A relayFrame is one frame; only the fields of its kind are looked at.
type relayFrame struct {
	kind     byte
	ticket   [TicketSize]byte
	observed host
	rate     uint64 // bytes per second
	size     uint64 // bytes per circuit
	device   publicKey
	token    token
	reason   byte
}

// append appends the frame to b.
func (f relayFrame) append(b []byte) []byte {
	b = append(b, f.kind)
	switch f.kind {
	case kindReserve:
		b = append(b, f.ticket[:]...)
	case kindReserved:
		b = f.observed.appendObserved(b)
		b = binary.BigEndian.AppendUint64(b, f.rate)
		b = binary.BigEndian.AppendUint64(b, f.size)
	case kindCall:
		b = append(b, f.device[:]...)
	case kindOffer, kindTake:
		b = append(b, f.token[:]...)
	case kindRefused:
		b = append(b, f.reason)
	}
	return b
}

// readRelayFrame reads one frame of any of the kinds wanted. Nothing after it
// is read.
func readRelayFrame(r io.Reader, wanted ...byte) (relayFrame, error) {
	var b [1 + observedSize + 16]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return relayFrame{}, err
	}
	f := relayFrame{kind: b[0]}
	if bytes.IndexByte(wanted, f.kind) < 0 {
		return f, ErrRelayBroken
	}
	rest := b[1 : 1+relaySizes[f.kind]]
	if _, err := io.ReadFull(r, rest); err != nil {
		return f, err
	}
	switch f.kind {
	case kindReserve:
		f.ticket = [TicketSize]byte(rest)
	case kindReserved:
		var ok bool
		if f.observed, ok = parseObserved(rest[:observedSize]); !ok {
			return f, ErrRelayBroken
		}
		f.rate = binary.BigEndian.Uint64(rest[observedSize:])
		f.size = binary.BigEndian.Uint64(rest[observedSize+8:])
	case kindCall:
		f.device = publicKey(rest)
	case kindOffer, kindTake:
		f.token = token(rest)
	case kindRefused:
		f.reason = rest[0]
	}
	return f, nil
}

// writeRelayFrame writes f within farewell, so that who does not read holds nobody.
func writeRelayFrame(w interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}, f relayFrame,
) error {
	w.SetWriteDeadline(time.Now().Add(relayWrite))
	_, err := w.Write(f.append(nil))
	w.SetWriteDeadline(time.Time{})
	return err
}

// appendObserved appends a host without a relay.
func (h host) appendObserved(b []byte) []byte {
	ip := h.at.Addr().As16()
	b = append(b, byte(h.over))
	b = append(b, ip[:]...)
	return binary.BigEndian.AppendUint16(b, h.at.Port())
}

func parseObserved(b []byte) (host, bool) {
	h := host{
		over: medium(b[0]),
		at:   netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[1:17])).Unmap(), binary.BigEndian.Uint16(b[17:])),
	}
	ip := h.at.Addr()
	ok := h.over >= overQUIC && h.over <= overWS && h.at.Port() != 0 && !ip.IsUnspecified() && !ip.IsMulticast()
	return h, ok
}

// refusal is the error of a refused frame.
func refusal(reason byte) error {
	switch reason {
	case reasonTicket:
		return ErrRelayTicket
	case reasonNobody:
		return ErrRelayNobody
	case reasonOff:
		return ErrRelayOff
	}
	return ErrRelayFull
}

var errNotEd25519 = errors.New("link: not the id of an Ed25519 key")

// keyOf is the key in the id of a link.
func keyOf(id peer.ID) (publicKey, error) {
	b := []byte(id)
	if len(b) != peerSize || !bytes.HasPrefix(b, edPeer) {
		return publicKey{}, errNotEd25519
	}
	return publicKey(b[len(edPeer):]), nil
}

// id is the id of the link whose key this is.
func (k publicKey) id() peer.ID { return peer.ID(append(bytes.Clone(edPeer), k[:]...)) }
