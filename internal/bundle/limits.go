package bundle

import "math/bits"

const (
	// MaxWraps bounds the devices that a file is sealed to: those of the largest group.
	MaxWraps = 1 << maxWrapsLog
	// MaxPayload bounds one payload, in bytes: that of a session's frame.
	MaxPayload = 16 << 20

	maxWrapsLog = 14
	// minContent is the least that a bundle is padded to, in bytes.
	minContent = 4 << 10

	// chunkSize is what a sealed chunk has of plaintext, in bytes; the last has less or as much.
	chunkSize   = 64 << 10
	chunkTag    = 16
	signSize    = 64
	chunkRoom   = chunkSize - signSize
	saltSize    = 32
	itemHead    = 16 + 2 + 2 + 4
	maxItems    = 1024 // of one bundle: 64 MiB
	maxGathered = 64 << 20
)

// ItemSizes are the lengths of items in a mailbox, in bytes, before what it takes of each
// for itself.
var ItemSizes = []int{4 << 10, 16 << 10, 64 << 10}

// padded returns to how many bytes content of n bytes is padded: PADME, as entries are
// (docs/spec/entry.md), but at least minContent.
func padded(n int) int {
	n = max(n, minContent)
	exponent := bits.Len(uint(n)) - 1
	mask := 1<<(exponent-bits.Len(uint(exponent))) - 1
	return (n + mask) &^ mask
}
