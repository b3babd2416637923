package chain

import (
	"cmp"
	"maps"
	"slices"

	"kith/internal/wire"
)

// levels are the blocks held by height, and at which heights some may be surplus: where
// one device has several, or the devices of one person have many. At every other
// height [Surplus] keeps all, and with them all that they are built on, so that only
// what is crowded is looked at when a block may have to go:
//
//	     crowded            crowded
//	─ · ── · ── · ── · ── · ── · ── ·
//	       └─ · ── ·           └─ ·
type levels struct {
	at      [][]*node // by height, each by hash
	crowded map[uint64]bool
}

func (l *levels) add(n *node) {
	height := n.State.height
	for uint64(len(l.at)) <= height {
		l.at = append(l.at, nil)
	}
	i, _ := slices.BinarySearchFunc(l.at[height], n.Hash, func(o *node, hash wire.BlockHash) int { return compareHashes(o.Hash, hash) })
	l.at[height] = slices.Insert(l.at[height], i, n)
	l.look(height)
}

func (l *levels) remove(n *node) {
	height := n.State.height
	l.at[height] = slices.DeleteFunc(l.at[height], func(o *node) bool { return o == n })
	l.look(height)
}

// of returns the blocks of a height.
func (l *levels) of(height uint64) []*node {
	if height < uint64(len(l.at)) {
		return l.at[height]
	}
	return nil
}

func (l *levels) look(height uint64) {
	if crowded(l.at[height]) {
		l.crowded[height] = true
	} else {
		delete(l.crowded, height)
	}
}

func crowded(level []*node) bool {
	if len(level) < 2 {
		return false
	}
	devices, people := make(map[wire.Member]bool), make(map[wire.PersonID]int)
	for _, n := range level {
		who := n.Header.Author
		if people[who.Person]++; devices[who] || people[who.Person] > MaxNewSiblings {
			return true
		}
		devices[who] = true
	}
	return false
}

// surplus is [Surplus] of the blocks held.
func (b *Blocks) surplus(root *node) (list []wire.BlockHash) {
	heights := slices.SortedFunc(maps.Keys(b.levels.crowded), func(x, y uint64) int { return cmp.Compare(y, x) })
	for len(heights) > 0 {
		run := 1
		for run < len(heights) && heights[run] == heights[run-1]-1 {
			run++
		}
		list = append(list, b.surplusAt(root, heights[:run])...)
		heights = heights[run:]
	}
	return list
}

// surplusAt is surplus of crowded heights without one between, the highest first. What
// is just above them stays.
func (b *Blocks) surplusAt(root *node, heights []uint64) []wire.BlockHash {
	s := newSorting(root.block())
	for _, height := range heights {
		for _, n := range b.levels.of(height) {
			s.add(&n.Block)
		}
	}
	for _, n := range b.levels.of(heights[0] + 1) {
		s.keep(n.Header.Parent)
	}
	return s.surplus()
}

// At returns the blocks at a height, by hash.
func (b *Blocks) At(height uint64) []wire.BlockHash {
	level := b.levels.of(height)
	hashes := make([]wire.BlockHash, len(level))
	for i, n := range level {
		hashes[i] = n.Hash
	}
	return hashes
}
