package mls

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// Kinds of sender ratchets (RFC 9420 section 9.1).
const (
	ratchetHandshake   = 1
	ratchetApplication = 2
)

// Ratchets are the message keys of one epoch on one device: the secret tree of
// section 9 and the sender ratchets that grow out of it. It is the only thing
// of this package that changes. A key is gone once it was used; what it was
// derived from goes with it.
//
// After every call that moved a ratchet the caller stores Changes before it
// sends or shows anything: a position that is forgotten would be used again.
// A Ratchets is for one goroutine at a time.
type Ratchets struct {
	crypto *crypto
	leaves uint32
	tree   map[nodeIndex][]byte // secrets of subtrees nobody of which was heard yet
	sender map[ratchetID]*ratchet
	chunks int             // of all senders
	dirty  map[string]bool // records to write or delete, by key
}

type ratchetID struct {
	leaf uint32
	kind uint8
}

// A ratchet derives the keys of one sender and kind of message in turn.
type ratchet struct {
	next    uint32 // generation of secret
	secret  []byte
	skipped map[uint32]messageKey // passed over and not used yet
	passed  passedKeys            // likewise, by leaps
}

type messageKey struct{ key, nonce []byte }

// Ratchets returns the message keys of an epoch that has just begun. It is
// called once for each epoch: a second one would use the same keys again. An
// epoch from ParseEpoch has none left to give: its Ratchets answer ErrKeyUsed, and
// LoadRatchets brings back the stored ones.
func (e *Epoch) Ratchets() *Ratchets {
	r := newRatchets(e.pub.crypto, e.pub.tree.leaves)
	r.mark(headerRecord())
	if e.secrets.encryption != nil {
		root := rootOf(r.leaves)
		r.tree[root] = slices.Clone(e.secrets.encryption)
		r.mark(nodeRecord(root))
	}
	return r
}

func newRatchets(c *crypto, leaves uint32) *Ratchets {
	return &Ratchets{
		crypto: c,
		leaves: leaves,
		tree:   make(map[nodeIndex][]byte),
		sender: make(map[ratchetID]*ratchet),
		dirty:  make(map[string]bool),
	}
}

// Erase overwrites every key. The caller deletes the records.
func (r *Ratchets) Erase() {
	for _, s := range r.tree {
		clear(s)
	}
	clear(r.tree)
	for _, s := range r.sender {
		s.erase()
	}
	clear(r.sender)
	r.chunks = 0
	clear(r.dirty)
}

func (t *ratchet) erase() {
	clear(t.secret)
	for _, k := range t.skipped {
		k.erase()
	}
	t.passed.erase()
}

func (k messageKey) erase() {
	clear(k.key)
	clear(k.nonce)
}

// A draw is a message key that was derived but not taken: as long as it is not
// spent the Ratchets are as before.
type draw struct {
	id         ratchetID
	generation uint32
	key        messageKey

	opened *opening // if the sender had no ratchets yet
	// The ratchet after the draw, unless the key was kept; what it passed is in one
	// of the two.
	moved   bool
	secret  []byte
	skipped map[uint32]messageKey
	passed  passedKeys // of a leap
}

// An opening takes one leaf out of the secret tree.
type opening struct {
	from        nodeIndex // the subtree secret that is used up
	siblings    map[nodeIndex][]byte
	handshake   []byte
	application []byte
}

// A bound is how far a draw may go: MaxForward generations ahead of the ratchet, or if most is not
// 0 so many. That is a leap: all keys that it passes are kept; or the newest MaxSkipped, if spare.
type bound struct {
	most  uint32
	spare bool
}

// draw derives the key of a sender's generation, by a leap if ahead is not 0.
func (r *Ratchets) draw(id ratchetID, generation, ahead uint32) (*draw, error) {
	return r.drawTo(id, generation, bound{most: ahead})
}

func (r *Ratchets) drawTo(id ratchetID, generation uint32, to bound) (*draw, error) {
	d := &draw{id: id, generation: generation}
	t := r.sender[id]
	if t == nil {
		o, err := r.open(id.leaf)
		if err != nil {
			return nil, err
		}
		d.opened = o
		t = o.ratchet(id.kind)
	}
	if generation < t.next {
		k, ok := t.skipped[generation]
		if !ok {
			k, ok = t.passed.find(r.crypto, generation)
		}
		if !ok {
			return nil, ErrKeyUsed
		}
		d.key = k
		return d, nil
	}
	n := generation - t.next
	most, leaps := to.most, to.most > 0 && !to.spare
	if most == 0 {
		most = MaxForward
	}
	if n > most || leaps && !r.hasRoom(t.next, n) {
		return nil, reject("9.2", ReasonGeneration)
	}
	if generation == 1<<32-1 {
		return nil, reject("9.1", ReasonExhausted)
	}
	if leaps {
		d.passed = make(passedKeys)
	} else {
		d.skipped = make(map[uint32]messageKey)
	}
	r.walk(d, t)
	return d, nil
}

