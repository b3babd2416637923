package bundle

import (
	"crypto/hkdf"
	"crypto/sha256"
	"errors"

	"kith/internal/wire"
)

// ErrItem says that an item is not of this drop, or is damaged.
var ErrItem = errors.New("bundle: no item of this drop")

// Item: one of ItemSizes less what the mailbox takes, in bytes.
//
//	size field
//	32   random
//	...  AES-256-GCM under HKDF (SHA-256, the drop's secret, salt the random, info
//	     "Kith 1 bundle", 32 bytes), nonce zero, no aad:
//	     16  bundle, random
//	     2   number of this item, from 0
//	     2   how many items the bundle has
//	     4   length of the piece
//	     ... piece
//	     ... zeros
//
// All but the last are of the largest size, and full; the last is of the smallest it fits into.

// Split cuts a bundle into items, of which the mailbox takes so many bytes for itself.
func Split(sealed []byte, secret [32]byte, taken int) ([][]byte, error) {
	return split(sealed, secret, taken, ItemSizes[:])
}

// SplitSmall is Split into items that are all of the smallest size, of which nothing
// tells how much they hold.
func SplitSmall(sealed []byte, secret [32]byte) ([][]byte, error) {
	return split(sealed, secret, 0, ItemSizes[:1])
}

func split(sealed []byte, secret [32]byte, taken int, sizes []int) ([][]byte, error) {
	room := func(size int) int { return size - taken - saltSize - chunkTag - itemHead }
	largest := room(sizes[len(sizes)-1])
	if room(sizes[0]) <= 0 || taken < 0 || len(sealed) == 0 || len(sealed) > maxItems*largest {
		return nil, ErrTooLong
	}
	id := wire.Random(16)
	count := (len(sealed) + largest - 1) / largest
	var items [][]byte
	for i := range count {
		piece := sealed[:min(len(sealed), largest)]
		sealed = sealed[len(piece):]
		size := largest
		for _, s := range sizes {
			if len(piece) <= room(s) {
				size = room(s)
				break
			}
		}
		var w wire.Writer
		w.Raw(id)
		w.U16(uint16(i))
		w.U16(uint16(count))
		w.U32(uint32(len(piece)))
		w.Raw(piece)
		w.Raw(make([]byte, size-len(piece)))
		salt := wire.Random(saltSize)
		items = append(items, newAEAD(itemKey(secret, salt)).Seal(salt, make([]byte, 12), w.Bytes(), nil))
	}
	return items, nil
}

func itemKey(secret [32]byte, salt []byte) []byte {
	key, err := hkdf.Key(sha256.New, secret[:], salt, wire.InfoBundle, 32)
	if err != nil {
		panic("bundle: " + err.Error()) // 32 bytes are never too many
	}
	return key
}

// A Gatherer puts items together again, in any order. Its zero value is ready.
type Gatherer struct {
	parts map[[16]byte]*gathered
	order [][16]byte // oldest first
	size  int        // bytes held
}

type gathered struct {
	pieces [][]byte
	left   int
	size   int
	of     [32]byte // the secret of its drop
}

// Add takes an item, and returns the bundle once it is whole. What is held of others stays
// within bounds: the oldest that is not whole is given up.
func (g *Gatherer) Add(item []byte, secret [32]byte) (whole []byte, err error) {
	if len(item) > ItemSizes[len(ItemSizes)-1] || len(item) < saltSize+chunkTag+itemHead {
		return nil, ErrItem
	}
	plain, err := newAEAD(itemKey(secret, item[:saltSize])).Open(nil, make([]byte, 12), item[saltSize:], nil)
	if err != nil {
		return nil, ErrItem
	}
	r := wire.NewReader(plain)
	var id [16]byte
	r.Fixed(id[:])
	number, count, length := int(r.U16()), int(r.U16()), int(r.U32())
	if r.Err() != nil || count > maxItems || number >= count || length == 0 || length > len(r.Rest()) {
		return nil, ErrItem
	}
	piece := r.Raw(length)
	for _, b := range r.Rest() {
		if b != 0 {
			return nil, ErrItem
		}
	}
	whole, err = g.add(id, number, count, piece)
	if p := g.parts[id]; p != nil {
		p.of = secret
	}
	return whole, err
}

// Lacks reports whether a bundle of the drop with that secret is not whole yet.
func (g *Gatherer) Lacks(secret [32]byte) bool {
	for _, p := range g.parts {
		if p.of == secret {
			return true
		}
	}
	return false
}

func (g *Gatherer) add(id [16]byte, number, count int, piece []byte) ([]byte, error) {
	if g.parts == nil {
		g.parts = make(map[[16]byte]*gathered)
	}
	p := g.parts[id]
	if p == nil {
		p = &gathered{pieces: make([][]byte, count), left: count}
		g.parts[id], g.order = p, append(g.order, id)
		p.size, g.size = 24*count, g.size+24*count
	}
	if count != len(p.pieces) {
		return nil, ErrItem
	}
	if p.pieces[number] == nil {
		p.pieces[number], p.left = piece, p.left-1
		p.size, g.size = p.size+len(piece), g.size+len(piece)
	}
	if p.left > 0 {
		for g.size > maxGathered && len(g.order) > 1 {
			g.forget(g.order[0])
		}
		return nil, nil
	}
	g.forget(id)
	var whole []byte
	for _, piece := range p.pieces {
		whole = append(whole, piece...)
	}
	return whole, nil
}

func (g *Gatherer) forget(id [16]byte) {
	g.size -= g.parts[id].size
	delete(g.parts, id)
	for i, other := range g.order {
		if other == id {
			g.order = append(g.order[:i], g.order[i+1:]...)
			return
		}
	}
}
