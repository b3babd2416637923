package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// An Epoch is a PublicGroup with the secrets of one member. Like it, it never
// changes: Commit and Process return new values, several children of one epoch
// can be made, and a failure leaves no trace. Only Erase destroys it.
type Epoch struct {
	pub     *PublicGroup
	own     uint32
	private []nodeKey // own leaf and the own direct path, as far as known
	secrets *schedule
}

// Create starts a group (RFC 9420 section 11): epoch 0, whose one leaf is that
// of the key package. GroupContext.extensions is empty.
func Create(suite Suite, groupID []byte, k *KeyPackage, secret *KeyPackageSecrets) (*Epoch, error) {
	return CreateWith(suite, groupID, nil, k, secret)
}

// CreateWith is Create with extensions for the GroupContext.
func CreateWith(suite Suite, groupID []byte, extensions []Extension, k *KeyPackage, secret *KeyPackageSecrets) (*Epoch, error) {
	c, err := suite.crypto()
	if err != nil {
		return nil, err
	}
	if err := checkExtensions(extensions); err != nil {
		return nil, err
	}
	if greasy(extensions) {
		return nil, reject("13.5", ReasonExtension)
	}
	if err := checkContextExtensions(extensions); err != nil {
		return nil, err
	}
	if err := k.verify(c, extensions); err != nil {
		return nil, err
	}
	if err := secret.fits(c, k); err != nil {
		return nil, err
	}
	first := wire.Random(c.nh)
	s := c.schedule(first)
	clear(first)
	pub, err := publicFromLeaf(suite, groupID, cloneExtensions(extensions), k.leaf.raw, c.confirmationTag(s.confirmation, nil))
	if err != nil {
		return nil, err
	}
	return &Epoch{pub, 0, []nodeKey{{0, bytes.Clone(secret.leaf)}}, s}, nil
}

// Public returns the public part.
func (e *Epoch) Public() *PublicGroup { return e.pub }

// OwnLeaf returns the leaf index of this device.
func (e *Epoch) OwnLeaf() uint32 { return e.own }

// ConfirmationTag returns that of the public part.
func (e *Epoch) ConfirmationTag() []byte { return e.pub.ConfirmationTag() }

// EpochAuthenticator returns a value that two members compare to know that
// they are in the same epoch (section 8.7).
func (e *Epoch) EpochAuthenticator() []byte { return bytes.Clone(e.secrets.authenticator) }

// Export derives a secret for another use (section 8.5). n is at most MaxExport;
// more gives nil.
func (e *Epoch) Export(label string, context []byte, n int) []byte {
	if n < 0 || n > MaxExport {
		return nil
	}
	return e.pub.crypto.export(e.secrets.exporter, label, context, n)
}

// ExternalPub returns the HPKE public key that external commits encrypt to
// (section 8).
func (e *Epoch) ExternalPub() []byte {
	_, public, err := e.pub.crypto.keyPair(e.secrets.external)
	if err != nil {
		return nil // no secret of KDF.Nh bytes fails for a suite of the table
	}
	return public
}

// Process follows the commit of another member whose proposals stand in it by
// value. If it removes this device the error is ErrRemoved, and Changes says
// what else happened.
func (e *Epoch) Process(c *Commit) (*Epoch, *Changes, error) {
	return e.ProcessWith(c, Inputs{})
}

// Inputs is what a commit may refer to.
type Inputs struct {
	Proposals []*Proposed     // for proposals by reference
	Updates   []*UpdateSecret // for own Update proposals
	PSKs      PSKs
}

// ProcessWith is Process for any commit (section 12.4.2).
func (e *Epoch) ProcessWith(c *Commit, in Inputs) (*Epoch, *Changes, error) {
	if e.Closed() {
		return nil, nil, ErrClosed
	}
	s, err := e.pub.receive(c.a, in.Proposals)
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(s.changes.Removed, func(l Leaf) bool { return l.Index == e.own }) {
		return nil, s.changes, ErrRemoved
	}
	if s.committer == e.own && c.a.content.sender.kind == senderMember {
		return nil, nil, reject("12.4.2", ReasonSender)
	}
	private, commitSecret, err := e.openPath(s, c.a.content.commit.path, in.Updates)
	if err != nil {
		return nil, nil, err
	}
	init, err := e.initSecret(s)
	if err != nil {
		return nil, nil, err
	}
	psk, err := in.PSKs.secret(e.pub.crypto, s.psks)
	if err != nil {
		return nil, nil, err
	}
	pub := s.finish(e.pub, c.a)
	keys := pub.crypto.advance(init, commitSecret, psk, pub.context())
	clear(commitSecret)
	clear(psk)
	clear(keys.joiner)
	clear(keys.welcome)
	if !sameMAC(pub.crypto.confirmationTag(keys.schedule.confirmation, pub.confirmed), pub.tag) {
		return nil, nil, reject("12.4.2", ReasonConfirmation)
	}
	return &Epoch{pub, e.own, private, keys.schedule}, s.changes, nil
}

// openPath returns the private keys of the next epoch and the commit secret.
func (e *Epoch) openPath(s *stage, path *updatePath, updates []*UpdateSecret) ([]nodeKey, []byte, error) {
	var fresh []nodeKey
	for _, u := range updates {
		if own := s.tree.leaf(e.own); own != nil && bytes.Equal(own.encryptionKey, u.public) {
			fresh = append(fresh, nodeKey{leafNodeIndex(e.own), bytes.Clone(u.private)})
		}
	}
	kept := s.tree.keptKeys(e.pub.tree, e.private, fresh)
	if len(kept) == 0 || kept[0].node != leafNodeIndex(e.own) {
		return nil, nil, reject("12.1.2", ReasonNoUpdateSecret)
	}
	if path == nil {
		return kept, e.pub.crypto.zero(), nil
	}
	got, err := s.tree.decrypt(e.own, s.committer, kept, s.path, path, s.added, s.groupContext.bytes())
	if err != nil {
		return nil, nil, err
	}
	got.forget()
	return s.tree.keptKeys(s.tree, kept, got.private), got.commit, nil
}