// walk derives from t to the generation of d, and keeps the keys it passes. The secret
// of t stays until the draw is spent.
func (r *Ratchets) walk(d *draw, t *ratchet) {
	c := r.crypto
	d.moved = true
	d.secret = bytes.Clone(t.secret)
	s := c.steps()
	for g := t.next; g < d.generation; g++ {
		if d.passed != nil {
			s.next(d.secret, g, d.passed.span(c, g))
			continue
		}
		if k := s.key(d.secret, g); d.generation-g <= MaxSkipped {
			d.skipped[g] = k
		} else {
			k.erase()
		}
	}
	d.key = s.key(d.secret, d.generation)
}

// open derives the secrets on the way from the lowest known subtree to a leaf.
func (r *Ratchets) open(leaf uint32) (*opening, error) {
	x := rootOf(r.leaves)
	if leaf >= r.leaves {
		return nil, reject("9", ReasonNoLeaf)
	}
	for r.tree[x] == nil {
		if x.isLeaf() {
			return nil, ErrKeyUsed
		}
		x = x.toward(leaf)
	}
	c := r.crypto
	o := &opening{from: x, siblings: make(map[nodeIndex][]byte)}
	secret := r.tree[x]
	for !x.isLeaf() {
		above := secret
		left := c.expandLabel(secret, "tree", []byte("left"), c.nh)
		right := c.expandLabel(secret, "tree", []byte("right"), c.nh)
		if leafNodeIndex(leaf) < x {
			o.siblings[x.right()], secret = right, left
		} else {
			o.siblings[x.left()], secret = left, right
		}
		if x != o.from { // r keeps its own until the draw is spent
			clear(above)
		}
		x = x.toward(leaf)
	}
	o.handshake = c.expandLabel(secret, "handshake", nil, c.nh)
	o.application = c.expandLabel(secret, "application", nil, c.nh)
	if x != o.from {
		clear(secret)
	}
	return o, nil
}

// toward is the child of x on the way to leaf.
func (x nodeIndex) toward(leaf uint32) nodeIndex {
	if leafNodeIndex(leaf) < x {
		return x.left()
	}
	return x.right()
}

func (o *opening) ratchet(kind uint8) *ratchet {
	if kind == ratchetHandshake {
		return &ratchet{secret: o.handshake}
	}
	return &ratchet{secret: o.application}
}

// spend takes the drawn key: it and all it came from are gone afterwards.
func (r *Ratchets) spend(d *draw) {
	if d.opened != nil {
		r.plant(d.id.leaf, d.opened)
	}
	t := r.sender[d.id]
	if !d.moved {
		r.use(d.id, t, d.generation)
		return
	}
	clear(t.secret)
	t.secret, t.next = d.secret, d.generation+1
	r.mark(senderRecord(d.id))
	if d.passed != nil {
		r.keep(d, t)
		return
	}
	if t.skipped == nil {
		t.skipped = make(map[uint32]messageKey)
	}
	for g, k := range d.skipped {
		t.skipped[g] = k
		r.mark(skippedRecord(d.id, g))
	}
	r.trim(d.id, t)
}

// use takes a key that was kept.
func (r *Ratchets) use(id ratchetID, t *ratchet, generation uint32) {
	if _, ok := t.skipped[generation]; ok {
		delete(t.skipped, generation)
		r.mark(skippedRecord(id, generation))
		return
	}
	if t.passed.use(generation) {
		r.chunks--
	}
	r.mark(passedRecord(id, generation))
}

// plant puts the two ratchets of a leaf in place of the subtree secret. One
// that is there already stays: only half of the records were stored then, and
// starting it again would use its keys twice.
func (r *Ratchets) plant(leaf uint32, o *opening) {
	clear(r.tree[o.from])
	delete(r.tree, o.from)
	r.mark(nodeRecord(o.from))
	for x, s := range o.siblings {
		r.tree[x] = s
		r.mark(nodeRecord(x))
	}
	for _, kind := range []uint8{ratchetHandshake, ratchetApplication} {
		id := ratchetID{leaf, kind}
		if r.sender[id] == nil {
			r.sender[id] = o.ratchet(kind)
		}
		r.mark(senderRecord(id))
	}
}

// trim drops the oldest skipped keys over MaxSkipped.
func (r *Ratchets) trim(id ratchetID, t *ratchet) {
	over := len(t.skipped) - MaxSkipped
	if over <= 0 {
		return
	}
	for _, g := range slices.SortedFunc(maps.Keys(t.skipped), cmp.Compare[uint32])[:over] {
		t.skipped[g].erase()
		delete(t.skipped, g)
		r.mark(skippedRecord(id, g))
	}
}

// next is the generation a sender uses next.
func (r *Ratchets) next(id ratchetID) uint32 {
	if t := r.sender[id]; t != nil {
		return t.next
	}
	return 0
}
