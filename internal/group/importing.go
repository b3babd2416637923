package group

import (
	"slices"

	"kith/internal/wire"
)

// awayPages is how long the next page of an import is waited for, in ms: it is at hand. Pages
// that are lost keep nobody from whom they could be asked for waiting.
const awayPages = 2_000

// importable reports whether a payload says something and asks for nothing: only such come
// in without a session.
func importable(payload []byte) bool {
	switch payload[0] {
	case frameBlocks, frameEntries, frameStatements, frameInvitation, frameFaults:
		return true
	case framePages, framePeople, frameVotes:
		return len(payload) > 1 && (payload[0] == framePages && payload[1] != pagesAsk ||
			payload[0] == framePeople && payload[1] == peoplePapers ||
			payload[0] == frameVotes && payload[1] != votesHeld)
	}
	return false
}

// receivedAway takes a payload that came by a file or a mailbox. Its sender is a peer for as
// long as that takes: what it would be asked goes nowhere, nothing waits for its answer, and
// it is blamed for nothing, since what came may be old or come through other hands.
func (m *Machine) receivedAway(now uint64, c Received, eff *Effects) {
	if len(c.Payload) == 0 || !importable(c.Payload) {
		return
	}
	d := c.From.Device
	live := m.peers[d] != nil
	if !live {
		m.peers[d] = &peer{member: c.From, rel: m.relation(c.From)}
	}
	sent, told := len(eff.Send), len(eff.Notify)
	m.received(now, c, eff)
	blames := func(e Event) bool {
		blame, is := e.(Misbehaved)
		_, drop := e.(DropSession)
		return is && blame.From == c.From || drop && !live
	}
	eff.Notify = append(eff.Notify[:told:told], slices.DeleteFunc(slices.Clone(eff.Notify[told:]), blames)...)
	if live {
		return
	}
	eff.Send = append(eff.Send[:sent:sent], slices.DeleteFunc(slices.Clone(eff.Send[sent:]), func(f Frame) bool { return f.To == d })...)
	eff.Serve = slices.DeleteFunc(eff.Serve, func(s Serve) bool { return s.To == d })
	m.endWord(c.From, now)
}

// endWord forgets a sender whose word is over, and what it was asked meanwhile.
func (m *Machine) endWord(who wire.Member, now uint64) {
	g, until := m.catchUp, now+awayPages
	m.peerDown(who.Device)
	if g != nil && g.from == who && m.catchUp == g {
		g.until = until
	}
}
