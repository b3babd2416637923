package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A Welcome (RFC 9420 section 12.4.3.1):
//
//	size field
//	2    cipher suite
//	V    secrets, each V KeyPackageRef, V kem_output, V ciphertext
//	V    encrypted GroupInfo
type welcome struct {
	suite   Suite
	secrets []welcomeSecret
	info    []byte
}

type welcomeSecret struct {
	ref    []byte
	sealed sealed
}

func (m *welcome) write(w *wire.Writer) {
	w.U16(uint16(m.suite))
	w.Group(func(w *wire.Writer) {
		for _, s := range m.secrets {
			w.Vec(s.ref)
			s.sealed.write(w)
		}
	})
	w.Vec(m.info)
}

func readWelcome(r *wire.Reader) *welcome {
	m := &welcome{suite: Suite(r.U16())}
	r.Each(MaxMessage, MaxLeaves, func(r *wire.Reader) {
		m.secrets = append(m.secrets, welcomeSecret{readRef(r), readSealed(r)})
	})
	m.info = r.Vec(MaxTree + MaxMessage)
	return m
}

func parseWelcome(b []byte) (*welcome, error) {
	r := wire.NewReader(b)
	m := readWelcome(r)
	if err := r.Done(); err != nil {
		return nil, malformed("12.4.3.1", err)
	}
	return m, nil
}

// groupSecrets is GroupSecrets: V joiner_secret, 1 byte whether V path_secret
// follows, V the PreSharedKeyIDs.
type groupSecrets struct {
	joiner     []byte
	pathSecret []byte // nil if absent
	psks       []pskID
}

func (g *groupSecrets) write(w *wire.Writer) {
	w.Vec(g.joiner)
	w.Bool(g.pathSecret != nil)
	if g.pathSecret != nil {
		w.Vec(g.pathSecret)
	}
	w.Group(func(w *wire.Writer) {
		for i := range g.psks {
			g.psks[i].write(w)
		}
	})
}

func readGroupSecrets(r *wire.Reader) *groupSecrets {
	g := &groupSecrets{joiner: r.Vec(maxHash)}
	if r.Bool() {
		g.pathSecret = r.Vec(maxHash)
	}
	r.Each(MaxMessage, MaxPSKs, func(r *wire.Reader) { g.psks = append(g.psks, readPSKID(r)) })
	return g
}

// A GroupInfo describes an epoch to those who join it:
//
//	size field
//	     GroupContext
//	V    extensions
//	V    confirmation tag
//	4    leaf index of the signer
//	V    signature over all the above, label "GroupInfoTBS"
type GroupInfo struct {
	Extensions []Extension
	Signer     uint32 // leaf index

	context   groupContext
	tag       []byte
	signature []byte
	signed    []byte
}

func (g *GroupInfo) writeFields(w *wire.Writer) {
	g.context.write(w)
	writeExtensions(w, g.Extensions)
	w.Vec(g.tag)
	w.U32(g.Signer)
}

func (g *GroupInfo) write(w *wire.Writer) {
	w.Raw(g.signed)
	w.Vec(g.signature)
}

func (g GroupInfo) signedBy(s Signer) *GroupInfo {
	g.signed = encode(g.writeFields)
	g.signature = sign(s, "GroupInfoTBS", g.signed)
	return &g
}

func readGroupInfo(r *wire.Reader) *GroupInfo {
	start := r.Rest()
	g := &GroupInfo{
		context:    readGroupContext(r),
		Extensions: readExtensions(r),
		tag:        r.Vec(maxHash),
		Signer:     r.U32(),
	}
	if r.Err() == nil {
		g.signed = start[:len(start)-r.Len()]
	}
	g.signature = r.Vec(maxSignature)
	return g
}

// ExternalPub returns the key in the external_pub extension, nil if there is none.
func (g *GroupInfo) ExternalPub() []byte {
	data, _ := findExtension(g.Extensions, ExtensionExternalPub)
	r := wire.NewReader(data)
	key := r.Vec(maxKey)
	if r.Done() != nil {
		return nil
	}
	return bytes.Clone(key)
}

