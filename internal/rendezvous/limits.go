package rendezvous

import "time"

// Of the format (docs/spec/rendezvous.md): every program must agree on them.
const (
	// SlotLength is how long the places of a secret stay the same. A reader asks for
	// all slots of the last searchBack and the next searchAhead, at most two.
	SlotLength  = 6 * time.Hour
	searchBack  = 3 * time.Hour // nodes keep an item for 2 h (BEP 44); a clock may be 1 h off
	searchAhead = time.Hour

	// PublishEvery is after how long a record is published anew.
	PublishEvery = time.Hour

	// Places is how many places a record is put at.
	Places = 3

	// MaxPeer, MaxHosts and MaxHost bound what a record names, as in a Reach.
	MaxPeer  = 64
	MaxHosts = 8
	MaxHost  = 128

	// boxSize is the value of an item in bytes, whatever is in it. A reply with it
	// and eight IPv6 nodes stays below 1,232 bytes, what every path carries in one
	// packet (RFC 8200 section 5); BEP 44 itself allows 996.
	boxSize   = 636
	nonceSize = 12
	tagSize   = 16
	plainSize = boxSize - nonceSize - tagSize
)

// Of BEP 5 and BEP 44.
const (
	idSize    = 20
	nodeSize4 = idSize + 4 + 2
	nodeSize6 = idSize + 16 + 2
)

// Ours: another implementation may choose differently.
const (
	// closestNodes is at how many nodes an item is kept; closestSecure more of
	// those whose id follows from their address (BEP 42), which nobody can choose
	// freely.
	closestNodes  = 8
	closestSecure = 4

	// wideNodes is how many of the closest are asked once the first closestNodes
	// had nothing: others may have come to stand before them since the put.
	wideNodes = 24

	// perNetwork bounds the nodes of one network (IPv4 /24, IPv6 /48) among the
	// closest. Loopback is free of it.
	perNetwork = 2

	// itemLife is how long nodes keep an item (BEP 44).
	itemLife = 2 * time.Hour
	maxItems = 8192 // places we remember to have put at

	// parallel bounds the young queries of one lookup. A query is young for slowAfter;
	// it is given up after queryLimit.
	parallel   = 5
	slowAfter  = 400 * time.Millisecond
	queryLimit = 2 * time.Second

	// maxQueries and maxCandidates bound one lookup, whatever nodes answer.
	maxQueries    = 80
	maxCandidates = 400
	lookupLimit   = 12 * time.Second

	// lookAround is how long Find looks for a newer record after the first.
	lookAround = 250 * time.Millisecond

	// otherSlotAfter is the head start of the slot of now over the other.
	otherSlotAfter = 700 * time.Millisecond

	// maxPublishing and maxFinding bound the calls under way; others wait for a turn.
	maxPublishing = 4
	maxFinding    = 8

	// bootstrapAfter is how long nodes known before may take until those of the list
	// are asked too.
	bootstrapAfter = time.Second
	resolveLimit   = 5 * time.Second
	resolvedFor    = 10 * time.Minute
	maxResolved    = 4 // addresses of one name
	maxBootstrap   = 32

	// retryFamily is how long one of IPv4 and IPv6 is left alone when nobody answers
	// there, and somebody does in the other.
	retryFamily = 30 * time.Minute

	// seedNodes bounds the nodes known before that a lookup begins with.
	seedNodes = 12

	// maxGood and maxGiven bound the nodes remembered: that answered, and that somebody
	// named.
	maxGood  = 256
	maxGiven = 256

	// idleAfter is how long the sockets stay open unused.
	idleAfter = 3 * time.Minute

	// maxPacket bounds a packet from the network; what is longer is cut, and then
	// refused. maxToken bounds what a node wants to have back with a put.
	maxPacket = 2048
	maxToken  = 64
	maxDepth  = 8

	// maxReplyNodes bounds the nodes taken from one reply; BEP 5 says 8.
	maxReplyNodes = 16
)
