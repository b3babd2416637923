package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A leaf node (RFC 9420 section 7.2):
//
//	size field
//	V    encryption_key
//	V    signature_key
//	2    credential_type: 1 basic, 2 x509
//	V    basic: identity; x509: a vector of opaque certificates
//	V    capabilities.versions, 2 bytes each; then four more such vectors:
//	     cipher_suites, extensions, proposals, credentials
//	1    leaf_node_source: 1 key_package, 2 update, 3 commit
//	16   lifetime, not_before and not_after in s, for key_package
//	V    parent_hash, for commit
//	V    extensions
//	V    signature over all the above and, but for key_package, V group_id and
//	     4 leaf_index, with label "LeafNodeTBS"
type leafNode struct {
	encryptionKey []byte
	signatureKey  []byte
	credential    credential
	capabilities  capabilities
	source        uint8
	notBefore     uint64
	notAfter      uint64
	parentHash    []byte
	extensions    []Extension
	signature     []byte

	raw    []byte // all of the above, encoded
	signed int    // bytes of raw before the signature
}

// Leaf node sources.
const (
	sourceKeyPackage = 1
	sourceUpdate     = 2
	sourceCommit     = 3
)

// Credential types of section 17.5.
const (
	credentialBasic = 1
	credentialX509  = 2
)

// credential is a Credential of section 5.3; chains are carried, not judged.
type credential struct {
	kind     uint16
	identity []byte   // basic
	chain    [][]byte // x509
}

type capabilities struct {
	versions    []uint16
	suites      []uint16
	extensions  []uint16
	proposals   []uint16
	credentials []uint16
}

func (c credential) certificates() [][]byte {
	var out [][]byte
	for _, cert := range c.chain {
		out = append(out, bytes.Clone(cert))
	}
	return out
}

func (c credential) equal(d credential) bool {
	return bytes.Equal(encode(c.write), encode(d.write))
}

func (c credential) write(w *wire.Writer) {
	w.U16(c.kind)
	if c.kind == credentialBasic {
		w.Vec(c.identity)
		return
	}
	w.Group(func(w *wire.Writer) {
		for _, cert := range c.chain {
			w.Vec(cert)
		}
	})
}

func readCredential(r *wire.Reader) credential {
	c := credential{kind: r.U16()}
	switch c.kind {
	case credentialBasic:
		c.identity = r.Vec(MaxIdentity)
	case credentialX509:
		r.Each(maxCertificates*(MaxIdentity+4), maxCertificates, func(r *wire.Reader) {
			c.chain = append(c.chain, r.Vec(MaxIdentity))
		})
	default:
		r.Fail(reject("5.3", ReasonCredential))
	}
	return c
}

func (c *capabilities) write(w *wire.Writer) {
	for _, list := range [][]uint16{c.versions, c.suites, c.extensions, c.proposals, c.credentials} {
		writeU16s(w, list)
	}
}

func readCapabilities(r *wire.Reader) (c capabilities) {
	for _, list := range []*[]uint16{&c.versions, &c.suites, &c.extensions, &c.proposals, &c.credentials} {
		*list = readU16s(r)
	}
	return c
}

// write puts the leaf node as it was read or signed.
func (l *leafNode) write(w *wire.Writer) { w.Raw(l.raw) }

// readLeaf keeps a copy of the leaf's own bytes, so that a leaf in a tree does
// not hold on to the message it came in.
func readLeaf(r *wire.Reader) *leafNode {
	start := r.Rest()
	skipLeaf(r)
	if r.Err() != nil {
		return nil
	}
	raw := bytes.Clone(start[:len(start)-r.Len()])
	own := wire.NewReader(raw)
	l := readLeafFields(own)
	if err := own.Done(); err != nil {
		r.Fail(err)
		return nil
	}
	l.raw = raw
	return l
}

// skipLeaf passes over a leaf node, to find where it ends.
func skipLeaf(r *wire.Reader) {
	r.Vec(maxKey)
	r.Vec(maxKey)
	r.U16()
	r.Vec(maxCertificates * (MaxIdentity + 4))
	for range 5 {
		r.Vec(2 * maxCapabilities)
	}
	switch r.U8() {
	case sourceKeyPackage:
		r.Skip(16)
	case sourceCommit:
		r.Vec(maxHash)
	}
	r.Vec(MaxTree + MaxExtensionData)
	r.Vec(maxSignature)
}

func readLeafFields(r *wire.Reader) *leafNode {
	all := r.Len()
	l := &leafNode{
		encryptionKey: r.Vec(maxKey),
		signatureKey:  r.Vec(maxKey),
		credential:    readCredential(r),
		capabilities:  readCapabilities(r),
		source:        r.U8(),
	}
	switch l.source {
	case sourceKeyPackage:
		l.notBefore, l.notAfter = r.U64(), r.U64()
	case sourceUpdate:
	case sourceCommit:
		l.parentHash = r.Vec(maxHash)
	default:
		r.Fail(reject("7.2", ReasonLeafSource))
	}
	l.extensions = readExtensions(r)
	l.signed = all - r.Len()
	l.signature = r.Vec(maxSignature)
	return l
}

// parseLeaf reads a leaf node that stands alone.
func parseLeaf(b []byte) (*leafNode, error) {
	r := wire.NewReader(b)
	l := readLeaf(r)
	if err := r.Done(); err != nil {
		return nil, malformed("7.2", err)
	}
	return l, nil
}