// initSecret is that of this epoch, or the one an external joiner brought
// (section 8.3).
func (e *Epoch) initSecret(s *stage) ([]byte, error) {
	if !s.external {
		return e.secrets.init, nil
	}
	return e.pub.crypto.externalInit(e.secrets.external, s.kemOutput)
}

// advanced is what the key schedule gives on the way to a new epoch.
type advanced struct {
	joiner   []byte
	welcome  []byte
	schedule *schedule
}

func (c *crypto) advance(init, commit, psk, context []byte) advanced {
	return c.fromJoiner(c.joinerSecret(init, commit, context), psk, context)
}

func (c *crypto) fromJoiner(joiner, psk, context []byte) advanced {
	member := c.memberSecret(joiner, psk)
	epoch := c.epochSecret(member, context)
	defer clear(member)
	defer clear(epoch)
	return advanced{joiner, c.welcomeSecret(member), c.schedule(epoch)}
}

// Marshal returns what is stored of an epoch besides its PublicGroup. The
// encryption_secret is not in it: whoever stores an epoch stores the changes
// of its Ratchets with it, and message keys that were used stay gone.
//
//	offset size field
//	0      1    version, 1
//	1      4    own leaf
//	5      V    eight secrets, each V: sender_data, exporter, external,
//	            confirmation, membership, resumption, epoch_authenticator, init
//	       V    private keys from the leaf up, each 4 node index, V key
func (e *Epoch) Marshal() []byte {
	return encode(func(w *wire.Writer) {
		w.U8(storedVersion)
		w.U32(e.own)
		w.Group(func(w *wire.Writer) {
			for _, s := range e.secrets.all() {
				w.Vec(*s)
			}
		})
		w.Group(func(w *wire.Writer) {
			for _, k := range e.private {
				w.U32(uint32(k.node))
				w.Vec(k.private)
			}
		})
	})
}

// ParseEpoch reads what Marshal wrote; pub is the epoch's public part, which
// must fit. Ratchets are loaded apart, with LoadRatchets.
func ParseEpoch(b []byte, pub *PublicGroup) (*Epoch, error) {
	r := wire.NewReader(bytes.Clone(b))
	if r.U8() != storedVersion {
		r.Fail(wire.ErrCanonical)
	}
	e := &Epoch{pub: pub, own: r.U32(), secrets: new(schedule)}
	inner := r.Sub(1 << 12)
	for _, s := range e.secrets.all() {
		*s = inner.Vec(maxHash)
	}
	if err := inner.Done(); err != nil {
		r.Fail(err)
	}
	r.Each(1<<17, 32, func(r *wire.Reader) {
		e.private = append(e.private, nodeKey{nodeIndex(r.U32()), r.Vec(maxKey)})
	})
	if err := r.Done(); err != nil {
		return nil, &Error{"8", ReasonStoredRecord, err}
	}
	if err := e.fits(); err != nil {
		return nil, &Error{"8", ReasonStoredRecord, err}
	}
	return e, nil
}

// fits checks stored secrets against the public part: their length, the
// confirmation tag and every private key.
func (e *Epoch) fits() error {
	c := e.pub.crypto
	for _, s := range e.secrets.all() {
		kept := !e.Closed() || s == &e.secrets.senderData || s == &e.secrets.confirmation
		if kept && len(*s) != c.nh || !kept && len(*s) != 0 {
			return reject("8", ReasonSecret)
		}
	}
	if !sameMAC(c.confirmationTag(e.secrets.confirmation, e.pub.confirmed), e.pub.tag) {
		return reject("12.4.2", ReasonConfirmation)
	}
	if e.pub.tree.leaf(e.own) == nil || !e.Closed() && e.private[0].node != leafNodeIndex(e.own) {
		return reject("7", ReasonOwnLeaf)
	}
	for _, k := range e.private {
		if !k.node.within(e.pub.tree.leaves) || !k.node.covers(e.own) {
			return reject("7", ReasonNoLeaf)
		}
		public, err := c.publicOf(k.private)
		if err != nil {
			return err
		}
		if !bytes.Equal(public, e.pub.tree.at(k.node).publicKey()) {
			return reject("7", ReasonSecret)
		}
	}
	return nil
}

// ForgetMessages overwrites the encryption_secret, once Ratchets has handed it
// over: message keys that were used are then gone from memory too.
func (e *Epoch) ForgetMessages() {
	clear(e.secrets.encryption)
	e.secrets.encryption = nil
}

// Close overwrites what leads to other epochs: no commit is made on this one or
// followed from it any more, and nobody is let in. What was sealed in it can
// still be opened, with the keys that its Ratchets hold.
func (e *Epoch) Close() {
	for _, s := range e.secrets.all() {
		if s != &e.secrets.senderData && s != &e.secrets.confirmation {
			clear(*s)
			*s = nil
		}
	}
	e.ForgetMessages()
	for _, k := range e.private {
		clear(k.private)
	}
	e.private = nil
}

// Closed reports whether Close was called.
func (e *Epoch) Closed() bool { return len(e.private) == 0 }

// Erase overwrites every secret of this epoch. Other epochs, its children
// among them, keep theirs; e must not be used afterwards.
func (e *Epoch) Erase() {
	for _, s := range e.secrets.all() {
		clear(*s)
	}
	e.ForgetMessages()
	for _, k := range e.private {
		clear(k.private)
	}
}
