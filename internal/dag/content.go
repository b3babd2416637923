package dag

import (
	"math/bits"

	"kith/internal/wire"
)

// PaddedSize returns the length to which a plaintext of n bytes is padded:
// PADME (Nikitin et al., PURBs, 2019), which leaks O(log log n) bits of the
// length for at most 12 % more bytes, and at least 256.
func PaddedSize(n int) int {
	if n <= minPadded {
		return minPadded
	}
	exponent := bits.Len(uint(n)) - 1
	significant := bits.Len(uint(exponent))
	mask := 1<<(exponent-significant) - 1
	return (n + mask) &^ mask
}

// ContentCommit commits the author to a content without revealing it. The salt
// keeps those who cannot read the entry from trying likely contents.
func ContentCommit(group wire.GroupID, device wire.DeviceID, id wire.ContentID, salt [32]byte, content []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashContent, group[:], device[:], id[:], salt[:], wire.Opaque(content)))
}

// CiphertextHash returns the ciphertext_hash of a header.
func CiphertextHash(ciphertext []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashCiphertext, wire.Opaque(ciphertext)))
}
