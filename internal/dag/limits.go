package dag

// Limits of the specification: every program must agree on them.
const (
	// MaxParents bounds the parents of an entry. A group that has more heads
	// joins the rest with its next entries.
	MaxParents = 8

	// MaxLamport is the bound (exclusive) of lamport values, so that they are
	// exact in every language's numbers.
	MaxLamport = 1 << 52

	// MaxDrift is how far, in ms, the order of an entry may be beyond the
	// highest order it names: 30 days. It bounds what a wrong clock can do and
	// lets a silent group catch up with the calendar in few entries.
	MaxDrift = 30 * 24 * 60 * 60 * 1000

	// MaxCiphertext bounds the ciphertext of an entry, in bytes: 64 KiB of
	// content, its salt and MLS framing, brought up by padding (at most 12 %).
	MaxCiphertext = 80 << 10

	// MaxHeader is the length of a header with MaxParents parents, in bytes.
	MaxHeader = minHeader + 1 + MaxParents*refSize

	// MaxDevices bounds the devices that a frontier, a floor or an Ack names:
	// the largest group has 10,000.
	MaxDevices = 10_000

	// MaxAckHeads and MaxAckStops bound what an Ack of version 2 names. Every entry joins
	// up to MaxParents heads, so that honest groups have few; a stop stands for a log of
	// which some text is awaited.
	MaxAckHeads = 64
	MaxAckStops = 64

	// MaxFloorHeads bounds the headers in a floor; they become the parents of
	// the newcomer's first entry.
	MaxFloorHeads = MaxParents

	// MaxPeer bounds a link peer id in a Reach, in bytes. Today's have 38.
	MaxPeer = 64

	// MaxHosts and MaxHost bound the addresses in a Reach and the length of
	// each in bytes: three networks with both protocols each, and two relays.
	MaxHosts = 8
	MaxHost  = 128

	// minPadded is the least size of a padded plaintext, in bytes.
	minPadded = 256
)

// Limits of ours.
const (
	// MaxParkedDevice and MaxParked bound the entries that wait for others,
	// per device and in all. A header takes about 0.5 KB, so at most about
	// 5 MB; what does not fit is fetched again when its turn comes.
	MaxParkedDevice = 1_000
	MaxParked       = 10_000

	// maxRefused bounds the memory of refused entries, by which an entry that
	// names one is refused too instead of waiting for ever.
	maxRefused = 10_000

	// gapWindow is how many entries back a false seq is recognised at once; an
	// older one waits in the parking, which is bounded.
	gapWindow = 64

	// maxColumns bounds the devices of which it is kept how far each entry reaches in
	// their logs, 4 bytes an entry and device: as many as one person has.
	maxColumns = 16

	// sketchDepth is how far below the newest entry a sketch looks: two sides that wrote
	// 1,000 entries without each other still find what both have, in 10 refs.
	sketchDepth = 1_024
)
