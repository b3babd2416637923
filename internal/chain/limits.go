package chain

// Bounds of the specification: a block over one of them is invalid for
// everybody, so none may change without a feature number (docs/spec/chain.md).
const (
	// MaxHeader bounds a header, in bytes. 64 KiB hold a genesis with 256
	// people of two devices each.
	MaxHeader = 64 << 10

	// MaxBody bounds a body, in bytes. A commit that adds 1,000 people with
	// post-quantum key packages needs about 4 MiB, their proofs as much again.
	MaxBody = 16 << 20

	// MaxOps bounds the ops of one block.
	MaxOps = 256

	// MaxDevices bounds the active devices of one person.
	MaxDevices = 16

	// MaxDevicesEver bounds the devices that one person ever had in a group, whose
	// record names them all: a removal cuts each, and a proof of membership stays
	// below 17 KiB. The last MaxDevices are for who has none left. A person who
	// replaces a phone each month for 20 years stays below it.
	MaxDevicesEver = 256

	// MaxCites bounds what one op cites: a proof and one knock key a device.
	MaxCites = 1 + MaxDevices

	// MaxAttachments bounds the attachments of one body.
	MaxAttachments = MaxOps * MaxCites

	// MaxCuts bounds the devices a removal names: every device the person ever
	// had here.
	MaxCuts = MaxDevicesEver

	// MaxPackages bounds the suites for which a device names a last-resort key
	// package: those of today and as many again to change to.
	MaxPackages = 8

	// MaxVoters bounds the electorate. 31 voters bear ten liars, and a warrant of
	// theirs still fits into one message.
	MaxVoters = 31

	// MaxFeatures bounds the features of a group.
	MaxFeatures = 64

	// MaxProofHeaders bounds the headers of one proof. A person with 16 devices
	// that refreshes its own group monthly for five years stays below it.
	MaxProofHeaders = 1024

	// MaxCreated bounds a genesis's created_at, in ms: it starts the display
	// order, which must stay exact in a float64.
	MaxCreated = 1 << 52

	// QuotaWindow, MaxRekeys, MaxUnparks and MaxAddDevices say that of QuotaWindow
	// times n blocks in a row at most MaxRekeys are one person's Rekeys, at most
	// MaxUnparks its Unparks with no other person's block since the one before, and
	// at most MaxAddDevices of its devices are added while it has others, n people
	// being members. All 16 devices can come at once.
	QuotaWindow   = 16
	MaxRekeys     = 16
	MaxUnparks    = 4
	MaxAddDevices = MaxDevices

	// MaxParked bounds the devices that one Restart parks: what a header has
	// room for.
	MaxParked = 2000
)

// Bounds of ours, which peers need not share.
const (
	// MaxOffer bounds the hashes of an offer: 2 KiB. A locator of a chain of
	// 2^32 blocks takes 33 of them.
	MaxOffer = 64

	// maxOfferTips leaves room for the locator.
	maxOfferTips = 24
)

// KnockKeySize is the length of a knock key, an X-Wing public key, in bytes.
const KnockKeySize = 1216

// tagSize is the length of an MLS confirmation tag: every suite in use hashes
// with SHA-256.
const tagSize = 32
