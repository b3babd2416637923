package pake

// Sizes of the specification, in bytes.
const (
	// MessageASize is the length of what the initiator sends first: a share.
	MessageASize = shareSize

	// MessageBSize is the length of the answer: a share and a tag.
	MessageBSize = shareSize + tagSize

	// ConfirmationSize is the length of what the initiator sends last: a tag.
	ConfirmationSize = tagSize

	// shareSize is the length of an encoded element (RFC 9496 section 4.3.2).
	shareSize = 32

	// tagSize is that of an HMAC-SHA-512, uncut.
	tagSize = 64

	// iskSize is that of the intermediate session key: a SHA-512.
	iskSize = 64
)

// Limits of ours, in bytes. The draft has none.
const (
	// MaxCode bounds a code: a dozen long words are said in it.
	MaxCode = 256

	// MaxChannel bounds what both sides know of the purpose of the run and of
	// each other.
	MaxChannel = 4 << 10

	// MinSession makes ids of sessions that are drawn at random differ; the draft
	// would let them be empty, and says why they should not be (section 10.9).
	MinSession = 16

	// MaxSession bounds them: two hashes.
	MaxSession = 64

	// MaxAssociated bounds what each side says beside its share.
	MaxAssociated = 4 << 10
)
