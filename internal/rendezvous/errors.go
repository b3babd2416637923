package rendezvous

import "errors"

// Facts a caller branches on.
var (
	// ErrNotFound: nodes answered, and none had a record. The publisher may be off.
	ErrNotFound = errors.New("rendezvous: no record is there: the other device may be off")

	// ErrNoWayIn: no node of the DHT answered.
	ErrNoWayIn = errors.New("rendezvous: no node of the DHT answers: the network may block it")

	// ErrNotTaken: nodes answered, and none took the record.
	ErrNotTaken = errors.New("rendezvous: no node of the DHT took the record")

	// ErrClosed: the client was closed.
	ErrClosed = errors.New("rendezvous: the client is closed")

	// ErrRecord: a record or its box is malformed, or its signature does not hold.
	ErrRecord = errors.New("rendezvous: not a record of this secret")

	// ErrUnsigned: Publish was given a record that is not signed for the secret, or
	// one that does not fit.
	ErrUnsigned = errors.New("rendezvous: the record is not signed for this secret")

	// ErrBootstrap: an entry of Config.Bootstrap is not HOST:PORT.
	ErrBootstrap = errors.New("rendezvous: a way into the DHT is written HOST:PORT")
)
