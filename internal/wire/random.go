package wire

import "crypto/rand"

// Random returns n secret random bytes. It is the one place where the core
// draws randomness, so that a simulation can make every draw repeatable
// (testing/cryptotest.SetGlobalRandom).
func Random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return b
}
