package link

import "errors"

// Facts a caller branches on.
var (
	// ErrClosed: the connection or the Link has ended, by either side.
	ErrClosed = errors.New("link: the connection has ended")

	// ErrUnreachable: nobody answered at any host of the address.
	ErrUnreachable = errors.New("link: the other device does not answer: it may be off, or a firewall is between")

	// ErrNoHost: the address names no host this Link could dial.
	ErrNoHost = errors.New("link: the address names no host that can be dialled from here: ask the other person for a new contact link")

	// ErrSelf: the address is this Link's own.
	ErrSelf = errors.New("link: this is the address of this device itself")

	// ErrFrameTooLong: a frame is over MaxFrame.
	ErrFrameTooLong = errors.New("link: the frame is over 65 KiB")

	// ErrNotPostQuantum: the peer did not agree on X25519MLKEM768.
	ErrNotPostQuantum = errors.New("link: the other side offers no post-quantum key exchange: it must be updated")

	// ErrPortTaken: another program listens on the port asked for.
	ErrPortTaken = errors.New("is in use by another program: choose another with --listen")
)
