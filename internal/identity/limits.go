package identity

// Limits of the specification.
const (
	// MaxName bounds a name or title, in runes: one line on a telephone.
	MaxName = 64

	// maxNameBytes follows from MaxName: a rune has at most 4 bytes.
	maxNameBytes = 4 * MaxName

	// MaxInfo is the length of an encoded Info with the longest name, in bytes.
	MaxInfo = 32 + 2 + maxNameBytes + 32

	// MaxLinkText bounds the text of a contact link, in bytes: a QR code of
	// version 13 at error correction M, still read from a screen.
	MaxLinkText = 300

	// MaxLinkHosts bounds the addresses in a contact link.
	MaxLinkHosts = 4

	// MaxPeer bounds a link peer id, in bytes. Today's have 38; with four IPv6
	// addresses the longest one still fits into MaxLinkText.
	MaxPeer = 64

	// MaxBoxText bounds the text of the address of a mailbox, in bytes: the longest
	// peer id with four IPv6 addresses makes 250.
	MaxBoxText = 300

	// MaxRequest bounds the plaintext of a friend request, in bytes: 64 KiB of
	// person headers, a handful of key packages, a picture's hash, a Reach.
	MaxRequest = 256 << 10

	// KnockKeySize is the length of a public knock or sealing key, in bytes.
	KnockKeySize = 1216

	// KnockSize is the length of every knock, in bytes: X-Wing's encapsulated
	// key (1120), the padded plaintext (192), the AEAD's tag (16).
	KnockSize = 1120 + knockPlain + 16

	// PhraseWords is the number of words in a phrase: 256 bits and a checksum
	// of 8.
	PhraseWords = 24
)