func (l *leafNode) writeFields(w *wire.Writer) {
	w.Vec(l.encryptionKey)
	w.Vec(l.signatureKey)
	l.credential.write(w)
	l.capabilities.write(w)
	w.U8(l.source)
	switch l.source {
	case sourceKeyPackage:
		w.U64(l.notBefore)
		w.U64(l.notAfter)
	case sourceCommit:
		w.Vec(l.parentHash)
	}
	writeExtensions(w, l.extensions)
}

// tbs is LeafNodeTBS. The group and the leaf index count for leaves that were
// made inside a group only.
func (l *leafNode) tbs(groupID []byte, leaf uint32) []byte {
	return encode(func(w *wire.Writer) {
		w.Raw(l.raw[:l.signed])
		if l.source != sourceKeyPackage {
			w.Vec(groupID)
			w.U32(leaf)
		}
	})
}

// signedBy returns the leaf with its fields encoded and signed.
func (l leafNode) signedBy(s Signer, groupID []byte, leaf uint32) *leafNode {
	var w wire.Writer
	l.writeFields(&w)
	l.signed = w.Len()
	l.raw = w.Bytes()
	l.signature = sign(s, "LeafNodeTBS", l.tbs(groupID, leaf))
	l.raw = append(l.raw[:l.signed:l.signed], wire.Opaque(l.signature)...)
	return &l
}

// renewed is the leaf its owner puts in place of l: a new key, the same person.
func (l *leafNode) renewed(source uint8, encryptionKey, parentHash []byte, s Signer, groupID []byte, leaf uint32) *leafNode {
	return leafNode{
		encryptionKey: encryptionKey,
		signatureKey:  l.signatureKey,
		credential:    l.credential,
		capabilities:  l.capabilities,
		source:        source,
		parentHash:    parentHash,
		extensions:    l.extensions,
	}.signedBy(s, groupID, leaf)
}

// announcing is l with other extensions, and with capabilities for them (section
// 7.2); nil leaves both as they are. It is not signed yet.
func (l *leafNode) announcing(extensions []Extension) leafNode {
	next := *l
	if extensions == nil {
		return next
	}
	next.extensions = cloneExtensions(extensions)
	known := slices.Clone(l.capabilities.extensions)
	for _, e := range extensions {
		if !defaultExtension(e.Type) && !slices.Contains(known, e.Type) {
			known = append(known, e.Type)
		}
	}
	slices.Sort(known)
	next.capabilities.extensions = known
	return next
}

// verify checks the signature.
func (l *leafNode) verify(c *crypto, groupID []byte, leaf uint32) error {
	if !c.verifyLabel(l.signatureKey, "LeafNodeTBS", l.tbs(groupID, leaf), l.signature) {
		return reject("7.3", ReasonSignature)
	}
	return nil
}

// compatible checks what section 7.3 asks of a leaf alone and with the group's
// extensions; signature, lifetime and uniqueness are checked elsewhere.
func (l *leafNode) compatible(c *crypto, groupExtensions []Extension) error {
	if !c.usableKEM(l.encryptionKey) {
		return reject("7.3", ReasonKey)
	}
	caps := &l.capabilities
	if !slices.Contains(caps.versions, protocolMLS10) ||
		!slices.Contains(caps.suites, uint16(c.suite)) ||
		!slices.Contains(caps.credentials, l.credential.kind) {
		return reject("7.3", ReasonCapability)
	}
	for _, e := range l.extensions {
		if !caps.supportsExtension(e.Type) {
			return reject("7.3", ReasonCapability)
		}
	}
	return caps.supportGroup(groupExtensions)
}

func (c *capabilities) supportsExtension(t uint16) bool {
	return defaultExtension(t) || slices.Contains(c.extensions, t)
}

func (c *capabilities) supportsProposal(t ProposalType) bool {
	return defaultProposal(uint16(t)) || slices.Contains(c.proposals, uint16(t))
}

// supportGroup checks every extension of the GroupContext (section 13.4) and
// the required capabilities (section 11.1).
func (c *capabilities) supportGroup(groupExtensions []Extension) error {
	for _, e := range groupExtensions {
		if !c.supportsExtension(e.Type) {
			return reject("13.4", ReasonCapability)
		}
	}
	data, ok := findExtension(groupExtensions, ExtensionRequiredCapabilities)
	if !ok {
		return nil
	}
	need, err := parseRequired(data)
	if err != nil {
		return err
	}
	for _, t := range need.extensions {
		if !c.supportsExtension(t) {
			return reject("11.1", ReasonCapability)
		}
	}
	for _, t := range need.proposals {
		if !c.supportsProposal(ProposalType(t)) {
			return reject("11.1", ReasonCapability)
		}
	}
	for _, t := range need.credentials {
		if !slices.Contains(c.credentials, t) {
			return reject("11.1", ReasonCapability)
		}
	}
	return nil
}

// RequiredCapabilities is the extension of a GroupContext that asks every
// member for the extensions, proposals and credentials given.
func RequiredCapabilities(extensions []uint16, proposals []ProposalType, credentials []uint16) Extension {
	var w wire.Writer
	writeU16s(&w, extensions)
	w.Varint(2 * len(proposals))
	for _, t := range proposals {
		w.U16(uint16(t))
	}
	writeU16s(&w, credentials)
	return Extension{ExtensionRequiredCapabilities, w.Bytes()}
}

// parseRequired reads RequiredCapabilities of section 11.1.
func parseRequired(b []byte) (capabilities, error) {
	r := wire.NewReader(b)
	c := capabilities{extensions: readU16s(r), proposals: readU16s(r), credentials: readU16s(r)}
	if err := r.Done(); err != nil {
		return c, malformed("11.1", err)
	}
	return c, nil
}
