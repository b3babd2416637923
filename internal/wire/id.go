package wire

import "encoding/hex"

// Identifiers. Each is a SHA-256 value made with a label of its own, except
// ContentID, which is random.
type (
	// PersonID is the block hash of the genesis block of a person's chain.
	PersonID [32]byte
	// DeviceID is H("device", sigalg, device key).
	DeviceID [32]byte
	// GroupID is the block hash of a group's genesis block.
	GroupID [32]byte
	// BlockHash is H("block", all header bytes, signature included).
	BlockHash [32]byte
	// CoreHash is H("core", the header up to and with created_at).
	CoreHash [32]byte
	// EntryHash is H("entry hash", all entry header bytes, signature included).
	EntryHash [32]byte
	// Instance tells one membership of a person from a later one.
	Instance [32]byte
	// ContentID is drawn at random by the author of a content.
	ContentID [16]byte
	// Digest is any other hash.
	Digest [32]byte
)

// Text forms are lower-case hex; people see them only where they ask for them.
func (id PersonID) String() string  { return hex.EncodeToString(id[:]) }
func (id DeviceID) String() string  { return hex.EncodeToString(id[:]) }
func (id GroupID) String() string   { return hex.EncodeToString(id[:]) }
func (id BlockHash) String() string { return hex.EncodeToString(id[:]) }
func (id EntryHash) String() string { return hex.EncodeToString(id[:]) }
func (id ContentID) String() string { return hex.EncodeToString(id[:]) }
func (id Digest) String() string    { return hex.EncodeToString(id[:]) }

// Short is the first 16 bytes of an EntryHash, by which entries name each
// other (docs/spec/entry.md); never fewer, so that a second preimage stays out
// of reach.
type Short [16]byte

// Short cuts the hash to 16 bytes.
func (id EntryHash) Short() Short { return Short(id[:16]) }

// Member names a device together with the person it belongs to.
type Member struct {
	Person PersonID
	Device DeviceID
}
