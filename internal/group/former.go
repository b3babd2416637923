package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A former member asks after its group, and is told how its membership ended.

// onFormerAsk gives a former member the next page of the blocks up to the one that
// ended its membership, as a have would.
func (m *Machine) onFormerAsk(p *peer, a pagesAskFrame, eff *Effects) {
	ending, lacks := m.lacksOfEnding(p.member, a.offer)
	if len(lacks) == 0 || !m.tells(p, len(lacks)) {
		return
	}
	if a.base != (wire.BlockHash{}) && !ending[a.base] {
		return // it came later
	}
	if next, err := m.pageWith(a, lacks, false); err == nil {
		eff.send(p.member.Device, next.bytes())
		if next.left == 0 {
			m.proveEnding(p, eff)
		}
	}
}

// onFormerHave gives a former member blocks up to the one that ended its membership.
func (m *Machine) onFormerHave(p *peer, offer chain.Offer, eff *Effects) {
	_, lacks := m.lacksOfEnding(p.member, offer)
	if m.givesUnasked(p) && m.tells(p, len(lacks)) && m.giveBlocks(p, lacks, eff) == len(lacks) {
		m.proveEnding(p, eff)
	}
}

// lacksOfEnding returns the blocks that end a former member's membership with all below
// them, and which of those it lacks, by what it says to have.
func (m *Machine) lacksOfEnding(who wire.Member, offer chain.Offer) (ending map[wire.BlockHash]bool, lacks []wire.BlockHash) {
	ending = make(map[wire.BlockHash]bool)
	for _, hash := range m.ending(who, maxFarewell) {
		for m.blocks.Has(hash) && !ending[hash] {
			ending[hash] = true
			hash = m.blocks.Header(hash).Parent
		}
	}
	if len(ending) == 0 {
		return nil, nil
	}
	return ending, slices.DeleteFunc(m.blocks.Missing(offer), func(h wire.BlockHash) bool { return !ending[h] })
}

// tells reports whether a former member that asks is answered, and takes note of it.
func (m *Machine) tells(p *peer, lacks int) bool {
	if p.shown.head == m.head && lacks >= p.shown.lacks {
		return false
	}
	p.shown = shown{m.head, lacks}
	return true
}

// proveEnding sends a former member the votes that settled what excludes a branch on which it
// is a member. They count once the blocks are there that they name.
func (m *Machine) proveEnding(p *peer, eff *Effects) {
	if slices.ContainsFunc(m.blocks.Tips(), func(tip wire.BlockHash) bool {
		return m.stateAt(tip).Belongs(p.member.Device) && m.excludes(tip) && (p.modern || m.readAt(tip, p, FeatureRepair))
	}) {
		m.sendProof(p.member.Device, eff)
	}
}

// excludes reports whether the voters have agreed on another branch than a block's, be it settled
// or not.
func (m *Machine) excludes(hash wire.BlockHash) bool {
	r := m.votes.Root()
	return !m.blocks.IsAncestor(r, hash) && !m.blocks.IsAncestor(hash, r)
}

// deciding returns the votes by which the voters have agreed on one of the branches above the
// settled block; none if that leaves none out.
func (m *Machine) deciding() []*chain.Vote {
	if !slices.ContainsFunc(m.blocks.Tips(), func(tip wire.BlockHash) bool {
		return m.blocks.IsAncestor(m.votes.Settled(), tip) && m.excludes(tip)
	}) {
		return nil
	}
	return slices.DeleteFunc(m.current(), func(v *chain.Vote) bool { return v.Round > m.votes.Round() })
}

// votedAbove returns the blocks above one that the votes name by which the voters agreed, and
// those between: without any of them nobody can count those votes.
func (m *Machine) votedAbove(root wire.BlockHash) []wire.BlockHash {
	votes := m.deciding()
	for _, w := range m.votes.Settlement() {
		votes = append(votes, w.Votes...)
	}
	named := make(map[wire.BlockHash]bool)
	for _, v := range votes {
		for at := v.Block; !named[at] && !m.blocks.IsAncestor(at, root); at = m.blocks.Header(at).Parent {
			named[at] = true
		}
	}
	return sortedBlocks(named)
}

// beside returns the blocks above the settled one that are not on the way to a tip, the lowest of them if they are
// many: where those of the head's chain do not outweigh the tip, branches that lost do with them, as when
// they take the weight from somebody who went two ways.
func (m *Machine) beside(tip wire.BlockHash) (list []wire.BlockHash) {
	s := m.votes.Settled()
	for _, hash := range m.blocks.All() {
		if len(list) < maxFarewell && hash != s && m.blocks.IsAncestor(s, hash) && !m.blocks.IsAncestor(hash, tip) {
			list = append(list, hash)
		}
	}
	return list
}

// lostBeside returns the blocks above one that are neither on the head's chain nor on the way to a tip, the lowest
// of them if they are many.
func (m *Machine) lostBeside(root, tip wire.BlockHash) (list []wire.BlockHash) {
	for _, hash := range m.blocks.All() {
		if len(list) < maxFarewell && m.blocks.IsAncestor(root, hash) && !m.blocks.IsAncestor(hash, m.head) && !m.blocks.IsAncestor(hash, tip) {
			list = append(list, hash)
		}
	}
	return list
}
