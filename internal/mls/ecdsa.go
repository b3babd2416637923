package mls

import (
	"bytes"
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"kith/internal/wire"
)

// ecdsaAlgorithm is ECDSA on one curve with one hash: signatures are DER, public
// keys uncompressed points (RFC 9420 section 5.1.1).
type ecdsaAlgorithm struct {
	curve   elliptic.Curve
	newHash func() hash.Hash
}

func (a ecdsaAlgorithm) digest(message []byte) []byte {
	h := a.newHash()
	h.Write(message)
	return h.Sum(nil)
}

func (a ecdsaAlgorithm) verify(key, message, signature []byte) bool {
	k, err := ecdsa.ParseUncompressedPublicKey(a.curve, key)
	return err == nil && ecdsa.VerifyASN1(k, a.digest(message), signature)
}

func (a ecdsaAlgorithm) verifyAll(all []signed) bool {
	for _, s := range all {
		if !a.verify(s.key, s.message, s.signature) {
			return false
		}
	}
	return true
}

// An ECDSASigner signs for suites 2, 5 and 7. Signatures are deterministic
// (RFC 6979).
type ECDSASigner struct {
	algorithm ecdsaAlgorithm
	key       *ecdsa.PrivateKey
	public    []byte
}

// NewECDSASigner makes a signature key for a suite that signs with ECDSA.
func NewECDSASigner(s Suite) (*ECDSASigner, error) {
	a, ok := ecdsaOf[s]
	if !ok {
		return nil, reject("5.1", ReasonSuite)
	}
	size := (a.curve.Params().BitSize + 7) / 8
	for {
		private := wire.Random(size)
		private[0] &= byte(0xff >> (8*size - a.curve.Params().BitSize))
		if out, err := ParseECDSASigner(s, private); err == nil {
			return out, nil // others are zero or over the group's order
		}
	}
}

// ParseECDSASigner takes a private key as the big-endian number it is, with or
// without zeros in front.
func ParseECDSASigner(s Suite, private []byte) (*ECDSASigner, error) {
	a, ok := ecdsaOf[s]
	if !ok {
		return nil, reject("5.1", ReasonSuite)
	}
	if size := (a.curve.Params().BitSize + 7) / 8; len(private) < size {
		private = append(make([]byte, size-len(private)), private...)
	}
	key, err := ecdsa.ParseRawPrivateKey(a.curve, private)
	if err != nil {
		return nil, &Error{"5.1.1", ReasonSecret, err}
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, &Error{"5.1.1", ReasonSecret, err}
	}
	return &ECDSASigner{a, key, public}, nil
}

var ecdsaOf = map[Suite]ecdsaAlgorithm{
	SuiteP256AES128SHA256P256: p256,
	SuiteP384AES256SHA384P384: p384,
	SuiteP521AES256SHA512P521: p521,
}

// PublicKey returns the uncompressed point. The type is that of the Signer
// interface; the bytes are those of the suite.
func (s *ECDSASigner) PublicKey() ed25519.PublicKey { return bytes.Clone(s.public) }

// SignRaw signs message.
func (s *ECDSASigner) SignRaw(message []byte) []byte {
	out, err := s.key.Sign(nil, s.algorithm.digest(message), s.hash())
	if err != nil {
		panic("mls: ECDSA: " + err.Error()) // a checked key and a digest of the right size do not fail
	}
	return out
}

func (s *ECDSASigner) hash() stdcrypto.Hash {
	switch s.algorithm.newHash().Size() {
	case sha256.Size:
		return stdcrypto.SHA256
	case sha512.Size384:
		return stdcrypto.SHA384
	}
	return stdcrypto.SHA512
}
