package mls

import (
	"crypto/hmac"
	"encoding/binary"
	"iter"
	"math/bits"

	"kith/internal/wire"
)

// chunkSpan is how many generations one record of passed keys spans. Of 100,000 that
// a leap passes 782 records are made; one that is used rewrites one of 3.6 kB, which 128
// that come in turn share where they are stored together.
const chunkSpan = 128

// passedKeys are the keys that leaps passed over, by generation / chunkSpan.
//
// They are kept, and not the ratchet secret from which they would follow in 32 bytes:
// from that all later keys follow, too, also those that were used, and section 9.2 has
// it deleted with the first of them.
type passedKeys map[uint32]*chunk

// A chunk is the keys of those of chunkSpan generations that have not come yet. The first of
// them is a multiple of chunkSpan.
type chunk struct {
	has  [chunkSpan / 8]byte // bit i&7 of byte i>>3: the i-th
	keys []byte              // of all, key and nonce each; zero of those it has not
}

func (c *crypto) newChunk() *chunk {
	return &chunk{keys: make([]byte, chunkSpan*(c.nk+c.nn))}
}

func (k *chunk) holds(i uint32) bool { return k.has[i>>3]&(1<<(i&7)) != 0 }

// at is where the i-th key and nonce stand.
func (k *chunk) at(i uint32) []byte {
	n := uint32(len(k.keys) / chunkSpan)
	return k.keys[i*n : (i+1)*n : (i+1)*n]
}

// put begins the i-th and returns where it is to be written.
func (k *chunk) put(i uint32) []byte {
	k.has[i>>3] |= 1 << (i & 7)
	return k.at(i)
}

func (k *chunk) drop(i uint32) {
	k.has[i>>3] &^= 1 << (i & 7)
	clear(k.at(i))
}

func (k *chunk) count() (n int) {
	for _, b := range k.has {
		n += bits.OnesCount8(b)
	}
	return n
}

// merge takes over what another chunk of the same generations has.
func (k *chunk) merge(o *chunk) {
	for i := range uint32(chunkSpan) {
		if o.holds(i) {
			copy(k.put(i), o.at(i))
		}
	}
	clear(o.keys)
}

// messageKey is a key and its nonce as they stand in a record.
func (c *crypto) messageKey(b []byte) messageKey {
	return messageKey{key: b[:c.nk:c.nk], nonce: b[c.nk:]}
}

// find returns a passed key; it stays the chunk's.
func (p passedKeys) find(c *crypto, generation uint32) (messageKey, bool) {
	k := p[generation/chunkSpan]
	if k == nil || !k.holds(generation%chunkSpan) {
		return messageKey{}, false
	}
	return c.messageKey(k.at(generation % chunkSpan)), true
}

// span begins the place of one more key.
func (p passedKeys) span(c *crypto, generation uint32) []byte {
	k := p[generation/chunkSpan]
	if k == nil {
		k = c.newChunk()
		p[generation/chunkSpan] = k
	}
	return k.put(generation % chunkSpan)
}

// use takes a key out, and reports whether it was the last of its chunk.
func (p passedKeys) use(generation uint32) (last bool) {
	k := p[generation/chunkSpan]
	if k.drop(generation % chunkSpan); k.count() > 0 {
		return false
	}
	delete(p, generation/chunkSpan)
	return true
}

// add takes over what a leap passed.
func (p passedKeys) add(more passedKeys) {
	for n, k := range more {
		if own := p[n]; own != nil {
			own.merge(k)
		} else {
			p[n] = k
		}
	}
}

func (p passedKeys) erase() {
	for _, k := range p {
		clear(k.keys)
	}
}

// A Leap is what it takes to open an application message that is ahead of its sender's
// ratchet.
type Leap struct {
	Ahead uint32 // generations that are passed; 0 if the key is the next, is kept, or is gone
	Takes int    // room for how many keys
}

// Leap returns what a leap takes.
func (r *Ratchets) Leap(s Sender) (l Leap) {
	var next uint32
	if t := r.sender[ratchetID{s.Leaf, ratchetApplication}]; t != nil {
		next = t.next
	}
	l.Ahead = s.Generation - min(s.Generation, next)
	l.Takes = chunksOf(next, l.Ahead) * chunkSpan
	return l
}

