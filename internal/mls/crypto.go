package mls

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/hpke"
	"slices"

	"kith/internal/wire"
)

// A Signer holds a signature key. It signs message as it stands: the
// SignContent of RFC 9420 section 5.1.2 is made here. The public key is that of
// the suite in its encoding of section 5.1.1, whatever its algorithm.
type Signer interface {
	PublicKey() ed25519.PublicKey
	SignRaw(message []byte) []byte
}

func (c *crypto) hash(parts ...[]byte) []byte {
	h := c.newHash()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func (c *crypto) mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(c.newHash, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func (c *crypto) zero() []byte { return make([]byte, c.nh) }

// extract is KDF.Extract. HKDF fails only on a hash outside FIPS mode, which no
// suite of the table uses.
func (c *crypto) extract(salt, secret []byte) []byte {
	out, err := hkdf.Extract(c.newHash, secret, salt)
	if err != nil {
		panic("mls: HKDF-Extract: " + err.Error())
	}
	return out
}

// expandLabel is ExpandWithLabel of RFC 9420 section 8:
//
//	size field
//	2    length of the output
//	V    label, "MLS 1.0 " in front
//	V    context
//
// n is a constant of the package or checked by the caller against MaxExport.
func (c *crypto) expandLabel(secret []byte, label string, context []byte, n int) []byte {
	var w wire.Writer
	w.U16(uint16(n))
	w.Vec([]byte(labelPrefix + label))
	w.Vec(context)
	out, err := hkdf.Expand(c.newHash, secret, string(w.Bytes()), n)
	if err != nil {
		panic("mls: HKDF-Expand: " + err.Error())
	}
	return out
}

// derive is DeriveSecret.
func (c *crypto) derive(secret []byte, label string) []byte {
	return c.expandLabel(secret, label, nil, c.nh)
}

const labelPrefix = "MLS 1.0 "

// labelled is SignContent and EncryptContext: label with its prefix, content.
func labelled(label string, content []byte) []byte {
	var w wire.Writer
	w.Vec([]byte(labelPrefix + label))
	w.Varint(len(content))
	return slices.Concat(w.Bytes(), content)
}

// refHash is RefHash of section 5.2; label carries its own prefix there.
func (c *crypto) refHash(label string, value []byte) []byte {
	var w wire.Writer
	w.Vec([]byte(label))
	w.Vec(value)
	return c.hash(w.Bytes())
}

func (c *crypto) keyPackageRef(value []byte) []byte {
	return c.refHash("MLS 1.0 KeyPackage Reference", value)
}

func (c *crypto) proposalRef(value []byte) []byte {
	return c.refHash("MLS 1.0 Proposal Reference", value)
}

func sign(s Signer, label string, content []byte) []byte {
	return s.SignRaw(labelled(label, content))
}

func (c *crypto) verifyLabel(key []byte, label string, content, signature []byte) bool {
	return c.verify(key, labelled(label, content), signature)
}

// sealed is HPKECiphertext of section 7.6.
type sealed struct {
	kemOutput  []byte
	ciphertext []byte
}

// seal is EncryptWithLabel of section 5.1.3.
func (c *crypto) seal(key []byte, label string, context, plaintext []byte) (sealed, error) {
	return c.sealInfo(key, labelled(label, context), plaintext)
}

// sealInfo is seal with the EncryptContext made before, for many recipients.
func (c *crypto) sealInfo(key, info, plaintext []byte) (sealed, error) {
	pub, err := c.kem.NewPublicKey(key)
	if err != nil {
		return sealed{}, &Error{"5.1.3", ReasonKey, err}
	}
	out, err := hpke.Seal(pub, c.kdf, c.aead, info, plaintext)
	if err != nil {
		return sealed{}, &Error{"5.1.3", ReasonKey, err}
	}
	return sealed{kemOutput: out[:c.enc:c.enc], ciphertext: out[c.enc:]}, nil
}

// open is DecryptWithLabel.
func (c *crypto) open(private []byte, label string, context []byte, s sealed) ([]byte, error) {
	key, err := c.kem.NewPrivateKey(private)
	if err != nil {
		return nil, &Error{"5.1.3", ReasonSecret, err}
	}
	if len(s.kemOutput) != c.enc {
		return nil, reject("5.1.3", ReasonDecrypt)
	}
	all := append(append(make([]byte, 0, len(s.kemOutput)+len(s.ciphertext)), s.kemOutput...), s.ciphertext...)
	out, err := hpke.Open(key, c.kdf, c.aead, labelled(label, context), all)
	if err != nil {
		return nil, &Error{"5.1.3", ReasonDecrypt, err}
	}
	return out, nil
}

// keyPair derives an HPKE key pair from secret (DeriveKeyPair of RFC 9180).
func (c *crypto) keyPair(secret []byte) (private, public []byte, err error) {
	key, err := c.kem.DeriveKeyPair(secret)
	if err != nil {
		return nil, nil, &Error{"5.1", ReasonSecret, err}
	}
	if private, err = key.Bytes(); err != nil {
		return nil, nil, &Error{"5.1", ReasonSecret, err}
	}
	return private, key.PublicKey().Bytes(), nil
}

// publicOf returns the public key of an HPKE private key.
func (c *crypto) publicOf(private []byte) ([]byte, error) {
	key, err := c.kem.NewPrivateKey(private)
	if err != nil {
		return nil, &Error{"5.1", ReasonSecret, err}
	}
	return key.PublicKey().Bytes(), nil
}

// aeadSeal encrypts with the suite's AEAD; key and nonce come from the key
// schedule and have its sizes.
func (c *crypto) aeadSeal(key, nonce, aad, plaintext []byte) []byte {
	a, err := c.newAEAD(key)
	if err != nil {
		panic("mls: AEAD key: " + err.Error())
	}
	return a.Seal(nil, nonce, plaintext, aad)
}

func (c *crypto) aeadOpen(key, nonce, aad, ciphertext []byte) ([]byte, error) {
	a, err := c.newAEAD(key)
	if err != nil {
		panic("mls: AEAD key: " + err.Error())
	}
	out, err := a.Open(nil, nonce, ciphertext, aad)
	if err != nil {
		return nil, &Error{"6.3", ReasonDecrypt, err}
	}
	return out, nil
}
