package group

import (
	"slices"

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
