package link

import "context"

// A Link is this device's end of one network.
type Link interface {
	// Dial connects to the Link whose key is to.Peer at any of to.Hosts. It
	// returns once the other side has answered. The error is ErrUnreachable
	// when nobody did, ErrClosed after Close.
	Dial(ctx context.Context, to Address) (Conn, error)

	// Accept returns the next connection that a peer has dialled.
	Accept(ctx context.Context) (Conn, error)

	// Address is where others can dial this Link: concrete addresses of this
	// machine's interfaces, loopback only if it listens on nothing else.
	Address() Address

	// Changed yields a value whenever Address may have changed. Several
	// changes may come as one value.
	Changed() <-chan struct{}

	// Close ends every connection and waits for what the Link started.
	Close() error
}

// A Conn is one connection to one peer. All methods may be called at once from
// several goroutines; frames of concurrent Writes stay whole.
type Conn interface {
	// Read returns the next whole frame. Frames that arrived before the end of
	// the connection are still returned; then the error is ErrClosed.
	// A cancelled ctx loses nothing: the next Read returns the frame.
	Read(ctx context.Context) ([]byte, error)

	// Write sends one frame of at most MaxFrame bytes and blocks while the
	// peer does not read. When ctx ends in the middle of a frame, the
	// connection ends too; when it ends before, nothing of the frame was sent.
	Write(ctx context.Context, frame []byte) error

	// Binding is the same 32 bytes on both ends of this connection and on no
	// other: the TLS exporter with label "EXPORTER-kith-knock" and an empty
	// context (RFC 8446 section 7.5).
	Binding() [32]byte

	// Remote is the key of the other side and the host it was reached at or
	// seen from. The host of an accepted connection cannot always be dialled.
	Remote() Address

	// Kind is "quic", "tcp", "ws", "relay", "lan" or "mem", for people.
	Kind() string

	// Dialed reports whether this side dialled.
	Dialed() bool

	// Done is closed as soon as the connection is known to be dead. A peer that is
	// gone without a word is noticed 6 to 9 seconds after a Write that it does not
	// get; while nothing is written, after up to 90.
	Done() <-chan struct{}

	// Alert(true) has a peer that is gone noticed in 6 to 9 seconds even while
	// nothing is written, for the price of a packet each way every 2 seconds. A
	// connection begins with Alert(false).
	Alert(on bool)

	// Close ends the connection. Frames already written still arrive if the
	// peer reads them soon.
	Close() error
}

// Address is where a Link can be dialled.
type Address struct {
	// Peer is the id of the link key: the bytes of a libp2p peer id.
	Peer []byte
	// Hosts are texts of docs/spec/link.md, "Host", best first, at most MaxHosts.
	Hosts []string
}
