package group

import (
	"cmp"
	"slices"

	"kith/internal/mls"
	"kith/internal/wire"
)

// A public group is as large as its tree: stored with every block it would be most
// of a database. One in treeEvery blocks has it stored; the others are computed
// from the nearest below when a machine is loaded, and stay in memory, where they
// share what the commits between them left alone.

// farFromTree reports whether none of the blocks just below one has its public
// group stored.
func (m *Machine) farFromTree(hash wire.BlockHash) bool {
	h := m.blocks.Header(hash)
	for range treeEvery - 1 {
		if h.IsGenesis() {
			return true
		}
		if m.trees[h.Parent] {
			return false
		}
		h = m.blocks.Header(h.Parent)
	}
	return true
}

// pruneTrees forgets the public groups of old blocks, and of the stored ones those
// that stand too close: the version before stored each.
func (m *Machine) pruneTrees(eff *Effects) {
	old := func(hash wire.BlockHash) bool {
		return m.blocks.Header(hash).Height+maxPublics < m.state().Height()
	}
	for hash := range m.publics {
		if old(hash) && !m.isBase(hash) {
			delete(m.publics, hash)
		}
	}
	stored := sortedBlocks(m.trees)
	slices.SortStableFunc(stored, func(a, b wire.BlockHash) int {
		return cmp.Compare(m.blocks.Header(a).Height, m.blocks.Header(b).Height)
	})
	for _, hash := range stored {
		if !m.isBase(hash) && (old(hash) || !m.farFromTree(hash)) {
			delete(m.trees, hash)
			eff.drop(KindPublic, hash[:])
		}
	}
}

// spareTrees forgets the public groups that are not of the newest blocks of the
// head's chain, if there are too many: whoever signs blocks on old ones would have
// all of them in memory. They are computed again when they are needed. While a chain
// is gathered there is no head, and what came last is in its place.
func (m *Machine) spareTrees(but wire.BlockHash) {
	if len(m.publics) <= maxTrees {
		return
	}
	tip := m.head
	if tip == (wire.BlockHash{}) {
		tip = but
	}
	height := m.blocks.Header(tip).Height
	for hash := range m.publics {
		newest := m.blocks.Header(hash).Height+maxPublics >= height
		if hash != but && !m.isBase(hash) && !(newest && m.blocks.IsAncestor(hash, tip)) {
			delete(m.publics, hash)
		}
	}
}

// remember puts the public group after a block into memory, and those that are
// computed for it.
func (m *Machine) remember(hash wire.BlockHash) (*mls.PublicGroup, error) {
	p, err := m.replay(hash, func(b wire.BlockHash, p *mls.PublicGroup) { m.publics[b] = p })
	if m.head != (wire.BlockHash{}) { // else the epochs are loaded, each of which needs one, in no order
		m.spareTrees(hash)
	}
	return p, err
}

// spareStored leaves of the public groups that a gathering has to write the newest,
// beside those of bases: one for treeEvery blocks can be far larger than those. What
// is not written is computed when the machine is loaded.
func (g *gathering) spareStored() {
	for ; g.looked < len(g.eff.Write); g.looked++ {
		rec := g.eff.Write[g.looked]
		if rec.Kind != KindPublic || g.m.isBase(wire.BlockHash(rec.Key)) {
			continue
		}
		if g.stored > 0 {
			g.eff.Write[g.stored-1].Value = nil
		}
		g.stored = g.looked + 1
	}
}
