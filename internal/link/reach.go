package link

import (
	"context"
	"errors"
	"net"
	"time"
)

// A Direct is a Link on real networks. Beside what every Link does it comes through
// routers that let nobody in: by a relay, or by a hole that both sides punch.
type Direct interface {
	Link

	// Punch dials the QUIC hosts of to, all at once, while to calls Expect with
	// ours: the packets of both open their routers. The rooms above agree over a
	// relayed connection on the hosts, on the moment, and on who calls what. What
	// comes out is like what Dial returns. It ends after punchLimit.
	Punch(ctx context.Context, to Address) (Conn, error)

	// Expect is the other half of Punch: it sends packets of chance from the
	// listening socket to each QUIC host of from. The connection comes out of Accept,
	// like all that others dial; Expect returns nil once it is there, and
	// ErrUnreachable after punchLimit.
	Expect(ctx context.Context, from Address) error

	// Probe returns those of to's direct hosts at which to.Peer answers a handshake
	// from sockets that nothing else uses. No stream is opened, so its Accept yields
	// nothing. A router that lets in whoever it has sent something to from any
	// port looks open to us if to has dialled us: who probes for a friend should
	// say so, or let one do it that the friend is not connected with.
	Probe(ctx context.Context, to Address) ([]string, error)

	// Packets shares the socket of a family, "udp4" or "udp6", at which this Link listens: its
	// router shows both at one port. Of what comes, those packets are read from what is returned that
	// theirs recognises, which is called for each packet and keeps none; there must be no QUIC among
	// them. One at a time shares it. The error is ErrNoPackets or ErrClosed.
	Packets(network string, theirs func(packet []byte) bool) (net.PacketConn, error)

	// ServeRelay lets others meet at this Link, within the policy's limits; a new
	// policy takes the place of the old. Nil ends all reservations and circuits.
	ServeRelay(policy *RelayPolicy)

	// RelayStats counts what ServeRelay has done since the Link began.
	RelayStats() RelayStats

	// UseRelays keeps reservations at up to MaxReservations of the relays, which
	// are tried in their order, and gives up those at others. Address then names
	// them and Changed tells of it.
	UseRelays(relays []Relay)

	// AlsoAt says at which hosts beside its own addresses others reach this Link: where
	// its router lets them in. Address then names them first, and Changed tells of it.
	AlsoAt(hosts []string)

	// Relays says how it stands with each relay of UseRelays.
	Relays() []RelayState
}

// A RelayPolicy says for whom a Link relays, and how much.
type RelayPolicy struct {
	// Admit reports whether a ticket allows a reservation. It must not take longer for a ticket
	// that is nearly right. Nil allows everybody, and looks at no ticket. Whom a reserved
	// device is called by, is its own affair: who calls needs no ticket.
	Admit func(ticket [TicketSize]byte) bool

	// Bounds; zero is the number of the constant RelayX.
	Reservations int   // devices that can be called here
	Circuits     int   // pairs that are connected here at once
	PerDevice    int   // of these, to one reserved device
	PerCaller    int   // of these, from one IPv4 address or IPv6 /64
	Rate         int64 // bytes per second in all circuits, both ways together
	CircuitRate  int64 // bytes per second in one
	CircuitBytes int64 // bytes in one circuit until it ends
	DayBytes     int64 // bytes in 24 hours; then there are no new circuits and the old ones end
}

// TicketSize is the size of a ticket in bytes.
const TicketSize = 32

// RelayStats counts for people.
type RelayStats struct {
	On           bool
	Reservations int    // now
	Circuits     int    // now
	Served       uint64 // circuits so far
	Refused      uint64 // reservations and circuits that were refused so far
	Bytes        uint64 // carried so far, both ways together
	Today        uint64 // of these, in the present 24 hours
}

// A Relay is where a device behind a router may be called.
type Relay struct {
	Address Address
	// Ticket is what the relay's policy wants; zero where it wants none.
	Ticket [TicketSize]byte
}

// A RelayState says how it stands with a reservation.
type RelayState struct {
	Peer []byte // of the relay
	// Host is where others call us through the relay; empty while there is no reservation.
	Host string
	// Observed is the host that the relay saw us come from: on QUIC what the router
	// has made of the listening socket. The relay may lie about it.
	Observed string
	Since    time.Time // of the reservation
	Err      error     // why there is none: ErrUnreachable or an ErrRelay; nil while waiting for the first answer
}

// Why a relay does not serve.
var (
	// ErrRelayFull: the relay has no room, or carries no more today.
	ErrRelayFull = errors.New("link: the relay has no room: try later, or choose another")

	// ErrRelayTicket: the relay wants another ticket, or any.
	ErrRelayTicket = errors.New("link: the relay does not know this device: ask its owner to allow it")

	// ErrRelayNobody: the device called has no reservation at the relay.
	ErrRelayNobody = errors.New("link: the relay does not hear from the other device")

	// ErrRelayOff: the other side is no relay, or none any more.
	ErrRelayOff = errors.New("link: relaying is switched off there: choose another relay")

	// ErrRelayBroken: the relay does not keep to the protocol.
	ErrRelayBroken = errors.New("link: the relay does not do what a relay does: choose another")
)
