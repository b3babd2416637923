package chain

import (
	"cmp"
	"slices"

	"kith/internal/wire"
)

// Bounds of the blocks at one height that are kept for their own sake.
const (
	// MaxSiblings bounds those of one device. Two prove that it contradicts
	// itself; more prove nothing new.
	MaxSiblings = 2

	// MaxNewSiblings bounds those of all devices together that the root does not
	// know as one person's: two each of as many as a person may have.
	MaxNewSiblings = MaxSiblings * MaxDevices
)

// A seat is where a device may have few blocks, or, if the device is zero, all
// the devices of a person that are new.
type seat struct {
	wire.Member
	height uint64
}

// Surplus returns what may be dropped for space, children before parents: all
// but root with its ancestors; of each device at each height the MaxSiblings
// blocks with the lowest hashes, no two of which say the same; of those, where
// root does not know the device, the MaxNewSiblings of each person at each height
// with the lowest hashes; and what those are built on. Root is what is settled: a
// head may be what the blocks in question decide.
//
// Whoever drops what is surplus and goes on collecting ends with the same set
// as who collects everything first: a block that is kept once all are seen is
// among the lowest of every part of them too, since of any device fewer come
// before it there.
//
// It is the reference: what [Blocks.Shed] finds among the blocks held, where it looks at
// crowded heights alone, is the same.
func Surplus(root wire.BlockHash, blocks []*Block) []wire.BlockHash {
	var at *Block
	for _, b := range blocks {
		if b.Hash == root {
			at = b
		}
	}
	s := newSorting(at)
	for _, b := range blocks {
		s.add(b)
	}
	return s.surplus()
}

// A sorting is what tells surplus blocks from those that are kept, of heights that
// follow one another.
type sorting struct {
	root  *Block // nil: not held
	by    map[wire.BlockHash]*Block
	seats map[seat][]*Block
	kept  map[wire.BlockHash]bool
}

func newSorting(root *Block) *sorting {
	return &sorting{
		root: root, by: make(map[wire.BlockHash]*Block),
		seats: make(map[seat][]*Block), kept: make(map[wire.BlockHash]bool),
	}
}

func (s *sorting) add(b *Block) {
	if s.by[b.Hash] == nil {
		s.by[b.Hash] = b
		at := seat{b.Header.Author, b.Header.Height}
		s.seats[at] = append(s.seats[at], b)
	}
}

// keep keeps a block and what it is built on.
func (s *sorting) keep(hash wire.BlockHash) {
	for b := s.by[hash]; b != nil && !s.kept[b.Hash]; b = s.by[b.Header.Parent] {
		s.kept[b.Hash] = true
	}
}

func (s *sorting) keepAll(list []*Block) {
	for _, b := range list {
		s.keep(b.Hash)
	}
}

func (s *sorting) surplus() (surplus []wire.BlockHash) {
	if s.root != nil {
		s.keep(s.root.Hash)
	}
	shared := make(map[seat][]*Block)
	for at, list := range s.seats {
		list = lowest(list, MaxSiblings)
		if s.root.knows(at.Member) {
			s.keepAll(list)
			continue
		}
		all := seat{wire.Member{Person: at.Person}, at.height}
		shared[all] = append(shared[all], list...)
	}
	for _, list := range shared {
		s.keepAll(lowest(list, MaxNewSiblings))
	}
	for hash := range s.by {
		if !s.kept[hash] {
			surplus = append(surplus, hash)
		}
	}
	slices.SortFunc(surplus, func(a, b wire.BlockHash) int {
		return cmp.Or(cmp.Compare(s.by[b].Header.Height, s.by[a].Header.Height), compareHashes(a, b))
	})
	return surplus
}

// lowest returns the most blocks with the lowest hashes of which no two of one
// device differ in their signature alone: a dishonest signer makes as many of
// those as it likes.
func lowest(list []*Block, most int) (few []*Block) {
	slices.SortFunc(list, func(a, b *Block) int { return compareHashes(a.Hash, b.Hash) })
	for _, b := range list {
		if len(few) == most {
			break
		}
		again := func(o *Block) bool {
			return o.Header.Author == b.Header.Author && sameContent(o.Header.Bytes(), b.Header.Bytes())
		}
		if !slices.ContainsFunc(few, again) {
			few = append(few, b)
		}
	}
	return few
}

// knows reports whether a device was ever admitted up to b, or is how the
// recovery key is named; b may be nil.
func (b *Block) knows(m wire.Member) bool {
	if b == nil {
		return false
	}
	of, _, ok := b.State.Device(m.Device)
	return ok && of.Person == m.Person || b.State.ofPerson && m.Device == b.State.recoveryID
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
