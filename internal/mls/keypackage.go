package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A KeyPackage offers to be added to a group (RFC 9420 section 10):
//
//	size field
//	2    version, 1
//	2    cipher suite
//	V    init_key
//	     leaf node, source key_package
//	V    extensions
//	V    signature over all the above, label "KeyPackageTBS"
type KeyPackage struct {
	suite      Suite
	initKey    []byte
	leaf       *leafNode
	extensions []Extension
	signature  []byte

	raw    []byte
	signed int
}

// KeyPackageParams says what a new key package holds.
type KeyPackageParams struct {
	Suite          Suite
	Identity       []byte   // of the basic credential
	Chain          [][]byte // certificates of an X.509 credential, instead of Identity
	NotBefore      uint64   // seconds since 1970
	NotAfter       uint64   // seconds since 1970
	LeafExtensions []Extension
	ExtensionTypes []uint16 // supported beyond those of LeafExtensions and the default ones

	ProposalTypes   []uint16 // custom types that the application supports
	CredentialTypes []uint16 // supported beyond that of the own credential

	// LastResort marks a package that may be used more than once, when no other
	// is left (draft-ietf-mls-extensions).
	LastResort bool
}

// KeyPackageSecrets are the private keys of a key package. They are deleted
// when the Welcome has been opened and the epoch is stored.
type KeyPackageSecrets struct {
	suite Suite
	init  []byte
	leaf  []byte
}

// NewKeyPackage makes a key package and its private keys.
func NewKeyPackage(s Signer, p KeyPackageParams) (*KeyPackage, *KeyPackageSecrets, error) {
	c, err := p.Suite.crypto()
	if err != nil {
		return nil, nil, err
	}
	initPrivate, initKey, err := c.keyPair(wire.Random(c.nh))
	if err != nil {
		return nil, nil, err
	}
	leafPrivate, leafKey, err := c.keyPair(wire.Random(c.nh))
	if err != nil {
		return nil, nil, err
	}
	leaf := leafNode{
		encryptionKey: leafKey,
		signatureKey:  s.PublicKey(),
		credential:    p.credential(),
		capabilities:  p.capabilities(),
		source:        sourceKeyPackage,
		notBefore:     p.NotBefore,
		notAfter:      p.NotAfter,
		extensions:    p.LeafExtensions,
	}.signedBy(s, nil, 0)
	if err := leaf.compatible(c, nil); err != nil {
		return nil, nil, err
	}
	k := KeyPackage{suite: p.Suite, initKey: initKey, leaf: leaf, extensions: p.extensions()}.signedBy(s)
	parsed, err := ParseKeyPackage(k.raw) // limits apply to what we make, too
	if err != nil {
		return nil, nil, err
	}
	return parsed, &KeyPackageSecrets{p.Suite, initPrivate, leafPrivate}, nil
}

// capabilities says what this package supports, with one value of GREASE in
// each list that may have one (section 13.5).
func (p KeyPackageParams) capabilities() capabilities {
	extensions := slices.Clone(p.ExtensionTypes)
	for _, e := range p.LeafExtensions {
		extensions = append(extensions, e.Type)
	}
	for _, e := range p.extensions() {
		extensions = append(extensions, e.Type)
	}
	proposals := append(slices.Clone(p.ProposalTypes), uint16(ProposalSelfRemove))
	return capabilities{
		versions:    []uint16{protocolMLS10},
		suites:      []uint16{uint16(p.Suite), grease()},
		extensions:  greased(slices.DeleteFunc(extensions, defaultExtension)),
		proposals:   greased(slices.DeleteFunc(proposals, defaultProposal)),
		credentials: greased(append(slices.Clone(p.CredentialTypes), p.credential().kind)),
	}
}

// greased is a list in ascending order, each value once, with GREASE behind.
func greased(list []uint16) []uint16 {
	slices.Sort(list)
	return append(slices.Compact(list), grease())
}

func (p KeyPackageParams) credential() credential {
	if p.Chain != nil {
		return credential{kind: credentialX509, chain: p.Chain}
	}
	return credential{kind: credentialBasic, identity: p.Identity}
}

