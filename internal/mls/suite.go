package mls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"maps"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

// A Suite is a cipher suite of RFC 9420 section 17.1.
type Suite uint16

// The suites of the registry, and one of the private range. Those on Curve448
// are here to be refused by name: Go has neither X448 nor Ed448.
const (
	SuiteX25519AES128SHA256Ed25519 Suite = 1
	SuiteP256AES128SHA256P256      Suite = 2
	SuiteX25519ChaChaSHA256Ed25519 Suite = 3
	SuiteX448AES256SHA512Ed448     Suite = 4
	SuiteP521AES256SHA512P521      Suite = 5
	SuiteX448ChaChaSHA512Ed448     Suite = 6
	SuiteP384AES256SHA384P384      Suite = 7

	// SuiteXWingAES128SHA256Ed25519 is the hybrid suite of
	// draft-ietf-mls-pq-ciphersuites: ML-KEM-768 with X25519. It has a number
	// of the private range until the registry has one for it.
	SuiteXWingAES128SHA256Ed25519 Suite = 0xF001
)

// crypto is the row of one suite: its algorithms and their sizes in bytes. All
// of the package goes through it, so a further suite is a further row.
type crypto struct {
	suite     Suite
	kem       hpke.KEM
	kdf       hpke.KDF
	aead      hpke.AEAD
	newHash   func() hash.Hash
	newAEAD   func(key []byte) (cipher.AEAD, error)
	usableKEM func(key []byte) bool
	verify    func(key, message, signature []byte) bool
	verifyAll func([]signed) bool
	nh        int // output of the KDF
	nk        int // key of the AEAD
	nn        int // nonce of the AEAD
	nt        int // tag of the AEAD
	enc       int // output of the KEM
	public    int // public key of the KEM
	verifier  int // public key of signatures
	signature int // largest signature
}

var suites = map[Suite]*crypto{
	SuiteX25519AES128SHA256Ed25519: {
		suite: SuiteX25519AES128SHA256Ed25519,
		kem:   hpke.DHKEM(ecdh.X25519()), kdf: hpke.HKDFSHA256(), aead: hpke.AES128GCM(),
		newHash: sha256.New, newAEAD: newAESGCM, usableKEM: usableX25519,
		verify: verifyEd25519, verifyAll: verifyAllEd25519,
		nh: 32, nk: 16, nn: 12, nt: 16, enc: 32, public: 32, verifier: 32, signature: 64,
	},
	SuiteP256AES128SHA256P256: {
		suite: SuiteP256AES128SHA256P256,
		kem:   hpke.DHKEM(ecdh.P256()), kdf: hpke.HKDFSHA256(), aead: hpke.AES128GCM(),
		newHash: sha256.New, newAEAD: newAESGCM, usableKEM: usablePoint(ecdh.P256()),
		verify: p256.verify, verifyAll: p256.verifyAll,
		nh: 32, nk: 16, nn: 12, nt: 16, enc: 65, public: 65, verifier: 65, signature: 72,
	},
	SuiteX25519ChaChaSHA256Ed25519: {
		suite: SuiteX25519ChaChaSHA256Ed25519,
		kem:   hpke.DHKEM(ecdh.X25519()), kdf: hpke.HKDFSHA256(), aead: hpke.ChaCha20Poly1305(),
		newHash: sha256.New, newAEAD: chacha20poly1305.New, usableKEM: usableX25519,
		verify: verifyEd25519, verifyAll: verifyAllEd25519,
		nh: 32, nk: 32, nn: 12, nt: 16, enc: 32, public: 32, verifier: 32, signature: 64,
	},
	SuiteP521AES256SHA512P521: {
		suite: SuiteP521AES256SHA512P521,
		kem:   hpke.DHKEM(ecdh.P521()), kdf: hpke.HKDFSHA512(), aead: hpke.AES256GCM(),
		newHash: sha512.New, newAEAD: newAESGCM, usableKEM: usablePoint(ecdh.P521()),
		verify: p521.verify, verifyAll: p521.verifyAll,
		nh: 64, nk: 32, nn: 12, nt: 16, enc: 133, public: 133, verifier: 133, signature: 139,
	},
	SuiteP384AES256SHA384P384: {
		suite: SuiteP384AES256SHA384P384,
		kem:   hpke.DHKEM(ecdh.P384()), kdf: hpke.HKDFSHA384(), aead: hpke.AES256GCM(),
		newHash: sha512.New384, newAEAD: newAESGCM, usableKEM: usablePoint(ecdh.P384()),
		verify: p384.verify, verifyAll: p384.verifyAll,
		nh: 48, nk: 32, nn: 12, nt: 16, enc: 97, public: 97, verifier: 97, signature: 104,
	},
	SuiteXWingAES128SHA256Ed25519: {
		suite: SuiteXWingAES128SHA256Ed25519,
		kem:   hpke.MLKEM768X25519(), kdf: hpke.HKDFSHA256(), aead: hpke.AES128GCM(),
		newHash: sha256.New, newAEAD: newAESGCM, usableKEM: usableXWing,
		verify: verifyEd25519, verifyAll: verifyAllEd25519,
		nh: 32, nk: 16, nn: 12, nt: 16, enc: 1120, public: 1216, verifier: 32, signature: 64,
	},
}

// The signature algorithms of suites 2, 5 and 7.
var (
	p256 = ecdsaAlgorithm{elliptic.P256(), sha256.New}
	p384 = ecdsaAlgorithm{elliptic.P384(), sha512.New384}
	p521 = ecdsaAlgorithm{elliptic.P521(), sha512.New}
)

// ErrCurve448 is why suites 4 and 6 are refused.
var ErrCurve448 = errors.New("mls: suites 4 and 6 need X448 and Ed448, which Go does not have")

// Suites returns the suites that are supported, in the order of their numbers.
func Suites() []Suite { return slices.Sorted(maps.Keys(suites)) }

func (s Suite) crypto() (*crypto, error) {
	if c, ok := suites[s]; ok {
		return c, nil
	}
	if s == SuiteX448AES256SHA512Ed448 || s == SuiteX448ChaChaSHA512Ed448 {
		return nil, &Error{"17.1", ReasonSuite, ErrCurve448}
	}
	return nil, reject("5.1", ReasonSuite)
}

func newAESGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