// groupInfo makes the GroupInfo of an epoch with the extensions given, and
// external_pub.
func (e *Epoch) groupInfo(s Signer, extensions []Extension, inlineTree bool) (*GroupInfo, error) {
	if !bytes.Equal(e.pub.tree.leaf(e.own).signatureKey, s.PublicKey()) {
		return nil, reject("12.4.3", ReasonSigner)
	}
	all := cloneExtensions(extensions)
	all = append(all, Extension{ExtensionExternalPub, wire.Opaque(e.ExternalPub())})
	if inlineTree {
		all = append(all, Extension{ExtensionRatchetTree, e.pub.RatchetTree()})
	}
	if err := checkExtensions(all); err != nil {
		return nil, err
	}
	p := e.pub
	return GroupInfo{
		Extensions: all,
		Signer:     e.own,
		context:    groupContext{p.crypto.suite, p.groupID, p.epoch, p.tree.hash(), p.confirmed, p.extensions},
		tag:        p.tag,
	}.signedBy(s), nil
}

// GroupInfo makes the signed description of this epoch, with external_pub and
// the extensions given.
func (e *Epoch) GroupInfo(s Signer, extensions []Extension, inlineTree bool) ([]byte, error) {
	g, err := e.groupInfo(s, extensions, inlineTree)
	if err != nil {
		return nil, err
	}
	return encode(g.write), nil
}

// Welcome makes one Welcome for all members added by the commit; nil if there
// are none. It may be made later than the commit, when the extensions of its
// GroupInfo are known. external_pub is always among them; the tree is if
// inlineTree is set. HPKE hashes the whole encrypted GroupInfo once for each
// newcomer (section 12.4.3.1), so for many of them the tree is better beside.
//
// The GroupInfo's key and nonce follow from the epoch. Called again, it gives
// the same GroupInfo or ErrKeyUsed, as it does after Erase.
func (s *StagedCommit) Welcome(signer Signer, groupInfoExtensions []Extension, inlineTree bool) ([]byte, error) {
	if len(s.newcomers) == 0 {
		return nil, nil
	}
	g, err := s.Next.groupInfo(signer, groupInfoExtensions, inlineTree)
	if err != nil {
		return nil, err
	}
	c := s.Next.pub.crypto
	plain := encode(g.write)
	digest := c.hash(plain)
	if s.joiner == nil || s.welcomed != nil && !bytes.Equal(s.welcomed, digest) {
		return nil, ErrKeyUsed
	}
	s.welcomed = digest
	key, nonce := c.welcomeKey(s.welcome)
	m := &welcome{suite: c.suite, info: c.aeadSeal(key, nonce, nil, plain)}
	info := labelled("Welcome", m.info)
	for _, n := range s.newcomers {
		secrets := groupSecrets{s.joiner, n.pathSecret, s.psks}
		box, err := c.sealInfo(n.initKey, info, encode(secrets.write))
		if err != nil {
			return nil, err
		}
		m.secrets = append(m.secrets, welcomeSecret{n.ref, box})
	}
	return encode(m.write), nil
}

func (c *crypto) welcomeKey(secret []byte) (key, nonce []byte) {
	return c.expandLabel(secret, "key", nil, c.nk), c.expandLabel(secret, "nonce", nil, c.nn)
}

// WelcomeRefs returns the KeyPackageRefs that a Welcome is for.
func WelcomeRefs(b []byte) ([][]byte, error) {
	m, err := parseWelcome(b)
	if err != nil {
		return nil, err
	}
	refs := make([][]byte, len(m.secrets))
	for i, s := range m.secrets {
		refs[i] = bytes.Clone(s.ref)
	}
	return refs, nil
}

// secretsFor opens the group secrets addressed to a key package.
func (m *welcome) secretsFor(c *crypto, k *KeyPackage, secret *KeyPackageSecrets) (*groupSecrets, error) {
	ref := k.Ref()
	i := slices.IndexFunc(m.secrets, func(s welcomeSecret) bool { return bytes.Equal(s.ref, ref) })
	if i < 0 || m.suite != k.suite {
		return nil, reject("12.4.3.1", ReasonNotForUs)
	}
	plain, err := c.open(secret.init, "Welcome", m.info, m.secrets[i].sealed)
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(plain)
	g := readGroupSecrets(r)
	if err := r.Done(); err != nil {
		return nil, malformed("12.4.3.1", err)
	}
	return g, nil
}

// openInfo decrypts the GroupInfo; its signature is checked by the caller, who
// has the tree.
func (m *welcome) openInfo(c *crypto, joiner, psk []byte) (*GroupInfo, error) {
	member := c.memberSecret(joiner, psk)
	defer clear(member)
	secret := c.welcomeSecret(member)
	defer clear(secret)
	key, nonce := c.welcomeKey(secret)
	plain, err := c.aeadOpen(key, nonce, nil, m.info)
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(plain)
	g := readGroupInfo(r)
	if err := r.Done(); err != nil {
		return nil, malformed("12.4.3", err)
	}
	return g, nil
}