func (p KeyPackageParams) extensions() []Extension {
	if p.LastResort {
		return []Extension{{Type: ExtensionLastResort}}
	}
	return nil
}

// grease is one of 0x0A0A, 0x1A1A, ... 0xEAEA.
func grease() uint16 {
	high := uint16(wire.Random(1)[0]) % 15
	return (high<<4 | 0xA) * 0x101
}

// isGrease reports whether v is reserved for GREASE, which section 13.5 forbids
// to send as a proposal type or in a GroupContext. Readers do not ask.
func isGrease(v uint16) bool { return v&0x0F0F == 0x0A0A && v>>8 == v&0xFF && v != 0xFAFA }

func greasy(list []Extension) bool {
	return slices.ContainsFunc(list, func(e Extension) bool { return isGrease(e.Type) })
}

func (k *KeyPackage) writeFields(w *wire.Writer) {
	w.U16(protocolMLS10)
	w.U16(uint16(k.suite))
	w.Vec(k.initKey)
	k.leaf.write(w)
	writeExtensions(w, k.extensions)
}

func (k KeyPackage) signedBy(s Signer) *KeyPackage {
	var w wire.Writer
	k.writeFields(&w)
	k.signed = w.Len()
	k.signature = sign(s, "KeyPackageTBS", w.Bytes())
	k.raw = append(w.Bytes(), wire.Opaque(k.signature)...)
	return &k
}

func (k *KeyPackage) write(w *wire.Writer) { w.Raw(k.raw) }

func readKeyPackage(r *wire.Reader) *KeyPackage {
	start := r.Rest()
	if r.U16() != protocolMLS10 {
		r.Fail(wire.ErrCanonical)
	}
	k := &KeyPackage{
		suite:      Suite(r.U16()),
		initKey:    r.Vec(maxKey),
		leaf:       readLeaf(r),
		extensions: readExtensions(r),
	}
	k.signed = len(start) - r.Len()
	k.signature = r.Vec(maxSignature)
	if r.Err() == nil {
		k.raw = start[:len(start)-r.Len()]
	}
	return k
}

// ParseKeyPackage reads a key package. [KeyPackage.Verify] checks it.
func ParseKeyPackage(b []byte) (*KeyPackage, error) {
	r := wire.NewReader(bytes.Clone(b))
	k := readKeyPackage(r)
	if err := r.Done(); err != nil {
		return nil, malformed("10", err)
	}
	return k, nil
}

// Bytes returns the encoded key package.
func (k *KeyPackage) Bytes() []byte { return bytes.Clone(k.raw) }

// Suite returns the cipher suite.
func (k *KeyPackage) Suite() Suite { return k.suite }

// Ref returns the KeyPackageRef, by which a Welcome names the key package; nil
// if the suite is not supported.
func (k *KeyPackage) Ref() []byte {
	c, err := k.suite.crypto()
	if err != nil {
		return nil
	}
	return c.keyPackageRef(k.raw)
}

// Identity returns the identity of the basic credential, nil for others.
func (k *KeyPackage) Identity() []byte { return bytes.Clone(k.leaf.credential.identity) }

// Chain returns the certificates of an X.509 credential, nil for others. They
// are for the application to judge.
func (k *KeyPackage) Chain() [][]byte { return k.leaf.credential.certificates() }

// LastResort reports whether the package may be used more than once.
func (k *KeyPackage) LastResort() bool {
	_, ok := findExtension(k.extensions, ExtensionLastResort)
	return ok
}

// SignatureKey returns the signature key of the leaf.
func (k *KeyPackage) SignatureKey() []byte { return bytes.Clone(k.leaf.signatureKey) }

// LeafExtensions returns the extensions of its leaf.
func (k *KeyPackage) LeafExtensions() []Extension { return cloneExtensions(k.leaf.extensions) }

// LeafNode returns the encoded leaf node, for [PublicFromLeaf].
func (k *KeyPackage) LeafNode() []byte { return bytes.Clone(k.leaf.raw) }

