package mls

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A Sender is who sent a private message, by sender data alone: it is a claim
// of some member until the message has been decrypted.
type Sender struct {
	Leaf       uint32
	Generation uint32
}

// senderData is SenderData of RFC 9420 section 6.3.2:
//
//	offset size field
//	0      4    leaf index
//	4      4    generation
//	8      4    reuse guard
type senderData struct {
	leaf       uint32
	generation uint32
	guard      [4]byte
}

func (s *senderData) bytes() []byte {
	return encode(func(w *wire.Writer) {
		w.U32(s.leaf)
		w.U32(s.generation)
		w.Raw(s.guard[:])
	})
}

func parseSenderData(b []byte) (s senderData, err error) {
	r := wire.NewReader(b)
	s.leaf, s.generation = r.U32(), r.U32()
	r.Fixed(s.guard[:])
	if err := r.Done(); err != nil {
		return s, malformed("6.3.2", err)
	}
	return s, nil
}

// guarded is the nonce with the reuse guard over its first bytes.
func (s *senderData) guarded(nonce []byte) []byte {
	out := bytes.Clone(nonce)
	for i, b := range s.guard {
		out[i] ^= b
	}
	return out
}

func ratchetKind(contentKind uint8) uint8 {
	if contentKind == contentApplication {
		return ratchetApplication
	}
	return ratchetHandshake
}

// Encrypt makes a PrivateMessage of application data, with padding zero bytes
// behind it (section 6.3.1). The own ratchet moves: the caller stores
// r.Changes before the message leaves the device.
func (e *Epoch) Encrypt(r *Ratchets, s Signer, authenticatedData, plaintext []byte, padding int) ([]byte, error) {
	if padding < 0 || len(authenticatedData) > MaxAuthenticatedData || e.CiphertextSize(len(plaintext), padding, len(authenticatedData)) > MaxMessage {
		return nil, malformed("6.3.1", wire.ErrTooLong)
	}
	if l := e.pub.tree.leaf(e.own); !bytes.Equal(l.signatureKey, s.PublicKey()) {
		return nil, reject("6.1", ReasonSigner)
	}
	if e.pub.reinit != nil {
		return nil, reject("12.4.2", ReasonSuspended)
	}
	a := e.pub.authenticate(content{
		groupID:           e.pub.groupID,
		epoch:             e.pub.epoch,
		sender:            sender{senderMember, e.own},
		authenticatedData: authenticatedData,
		kind:              contentApplication,
		application:       plaintext,
	}, s, true)
	return e.sealPrivate(r, a, padding)
}

// sealPrivate encrypts with the next key of the own ratchet.
func (e *Epoch) sealPrivate(r *Ratchets, a *authenticated, padding int) ([]byte, error) {
	c := e.pub.crypto
	id := ratchetID{e.own, ratchetKind(a.content.kind)}
	d, err := r.draw(id, r.next(id), 0)
	if err != nil {
		return nil, err
	}
	data := senderData{leaf: e.own, generation: d.generation, guard: [4]byte(wire.Random(4))}
	p := &privateMessage{
		groupID:           e.pub.groupID,
		epoch:             e.pub.epoch,
		kind:              a.content.kind,
		authenticatedData: a.content.authenticatedData,
	}
	plain := a.plaintext(padding)
	p.ciphertext = c.aeadSeal(d.key.key, data.guarded(d.key.nonce), p.contentAAD(), plain)
	key, nonce := c.senderDataKey(e.secrets.senderData, p.ciphertext)
	p.senderData = c.aeadSeal(key, nonce, p.senderAAD(), data.bytes())
	r.spend(d)
	d.key.erase()
	return p.bytes(), nil
}

// plaintext is PrivateMessageContent of section 6.3.1. Application data may be
// large and is copied once.
func (a *authenticated) plaintext(padding int) []byte {
	var auth, head wire.Writer
	a.writeAuth(&auth)
	if a.content.kind == contentApplication {
		head.Varint(len(a.content.application))
		return slices.Concat(head.Bytes(), a.content.application, auth.Bytes(), make([]byte, padding))
	}
	a.content.writeBody(&head)
	return slices.Concat(head.Bytes(), auth.Bytes(), make([]byte, padding))
}

// senderDataKey derives key and nonce from the first KDF.Nh bytes of the
// ciphertext.
func (c *crypto) senderDataKey(secret, ciphertext []byte) (key, nonce []byte) {
	sample := ciphertext[:min(len(ciphertext), c.nh)]
	return c.expandLabel(secret, "key", sample, c.nk), c.expandLabel(secret, "nonce", sample, c.nn)
}

// CiphertextSize is the length of the PrivateMessage that Encrypt makes, from
// the lengths of plaintext, padding and authenticated data. For a suite that
// signs with ECDSA, whose signatures vary in length, it is an upper bound.
func (e *Epoch) CiphertextSize(plaintext, padding, authenticatedData int) int {
	c := e.pub.crypto
	body := vecSize(plaintext) + vecSize(c.signature) + padding + c.nt
	header := vecSize(len(e.pub.groupID)) + 8 + 1 + vecSize(authenticatedData)
	return header + vecSize(12+c.nt) + vecSize(body)
}

