package mls

import "crypto/ecdh"

// Which public keys HPKE can encrypt to. A key that it cannot would keep
// everybody else from committing, so it is refused where it enters the tree.

// usablePoint is for the NIST curves: an uncompressed point on the curve.
func usablePoint(curve ecdh.Curve) func([]byte) bool {
	return func(key []byte) bool {
		_, err := curve.NewPublicKey(key)
		return err == nil
	}
}

// Sizes of an X-Wing public key, in bytes: 768 numbers of 12 bits below
// mlkemModulus, a seed, and an X25519 key.
const (
	mlkemNumbers = 1152
	mlkemSeed    = 32
	mlkemModulus = 3329
	xwingPublic  = mlkemNumbers + mlkemSeed + 32
)

// usableXWing makes the modulus check of FIPS 203 section 7.2 itself: that of
// crypto/mlkem goes on to expand the matrix, which only encryption needs.
func usableXWing(key []byte) bool {
	if len(key) != xwingPublic {
		return false
	}
	for i := 0; i < mlkemNumbers; i += 3 {
		low := int(key[i]) | int(key[i+1]&0x0f)<<8
		high := int(key[i+1])>>4 | int(key[i+2])<<4
		if low >= mlkemModulus || high >= mlkemModulus {
			return false
		}
	}
	return usableX25519(key[mlkemNumbers+mlkemSeed:])
}