// Lifetime returns the seconds since 1970 between which the package is valid.
func (k *KeyPackage) Lifetime() (notBefore, notAfter uint64) {
	return k.leaf.notBefore, k.leaf.notAfter
}

// Verify checks a key package that has arrived, at the time now in seconds
// since 1970 (section 10.1). How long a lifetime may be is the application's rule.
func (k *KeyPackage) Verify(now uint64) error {
	c, err := k.suite.crypto()
	if err != nil {
		return err
	}
	if err := k.verify(c, nil); err != nil {
		return err
	}
	if now < k.leaf.notBefore || now > k.leaf.notAfter {
		return reject("7.3", ReasonLifetime)
	}
	return nil
}

// verify is Verify without the clock.
func (k *KeyPackage) verify(c *crypto, groupExtensions []Extension) error {
	if err := k.check(c, groupExtensions); err != nil {
		return err
	}
	if !c.verifyAll(k.signatures()) {
		return reject("10.1", ReasonSignature)
	}
	return nil
}

// check is verify without the signatures.
func (k *KeyPackage) check(c *crypto, groupExtensions []Extension) error {
	switch {
	case k.suite != c.suite:
		return reject("10.1", ReasonSuite)
	case k.leaf.source != sourceKeyPackage:
		return reject("7.3", ReasonLeafSource)
	case !c.usableKEM(k.initKey):
		return reject("10", ReasonKey)
	case bytes.Equal(k.initKey, k.leaf.encryptionKey):
		return reject("10.1", ReasonInitKey)
	}
	for _, e := range k.extensions {
		if !k.leaf.capabilities.supportsExtension(e.Type) {
			return reject("10", ReasonCapability)
		}
	}
	return k.leaf.compatible(c, groupExtensions)
}

// signatures are those of the leaf and of the whole.
func (k *KeyPackage) signatures() []signed {
	return []signed{
		{k.leaf.signatureKey, labelled("LeafNodeTBS", k.leaf.tbs(nil, 0)), k.leaf.signature},
		{k.leaf.signatureKey, labelled("KeyPackageTBS", k.raw[:k.signed]), k.signature},
	}
}

// fits checks that the private keys belong to the key package.
func (s *KeyPackageSecrets) fits(c *crypto, k *KeyPackage) error {
	if s.suite != k.suite {
		return reject("10", ReasonSuite)
	}
	initKey, err := c.publicOf(s.init)
	if err != nil {
		return err
	}
	leafKey, err := c.publicOf(s.leaf)
	if err != nil {
		return err
	}
	if !bytes.Equal(initKey, k.initKey) || !bytes.Equal(leafKey, k.leaf.encryptionKey) {
		return reject("10", ReasonSecret)
	}
	return nil
}

// Marshal returns the stored form of the private keys:
//
//	offset size field
//	0      1    version, 1
//	1      2    cipher suite
//	3      V    private key of init_key, then that of the leaf
func (s *KeyPackageSecrets) Marshal() []byte {
	return encode(func(w *wire.Writer) {
		w.U8(storedVersion)
		w.U16(uint16(s.suite))
		w.Vec(s.init)
		w.Vec(s.leaf)
	})
}

// ParseKeyPackageSecrets reads what Marshal wrote.
func ParseKeyPackageSecrets(b []byte) (*KeyPackageSecrets, error) {
	r := wire.NewReader(bytes.Clone(b))
	if r.U8() != storedVersion {
		r.Fail(wire.ErrCanonical)
	}
	s := &KeyPackageSecrets{Suite(r.U16()), r.Vec(maxKey), r.Vec(maxKey)}
	if err := r.Done(); err != nil {
		return nil, &Error{"10", ReasonStoredRecord, err}
	}
	return s, nil
}

// Erase overwrites the private keys.
func (s *KeyPackageSecrets) Erase() {
	clear(s.init)
	clear(s.leaf)
}

// storedVersion is the first byte of each stored form of this package.
const storedVersion = 1
