package mls

import (
	"bytes"
	"maps"
	"slices"

	"kith/internal/wire"
)

// A Change is one record to write; a nil Value deletes it. Records of a
// Ratchets, which the caller keeps apart from those of other epochs:
//
//	key                                  value
//	'e'                                  version 1; 2 suite; 4 leaves of the tree
//	't', 4 node                          secret of a subtree
//	'r', 4 leaf, 1 kind                  4 next generation, ratchet secret
//	's', 4 leaf, 1 kind, 4 generation    key, nonce of a message not seen yet
//	'p', 4 leaf, 1 kind, 4 generation    of those that a leap passed, from this multiple of
//	                                     128 on: 16 which of 128 are there, the lowest bit
//	                                     of the first byte for the first; key, nonce of each
//
// Kind is 1 for handshake, 2 for application messages. A key stands in one record, and
// none of a used one. A message in order
// changes one record of 36 bytes; the first of a sender also the subtree
// secrets on its way to the root.
type Change struct{ Key, Value []byte }

func headerRecord() []byte { return []byte{'e'} }

func nodeRecord(x nodeIndex) []byte {
	return encode(func(w *wire.Writer) {
		w.U8('t')
		w.U32(uint32(x))
	})
}

func senderRecord(id ratchetID) []byte {
	return encode(func(w *wire.Writer) {
		w.U8('r')
		w.U32(id.leaf)
		w.U8(id.kind)
	})
}

func skippedRecord(id ratchetID, generation uint32) []byte {
	return encode(func(w *wire.Writer) {
		w.U8('s')
		w.U32(id.leaf)
		w.U8(id.kind)
		w.U32(generation)
	})
}

// passedRecord is the record that has the key of a generation if a leap passed it.
func passedRecord(id ratchetID, generation uint32) []byte {
	return encode(func(w *wire.Writer) {
		w.U8('p')
		w.U32(id.leaf)
		w.U8(id.kind)
		w.U32(generation - generation%chunkSpan)
	})
}

func (r *Ratchets) mark(key []byte) { r.dirty[string(key)] = true }

// Changes returns what to write and delete since the last call, in the order
// of the keys. Values hold secrets.
func (r *Ratchets) Changes() []Change {
	out := make([]Change, 0, len(r.dirty))
	for _, k := range slices.Sorted(maps.Keys(r.dirty)) {
		out = append(out, Change{[]byte(k), r.record([]byte(k))})
	}
	clear(r.dirty)
	return out
}

// record is the value of a record, nil if there is none any more.
func (r *Ratchets) record(key []byte) []byte {
	k := wire.NewReader(key[1:])
	switch key[0] {
	case 'e':
		return encode(func(w *wire.Writer) {
			w.U8(storedVersion)
			w.U16(uint16(r.crypto.suite))
			w.U32(r.leaves)
		})
	case 't':
		return bytes.Clone(r.tree[nodeIndex(k.U32())])
	case 'r':
		return r.sender[ratchetID{k.U32(), k.U8()}].record()
	}
	t, generation := r.sender[ratchetID{k.U32(), k.U8()}], k.U32()
	if key[0] == 'p' {
		return t.passed[generation/chunkSpan].bytes()
	}
	if m, ok := t.skipped[generation]; ok {
		return slices.Concat(m.key, m.nonce)
	}
	return nil
}

func (t *ratchet) record() []byte {
	return encode(func(w *wire.Writer) {
		w.U32(t.next)
		w.Raw(t.secret)
	})
}

// LoadRatchets restores a Ratchets from all its records, in any order.
func LoadRatchets(suite Suite, records []Change) (*Ratchets, error) {
	c, err := suite.crypto()
	if err != nil {
		return nil, err
	}
	r := newRatchets(c, 0)
	for _, rec := range records {
		if len(rec.Key) == 1 && rec.Key[0] == 'e' {
			r.leaves = readHeader(suite, rec.Value)
		}
	}
	if r.leaves == 0 || r.leaves > MaxLeaves || r.leaves&(r.leaves-1) != 0 {
		return nil, reject("9", ReasonStoredRecord)
	}
	for _, kind := range []byte{'t', 'r', 's', 'p'} { // a kept key needs its ratchet
		for _, rec := range records {
			if len(rec.Key) > 0 && rec.Key[0] == kind && !r.restore(rec) {
				return nil, reject("9", ReasonStoredRecord)
			}
		}
	}
	return r, nil
}

func readHeader(suite Suite, value []byte) uint32 {
	v := wire.NewReader(value)
	if v.U8() != storedVersion || Suite(v.U16()) != suite {
		return 0
	}
	leaves := v.U32()
	if v.Done() != nil {
		return 0
	}
	return leaves
}

// restore puts one record back; false if it is damaged.
func (r *Ratchets) restore(rec Change) bool {
	k, v := wire.NewReader(rec.Key[1:]), wire.NewReader(bytes.Clone(rec.Value))
	switch rec.Key[0] {
	case 't':
		x := nodeIndex(k.U32())
		r.tree[x] = v.Raw(r.crypto.nh)
		return k.Done() == nil && v.Done() == nil && x.within(r.leaves)
	case 'r':
		id := ratchetID{k.U32(), k.U8()}
		r.sender[id] = &ratchet{next: v.U32(), secret: v.Raw(r.crypto.nh), skipped: make(map[uint32]messageKey)}
		return k.Done() == nil && v.Done() == nil && r.valid(id)
	}
	id := ratchetID{k.U32(), k.U8()}
	generation := k.U32()
	t := r.sender[id]
	if t == nil || k.Done() != nil {
		return false
	}
	if rec.Key[0] == 'p' {
		return r.restorePassed(t, generation, rec.Value)
	}
	if generation >= t.next || len(t.skipped) >= MaxSkipped {
		return false
	}
	t.skipped[generation] = messageKey{v.Raw(r.crypto.nk), v.Raw(r.crypto.nn)}
	return v.Done() == nil
}

func (r *Ratchets) restorePassed(t *ratchet, generation uint32, value []byte) bool {
	n := generation / chunkSpan
	k, ok := r.crypto.parseChunk(value)
	if !ok || generation%chunkSpan != 0 || k.last(n) >= t.next || !r.hasRoom(generation, chunkSpan) {
		return false
	}
	for g := range t.skipped {
		if g/chunkSpan == n && k.holds(g%chunkSpan) {
			return false
		}
	}
	if t.passed == nil {
		t.passed = make(passedKeys)
	}
	if t.passed[n] != nil {
		return false
	}
	t.passed[n] = k
	r.chunks++
	return true
}

func (r *Ratchets) valid(id ratchetID) bool {
	return id.leaf < r.leaves && (id.kind == ratchetHandshake || id.kind == ratchetApplication)
}
