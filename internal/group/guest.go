package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A guest is a device that was invited and has not accepted. It says nothing of
// itself, but it must hear that it is removed again: where it is told of blocks that
// do not reach what it has, or of more than a frame takes, it asks for pages, as it
// does when it is invited.

// guestLacks takes note of whether blocks that a peer told a guest of leave some out.
// More frames of them may be on the way, from this peer or others, so that it waits a
// little before it asks the first of them.
func (m *Machine) guestLacks(now uint64, p *peer, lacks bool) {
	if m.status != StatusInvited || m.relation(p.member) != present || !m.readsPages(p.member.Device) {
		return
	}
	g := m.catchUp
	switch {
	case lacks && g == nil:
		m.catchUp = &gathering{until: now + guestWait, others: []inviter{{from: p.member}}}
	case lacks && (g.from != p.member || g.base != wire.BlockHash{}): // what it is asked for may come never
		g.remember(p.member, opening{})
	case !lacks && g != nil && g.from == wire.Member{}:
		g.others = slices.DeleteFunc(g.others, func(i inviter) bool { return i.from == p.member })
		if len(g.others) == 0 {
			m.catchUp = nil
		}
	}
}

// onFormerAsk gives a former member the next page of the blocks up to the one that
// ended its membership, as a have would.
func (m *Machine) onFormerAsk(p *peer, a pagesAskFrame, eff *Effects) {
	last, lacks := m.lacksOfEnding(p.member, a.offer)
	if len(lacks) == 0 || !m.tells(p, len(lacks)) {
		return
	}
	if a.base != (wire.BlockHash{}) && !m.blocks.IsAncestor(a.base, last) {
		return // it came later
	}
	if next, err := m.pageWith(a, lacks, false); err == nil {
		eff.send(p.member.Device, next.bytes())
	}
}

// lacksOfEnding returns the block that ends a former member's membership, and what it
// lacks of those up to it, by what it says to have.
func (m *Machine) lacksOfEnding(who wire.Member, offer chain.Offer) (last wire.BlockHash, lacks []wire.BlockHash) {
	list := m.ending(who, maxFarewell)
	if len(list) == 0 {
		return last, nil
	}
	last = list[len(list)-1]
	return last, slices.DeleteFunc(m.blocks.Missing(offer), func(h wire.BlockHash) bool { return !m.blocks.IsAncestor(h, last) })
}

// tells reports whether a former member that asks is answered, and takes note of it.
func (m *Machine) tells(p *peer, lacks int) bool {
	if p.shown.head == m.head && lacks >= p.shown.lacks {
		return false
	}
	p.shown = shown{m.head, lacks}
	return true
}