// Kept returns the room for keys that leaps of all senders take.
func (r *Ratchets) Kept() int { return r.chunks * chunkSpan }

// KeptBy returns the room that leaps of each sender take, by its leaf.
func (r *Ratchets) KeptBy() iter.Seq2[uint32, int] {
	return func(yield func(uint32, int) bool) {
		for id, t := range r.sender {
			if len(t.passed) > 0 && !yield(id.leaf, len(t.passed)*chunkSpan) {
				return
			}
		}
	}
}

// chunksOf is in how many chunks n generations lie, from one on.
func chunksOf(from, n uint32) int {
	if n == 0 {
		return 0
	}
	return int((from+n-1)/chunkSpan-from/chunkSpan) + 1
}

// hasRoom reports whether the keys of n generations from one on may be kept.
func (r *Ratchets) hasRoom(from, n uint32) bool {
	return r.Kept()+chunksOf(from, n)*chunkSpan <= MaxKept
}

// keep takes over what a leap passed.
func (r *Ratchets) keep(d *draw, t *ratchet) {
	if t.passed == nil {
		t.passed = make(passedKeys)
	}
	for n := range d.passed {
		r.mark(passedRecord(d.id, n*chunkSpan))
	}
	r.chunks -= len(t.passed)
	t.passed.add(d.passed)
	r.chunks += len(t.passed)
}

// bytes is the record of a chunk: has, and the keys and nonces that it has, ascending.
// Of none there is no record.
func (k *chunk) bytes() []byte {
	if k == nil {
		return nil
	}
	return encode(func(w *wire.Writer) {
		w.Raw(k.has[:])
		for i := range uint32(chunkSpan) {
			if k.holds(i) {
				w.Raw(k.at(i))
			}
		}
	})
}

// parseChunk reads the record; false if it is damaged, or empty: then there is none.
func (c *crypto) parseChunk(b []byte) (*chunk, bool) {
	k := c.newChunk()
	r := wire.NewReader(b)
	r.Fixed(k.has[:])
	if k.count() == 0 || r.Err() != nil {
		return nil, false
	}
	for i := range uint32(chunkSpan) {
		if k.holds(i) {
			r.Fixed(k.at(i))
		}
	}
	return k, r.Done() == nil
}

// last is the highest generation that a chunk has, the n-th.
func (k *chunk) last(n uint32) uint32 {
	i := uint32(chunkSpan - 1)
	for !k.holds(i) {
		i--
	}
	return n*chunkSpan + i
}

// A steps derives the keys of one generation after the other: DeriveTreeSecret of
// section 9.1 with one HMAC for the three things that come of a secret, for a leap takes
// 100,000 of them.
type steps struct {
	c    *crypto
	info [3][]byte // HKDF's info and its counter, 1, of key, nonce and secret
	out  []byte
}

func (c *crypto) steps() *steps {
	s := &steps{c: c, out: make([]byte, 0, c.nh)}
	for i, l := range []struct {
		label string
		n     int
	}{{"key", c.nk}, {"nonce", c.nn}, {"secret", c.nh}} {
		s.info[i] = encode(func(w *wire.Writer) {
			w.U16(uint16(l.n))
			w.Vec([]byte(labelPrefix + l.label))
			w.Vec(make([]byte, 4))
			w.U8(1)
		})
	}
	return s
}

// next writes the key and the nonce of a generation to k, of nk+nn bytes, and the
// secret of the next one over secret. None is longer than the hash, so that each is the
// first block of HKDF-Expand.
func (s *steps) next(secret []byte, generation uint32, k []byte) {
	mac := hmac.New(s.c.newHash, secret)
	for i, to := range [][]byte{k[:s.c.nk], k[s.c.nk:], secret} {
		info := s.info[i]
		binary.BigEndian.PutUint32(info[len(info)-5:], generation)
		mac.Reset()
		mac.Write(info)
		copy(to, mac.Sum(s.out))
	}
	clear(s.out[:s.c.nh])
}

// key is next with a place of its own for the key.
func (s *steps) key(secret []byte, generation uint32) messageKey {
	k := make([]byte, s.c.nk+s.c.nn)
	s.next(secret, generation, k)
	return s.c.messageKey(k)
}
