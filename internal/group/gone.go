package group

import (
	"hash/maphash"
	"slices"

	"kith/internal/wire"
)

// erased says as what a message was deleted. Its author may call it an edit in one Delete,
// which it is not: that keeps nobody from deleting it as what it is.
type erased uint8

const (
	erasedLine erased = 1 << iota
	erasedEdit
	erasedTimed // its time was over, see expiry.go

	erasedAll = erasedLine | erasedEdit | erasedTimed
)

// gone is what is deleted, for ever: where everything disappears that is most of what was
// ever said. So of each message 8 bytes are kept: a hash of its target, under a key of
// this process, and in its lowest bits as what it is gone. Nobody can make two targets
// meet, and of a million messages among a million deleted ones two do once in a million
// groups.
//
// What somebody took away by a power counts only where that reaches (powers.go), which
// is looked up for each entry.
type gone struct {
	seed   maphash.Seed
	sorted []uint64          // ascending
	fresh  map[uint64]erased // and since; without the lowest bits

	powered map[uint64]uint32 // as in sorted, with one bit: which of powers took it away
	powers  [][]power
	single  map[power]uint32 // those of powers that are one
}

// goneFresh is how many stand beside those that are sorted, and one in how many more.
const (
	goneFresh = 1024
	goneShare = 8
)

func newGone() gone {
	return gone{seed: maphash.MakeSeed(), fresh: make(map[uint64]erased), powered: make(map[uint64]uint32), single: make(map[power]uint32)}
}

// len returns how many there are.
func (g *gone) len() int { return len(g.sorted) + len(g.fresh) + len(g.powered) }

func (g *gone) hash(t Target) uint64 {
	return maphash.Comparable(g.seed, t) &^ uint64(erasedAll)
}

// find returns where a hash stands among the sorted ones, or would.
func (g *gone) find(hash uint64) (int, bool) {
	i, _ := slices.BinarySearch(g.sorted, hash)
	return i, i < len(g.sorted) && g.sorted[i]&^uint64(erasedAll) == hash
}

// as returns as what a message is gone, whatever somebody's power took away.
func (g *gone) as(t Target) erased {
	hash := g.hash(t)
	if as, ok := g.fresh[hash]; ok {
		return as
	}
	if i, ok := g.find(hash); ok {
		return erased(g.sorted[i]) & erasedAll
	}
	return 0
}

// put takes note of a message that is gone: false if that is known.
func (g *gone) put(t Target, as erased) bool {
	was := g.as(t)
	if was|as == was {
		return false
	}
	hash := g.hash(t)
	if i, ok := g.find(hash); ok {
		g.sorted[i] |= uint64(as)
		return true
	}
	if g.fresh[hash] = was | as; len(g.fresh) > goneFresh+len(g.sorted)/goneShare {
		g.merge()
	}
	return true
}

func (g *gone) merge() {
	fresh := make([]uint64, 0, len(g.fresh))
	for hash, as := range g.fresh {
		fresh = append(fresh, hash|uint64(as))
	}
	slices.Sort(fresh)
	all := make([]uint64, 0, len(g.sorted)+len(fresh))
	for _, old := range g.sorted {
		for len(fresh) > 0 && fresh[0] < old {
			all, fresh = append(all, fresh[0]), fresh[1:]
		}
		all = append(all, old)
	}
	g.sorted = append(all, fresh...)
	g.fresh = make(map[uint64]erased)
}

// A power is what let somebody take away a message of another: to be an admin at a block.
type power struct {
	person wire.PersonID
	block  wire.BlockHash
}

// putBy takes note of a message that somebody took away by a power: false if that is known.
func (g *gone) putBy(t Target, as erased, by power) bool {
	hash := g.hash(t) | uint64(as)
	list, there := g.powered[hash]
	if !there {
		number, known := g.single[by]
		if !known {
			number = uint32(len(g.powers))
			g.powers, g.single[by] = append(g.powers, []power{by}), number
		}
		g.powered[hash] = number
		return true
	}
	if slices.Contains(g.powers[list], by) {
		return false
	}
	if len(g.powers[list]) == 1 { // which others may share
		g.powered[hash] = uint32(len(g.powers))
		g.powers = append(g.powers, []power{g.powers[list][0], by})
	} else {
		g.powers[list] = append(g.powers[list], by)
	}
	return true
}

// asBy returns as what a message is gone by powers that reach it.
func (g *gone) asBy(t Target, reaches func(power) bool) (as erased) {
	if len(g.powered) == 0 {
		return 0
	}
	hash := g.hash(t)
	for _, bit := range []erased{erasedLine, erasedEdit} {
		if list, there := g.powered[hash|uint64(bit)]; there && slices.ContainsFunc(g.powers[list], reaches) {
			as |= bit
		}
	}
	return as
}
