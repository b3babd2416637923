package bundle

import (
	"bytes"
	"crypto/sha256"

	"kith/internal/identity"
)

// SealContent seals content, well formed or not, as a bundle under a secret.
func SealContent(device *identity.Device, secret [32]byte, content []byte) []byte {
	var out bytes.Buffer
	salt, head := make([]byte, saltSize), sha256.New()
	head.Write(salt)
	out.Write(salt)
	w := &Writer{to: &out, device: device, stream: newStream(secret, head)}
	w.add(content)
	w.seal(true)
	return out.Bytes()
}

// SealItem seals what stands in an item.
func SealItem(secret [32]byte, plain []byte) []byte {
	salt := make([]byte, saltSize)
	return newAEAD(itemKey(secret, salt)).Seal(salt, make([]byte, 12), plain, nil)
}

// Held is how many bytes a Gatherer holds.
func (g *Gatherer) Held() int { return g.size }

// Padded is the length to which content is padded.
func Padded(n int) int { return padded(n) }
