package mls

import (
	"crypto/ed25519"

	"kith/internal/wire"
)

// signed is one signature of many to check together.
type signed struct {
	key, message, signature []byte
}

// batchSize is how many signatures are checked at once; past it the saving for
// each stops growing (docs/spec/mls.md).
const batchSize = 1024

// verifyAllEd25519 reports whether every signature holds.
func verifyAllEd25519(all []signed) bool {
	for len(all) > 0 {
		n := min(len(all), batchSize)
		var batch wire.Batch
		for _, s := range all[:n] {
			if len(s.key) != ed25519.PublicKeySize || len(s.signature) != ed25519.SignatureSize {
				return false
			}
			batch.AddRaw(s.key, s.message, s.signature)
		}
		if ok, _ := batch.Verify(); !ok {
			return false
		}
		all = all[n:]
	}
	return true
}

func verifyEd25519(key, message, signature []byte) bool {
	return wire.VerifyRaw(ed25519.PublicKey(key), message, signature)
}
