package mls

// Bounds of RFC 9420 and its registries.
const (
	protocolMLS10 = 1 // ProtocolVersion mls10

	// MaxExport is the largest output of HKDF-SHA256, in bytes.
	MaxExport = 255 * 32
)

// Bounds of ours, in bytes where not said otherwise. A length is compared with
// its bound before memory is taken for it.
const (
	// MaxLeaves bounds the members of one group, in leaves. 65,536 is several
	// times the 10,000 the design aims at, and keeps a node index in 17 bits.
	MaxLeaves = 1 << 16

	// MaxTree bounds a ratchet tree: MaxLeaves leaves of about 1 KiB.
	MaxTree = 1 << 26

	// MaxMessage bounds every other message. A commit that adds 10,000 members
	// of 600 bytes each, with their path secrets, stays below it.
	MaxMessage = 1 << 24

	// maxKey bounds a public key or a KEM output: ML-KEM-1024 with P-384 has 1,665.
	maxKey = 2048

	// maxSignature bounds a signature; the largest registered one, ECDSA P-521
	// in DER, has 139.
	maxSignature = 256

	// maxHash bounds a hash, a MAC or a secret; SHA-512 has 64.
	maxHash = 255

	// minHash and minKEMOutput are what the smallest suites have. Shorter ones
	// are refused while decoding: a few bytes must not become many values.
	minHash      = 32
	minKEMOutput = 32

	// MaxIdentity bounds the identity of a basic credential and one X.509
	// certificate.
	MaxIdentity = 1 << 14

	maxCertificates = 16 // in a chain

	// MaxGroupID bounds a group id; RFC 9420 suggests KDF.Nh, 32 or 64.
	MaxGroupID = 255

	// MaxExtensionData bounds one extension; a ratchet_tree has MaxTree instead.
	MaxExtensionData = 1 << 20
	maxExtensions    = 64  // in a list
	maxCapabilities  = 256 // values in one list of capabilities

	// MaxProposals bounds the proposals of one commit: an Add for each of
	// 10,000 members, and room.
	MaxProposals = 1 << 14

	// MaxOtherProposals bounds the proposals of one commit that are neither Add
	// nor Remove, by value.
	MaxOtherProposals = 1 << 10

	// MaxProposalData bounds the body of a proposal of a custom type.
	MaxProposalData = 1 << 20

	// MaxExternalSenders bounds the list in an external_senders extension.
	MaxExternalSenders = 256

	// MaxAuthenticatedData bounds the authenticated_data of a message.
	MaxAuthenticatedData = 1 << 16

	// MaxPSKs bounds the pre-shared keys of one commit or Welcome.
	MaxPSKs  = 64
	maxPSKID = 1 << 10

	// MaxSkipped bounds the unused message keys kept for one sender and kind
	// of message: 44 kB of memory for a sender whose messages arrive in reverse.
	// Over it the oldest go.
	MaxSkipped = 1000

	// MaxForward bounds how far one message may be ahead of its sender's
	// ratchet, in generations: 3 ms of hashing for a message that may be forged
	// by another member. [Epoch.DecryptAhead] goes further.
	MaxForward = 1000

	// MaxKept bounds the keys that leaps passed and that wait for their messages, of one
	// epoch, in room for 128 at once: 7 MB of memory and of records, 11 with the longest keys,
	// and the third of a second to derive them.
	MaxKept = 1 << 18
)
