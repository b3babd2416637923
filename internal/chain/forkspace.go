package chain

import (
	"cmp"
	"slices"

	"kith/internal/wire"
)

// MaxSiblings bounds the blocks of one device at one height that are kept for
// their own sake. Two prove that it contradicts itself; more prove nothing new.
const MaxSiblings = 2

// A seat is where a device may have few blocks.
type seat struct {
	device wire.DeviceID
	height uint64
}

// Surplus returns what may be dropped for space, children before parents: all
// but root with its ancestors, the MaxSiblings blocks of each device at each
// height that have the lowest hashes, and what those are built on.
//
// Whoever drops what is surplus and goes on collecting ends with the same set
// as who collects everything first: a block that is kept once all are seen is
// among the lowest of every part of them too.
func Surplus(root wire.BlockHash, blocks []*Block) []wire.BlockHash {
	by := make(map[wire.BlockHash]*Block, len(blocks))
	seats := make(map[seat][]*Block)
	for _, b := range blocks {
		if by[b.Hash] == nil {
			by[b.Hash] = b
			s := seat{b.Header.Author.Device, b.Header.Height}
			seats[s] = append(seats[s], b)
		}
	}
	kept := make(map[wire.BlockHash]bool, len(by))
	keep := func(b *Block) {
		for ; b != nil && !kept[b.Hash]; b = by[b.Header.Parent] {
			kept[b.Hash] = true
		}
	}
	keep(by[root])
	for _, list := range seats {
		slices.SortFunc(list, func(a, b *Block) int { return compareHashes(a.Hash, b.Hash) })
		for _, b := range list[:min(len(list), MaxSiblings)] {
			keep(b)
		}
	}
	var surplus []wire.BlockHash
	for hash := range by {
		if !kept[hash] {
			surplus = append(surplus, hash)
		}
	}
	slices.SortFunc(surplus, func(a, b wire.BlockHash) int {
		return cmp.Or(cmp.Compare(by[b].Header.Height, by[a].Header.Height), compareHashes(a, b))
	})
	return surplus
}

// Doubles returns pairs of blocks that no honest device signs: two of one device
// on one parent or with one author_seq, which differ in more than their
// signature. Of several it names the lowest hashes. Sorted; either may be a block
// that lost long ago.
func Doubles(blocks []*Block) [][2]wire.BlockHash {
	type place struct {
		device wire.DeviceID
		parent wire.BlockHash
		seq    uint64
	}
	held := make(map[place][]*Block)
	for _, b := range blocks {
		d := b.Header.Author.Device
		for _, p := range []place{{device: d, parent: b.Header.Parent}, {device: d, seq: b.Header.AuthorSeq}} {
			held[p] = append(held[p], b)
		}
	}
	var pairs [][2]wire.BlockHash
	for _, list := range held {
		slices.SortFunc(list, func(a, b *Block) int { return compareHashes(a.Hash, b.Hash) })
		first := list[0].Header.Bytes()
		other := slices.IndexFunc(list[1:], func(b *Block) bool { return !sameContent(first, b.Header.Bytes()) })
		if other >= 0 {
			pairs = append(pairs, [2]wire.BlockHash{list[0].Hash, list[1+other].Hash})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]wire.BlockHash) int {
		return cmp.Or(compareHashes(a[0], b[0]), compareHashes(a[1], b[1]))
	})
	return slices.Compact(pairs)
}
