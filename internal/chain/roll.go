package chain

import "kith/internal/wire"

// A roll is an immutable map of every device ever admitted: a binary trie over
// the bits of its id. A block changes one entry, so the rolls of two
// neighbouring states share all but some ten nodes. It is no part of the state
// root, because it follows from the headers.
type roll struct {
	side  [2]*roll
	entry *activity // of a leaf; nil in an inner node
}

// activity is what the rules need to know of a device's own blocks.
type activity struct {
	device wire.DeviceID
	person wire.PersonID
	seq    uint64   // author_seq of its newest block
	rekeys []uint64 // heights of its newest Rekeys, at most MaxRekeys, ascending

	unparks  []uint64 // likewise of its Unparks that count, at most MaxUnparks
	unparked uint64   // height of its newest Unpark, 0: none
	added    uint64   // height of the newest AddDevice of it; 0: none

	packages []lastResort // in a person's chain, at most MaxPackages
}

// A trace says who signed a block, and where.
type trace struct {
	person wire.PersonID
	height uint64
}

// lastResort is the newest last-resort key package of a device for one suite.
type lastResort struct {
	suite  uint16
	ref    wire.Digest
	height uint64
}

func bit(id wire.DeviceID, depth int) int { return int(id[depth/8]>>(7-depth%8)) & 1 }

// get returns the entry of id, or nil.
func (r *roll) get(id wire.DeviceID) *activity {
	for depth := 0; r != nil; depth++ {
		if r.entry != nil {
			if r.entry.device == id {
				return r.entry
			}
			return nil
		}
		r = r.side[bit(id, depth)]
	}
	return nil
}

// put returns a roll with a in the place of the entry of its device. depth is
// that of r, 0 at the top.
func (r *roll) put(a *activity, depth int) *roll {
	if r == nil || r.entry != nil && r.entry.device == a.device {
		return &roll{entry: a}
	}
	next := roll{side: r.side}
	if r.entry != nil { // one leaf becomes an inner node that holds it
		next.side[bit(r.entry.device, depth)] = r
	}
	b := bit(a.device, depth)
	next.side[b] = next.side[b].put(a, depth+1)
	return &next
}

// sign returns a with one more block: its author_seq, its height and how many
// Rekeys and Unparks that count it holds.
func (a activity) sign(seq, height uint64, rekeys, unparks int) *activity {
	a.seq = seq
	a.rekeys = lastly(a.rekeys, height, rekeys, MaxRekeys)
	a.unparks = lastly(a.unparks, height, unparks, MaxUnparks)
	return &a
}

// lastly returns a copy of heights with n times height at the end, cut to the
// newest most.
func lastly(heights []uint64, height uint64, n, most int) []uint64 {
	if n == 0 {
		return heights
	}
	list := append([]uint64(nil), heights...)
	for range n {
		list = append(list, height)
	}
	return list[max(0, len(list)-most):]
}
