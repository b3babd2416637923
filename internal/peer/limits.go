package peer

import (
	"time"

	"kith/internal/identity"
	"kith/internal/wire"
)

// Of the format (docs/spec/peer.md): both sides must agree on these.
const (
	// MaxMessage bounds one message in bytes: a block body of 16 MiB, with
	// 1 MiB for its header and what stands around it.
	MaxMessage = 17 << 20

	// fragmentSize is the payload of every fragment of a message but its last,
	// in bytes. With 52 bytes around it fits a link frame of 65 KiB; at
	// 1 MB/s a short message waits 65 ms for the fragment before it.
	fragmentSize = 64 << 10

	// maxStreams bounds the long messages under way in one direction: two
	// bodies at once, and never more than 34 MiB half received.
	maxStreams = 2

	// MaxCard bounds an encoded card in bytes, so that a request is one link
	// frame: 8 post-quantum key packages (24 KiB) and some 70 headers.
	MaxCard = 60 << 10

	// MaxHeaders bounds the headers in a card. The shortest header of a
	// person's chain takes 380 bytes; more would not fit MaxCard.
	MaxHeaders = 160

	// MaxKeyPackages bounds the key packages in a card: what a friend is given
	// at once and refilled when four are left.
	MaxKeyPackages = 8

	// maxKeyPackage bounds one key package in bytes; a post-quantum one has 3 KiB.
	maxKeyPackage = 8 << 10

	// maxHosts and maxHost bound the addresses in a card and one of them, in bytes.
	maxHosts = 8
	maxHost  = 128

	// sealedUnit is what the content of a request and its answer is padded to
	// a multiple of, in bytes: the size of the box tells no length of a name.
	sealedUnit = 4 << 10

	// Sizes of the first frames, in bytes.
	knockFrame   = 1 + identity.KnockSize
	answerFrame  = 1 + wire.SignatureSize
	tagSize      = 16
	boxOverhead  = 12 + 16 // AES-GCM nonce and tag
	maxSealed    = (MaxCard + 4 + 32 + wire.SignatureSize + sealedUnit - 1) / sealedUnit * sealedUnit
	maxReqFrame  = 1 + tagSize + maxSealed + boxOverhead
	maxReqAnswer = 1 + maxSealed + boxOverhead
)

// Ours: another implementation may choose differently.
const (
	// refuseAfter is how long after it began a stranger's connection is closed.
	// It is also how long the first frame may take: five round trips of the
	// slowest satellite line and a second to spare.
	refuseAfter = 5 * time.Second

	// handshakeLimit ends a handshake on the dialler's side. It is longer than
	// refuseAfter, so that the listener decides; a disk that stores a request
	// may take seconds.
	handshakeLimit = 10 * time.Second

	// writeStall ends a session whose peer has taken nothing for so long. A
	// machine that is asleep is noticed by the link; this is one that is awake
	// and does not read.
	writeStall = 2 * time.Minute

	// maxQueue bounds what waits to be sent on one session, in bytes: two
	// messages of full size. Answers wait for room ([Session.Room]).
	maxQueue = 2 * MaxMessage

	// queueCost is what a queued message counts beside its payload, in bytes,
	// so that empty messages fill the queue too.
	queueCost = 128

	// shortRun is how many short messages go before a long one gets its turn:
	// a steady flow of short ones leaves it a ninth of the frames and, most
	// short ones being far smaller than a fragment, most of the bytes.
	shortRun = 8

	// What one peer may send: bytes and messages per second, and at once. 64
	// MiB/s fills half a gigabit, more than a disk here writes with encryption.
	// A message costs a signature check, 50 us: 5,000 a second are a quarter of
	// one core. Beyond it nothing is read until the peer's share is back.
	byteRate     = 64 << 20
	byteBurst    = 64 << 20
	messageRate  = 5000
	messageBurst = 10000
)

// Of bans; ours too.
const (
	// banAt is the weight at which a device or host is banned. One broken frame
	// weighs a quarter: a bug of an old version that shows once a day bans nobody.
	banAt        = 100
	weightFormat = 25
	weightKnock  = 1

	// The time after which one unit of weight is forgotten. A network stands for
	// many people, and a removed device that redials every few seconds must not
	// shut out its neighbours: only what comes faster than once a second counts.
	deviceForgive = 10 * time.Second
	hostForgive   = time.Second

	// How long a ban holds. A host may stand for many people behind one address.
	deviceBan = time.Hour
	hostBan   = 10 * time.Minute

	// maxRecords bounds the devices and hosts remembered, about 100 bytes each.
	maxRecords = 4096
)