// vecSize is the length of opaque<V> around n bytes.
func vecSize(n int) int {
	switch {
	case n < 1<<6:
		return 1 + n
	case n < 1<<14:
		return 2 + n
	}
	return 4 + n
}

// Peek says who a private message claims to be from and what is authenticated
// with it. It uses no message key: nothing is derived, nothing deleted.
func (e *Epoch) Peek(message []byte) (Sender, []byte, error) {
	p, err := e.parsePrivate(message)
	if err != nil {
		return Sender{}, nil, err
	}
	d, err := e.openSenderData(p)
	if err != nil {
		return Sender{}, nil, err
	}
	return Sender{d.leaf, d.generation}, bytes.Clone(p.authenticatedData), nil
}

func (e *Epoch) parsePrivate(message []byte) (*privateMessage, error) {
	r := wire.NewReader(message)
	p := readPrivateMessage(r)
	if err := r.Done(); err != nil {
		return nil, malformed("6.3", err)
	}
	if !bytes.Equal(p.groupID, e.pub.groupID) {
		return nil, reject("6.3", ReasonGroup)
	}
	if p.epoch != e.pub.epoch {
		return nil, ErrWrongEpoch
	}
	return p, nil
}

func (e *Epoch) openSenderData(p *privateMessage) (senderData, error) {
	c := e.pub.crypto
	key, nonce := c.senderDataKey(e.secrets.senderData, p.ciphertext)
	plain, err := c.aeadOpen(key, nonce, p.senderAAD(), p.senderData)
	if err != nil {
		return senderData{}, err
	}
	d, err := parseSenderData(plain)
	if err != nil {
		return d, err
	}
	if e.pub.tree.leaf(d.leaf) == nil {
		return d, reject("6.3.2", ReasonNoLeaf)
	}
	return d, nil
}

// Decrypt opens an application message and checks its inner signature. The key
// is used up only if all of it holds; on an error r is as before. ErrKeyUsed
// means that the message was opened already, or that its key was not kept.
func (e *Epoch) Decrypt(r *Ratchets, message []byte) ([]byte, Sender, error) {
	return e.decrypt(r, message, bound{})
}

// DecryptAhead is Decrypt for a message that is up to ahead generations before its
// sender's ratchet. Each costs a derivation, and room for its key: all that are passed
// are kept until they are used, whatever comes later, and where MaxKept does not hold
// them the message is refused. So the caller vouches for ahead: the message is known to
// be its sender's, who says how many come before it.
func (e *Epoch) DecryptAhead(r *Ratchets, message []byte, ahead uint32) ([]byte, Sender, error) {
	return e.decrypt(r, message, bound{most: max(ahead, 1)})
}

// DecryptPast is DecryptAhead for a message before which nothing is expected any more but the
// newest few: of the keys that are passed the newest MaxSkipped are kept, and it needs no room.
func (e *Epoch) DecryptPast(r *Ratchets, message []byte, ahead uint32) ([]byte, Sender, error) {
	return e.decrypt(r, message, bound{most: max(ahead, 1), spare: true})
}

func (e *Epoch) decrypt(r *Ratchets, message []byte, to bound) ([]byte, Sender, error) {
	p, err := e.parsePrivate(message)
	if err != nil {
		return nil, Sender{}, err
	}
	if p.kind != contentApplication {
		return nil, Sender{}, reject("6.3", ReasonContent)
	}
	a, s, err := e.openPrivate(r, p, to)
	if err != nil {
		return nil, Sender{}, err
	}
	return a.content.application, s, nil
}

// openPrivate turns a PrivateMessage into the content it protects.
func (e *Epoch) openPrivate(r *Ratchets, p *privateMessage, to bound) (*authenticated, Sender, error) {
	data, err := e.openSenderData(p)
	if err != nil {
		return nil, Sender{}, err
	}
	d, err := r.drawTo(ratchetID{data.leaf, ratchetKind(p.kind)}, data.generation, to)
	if err != nil {
		return nil, Sender{}, err
	}
	plain, err := e.pub.crypto.aeadOpen(d.key.key, data.guarded(d.key.nonce), p.contentAAD(), p.ciphertext)
	if err != nil {
		return nil, Sender{}, err
	}
	a, err := p.parsePlain(plain, data.leaf)
	if err != nil {
		return nil, Sender{}, err
	}
	if err := e.pub.verifySender(a); err != nil {
		return nil, Sender{}, err
	}
	r.spend(d)
	d.key.erase()
	return a, Sender{data.leaf, data.generation}, nil
}

// parsePlain reads PrivateMessageContent; all behind it must be zero.
func (p *privateMessage) parsePlain(plain []byte, leaf uint32) (*authenticated, error) {
	r := wire.NewReader(plain)
	c := content{
		groupID:           p.groupID,
		epoch:             p.epoch,
		sender:            sender{senderMember, leaf},
		authenticatedData: p.authenticatedData,
		kind:              p.kind,
	}
	c.readBody(r)
	a := &authenticated{format: FormatPrivateMessage, content: &c}
	a.readAuth(r)
	if err := r.Err(); err != nil {
		return nil, malformed("6.3.1", err)
	}
	for _, b := range r.Rest() {
		if b != 0 {
			return nil, reject("6.3.1", ReasonPadding)
		}
	}
	a.content = c.frozen()
	return a, nil
}
