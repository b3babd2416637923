package identity

import (
	"bytes"
	"math/big"
	"strings"

	"kith/internal/wire"
)

const (
	fingerprintDigits = 60
	fingerprintGroup  = 5

	// fingerprintRounds makes each guess of somebody who looks for an id with
	// a similar fingerprint that much dearer; here it takes about a
	// millisecond.
	fingerprintRounds = 5200
)

// Fingerprint returns the 60 digits, about 199 bits, that two people compare to
// be sure of each other. It is the same on both sides.
func Fingerprint(a, b wire.PersonID) string {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	var h [32]byte
	for range fingerprintRounds {
		h = wire.Hash(wire.HashPrint, h[:], a[:], b[:])
	}
	bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(fingerprintDigits), nil)
	n := new(big.Int).SetBytes(h[:])
	digits := n.Mod(n, bound).String()
	digits = strings.Repeat("0", fingerprintDigits-len(digits)) + digits
	var groups []string
	for i := 0; i < len(digits); i += fingerprintGroup {
		groups = append(groups, digits[i:i+fingerprintGroup])
	}
	return strings.Join(groups, " ")
}
