package group

import (
	"crypto/ed25519"
	"maps"

	"kith/internal/wire"
)

// A share is how much one peer may have of what costs much. It is the time, in ms, up to which
// that is used; the zero value is unused.
type share uint64

// take uses one part of it, of which there are burst, and each comes back after so many ms;
// false: nothing is left.
func (s *share) take(now, each, burst uint64) bool {
	if s.due(burst*each) > now {
		return false
	}
	s.use(now, each)
	return true
}

// due is from when on, in ms, something is left of a share of so many ms.
func (s *share) due(burst uint64) uint64 { return uint64(*s) - min(uint64(*s), burst) }

// use uses what comes back after so many ms.
func (s *share) use(now, ms uint64) { *s = share(max(uint64(*s), now) + ms) }

// chainShares are of the pages and blocks that devices are given, asked for or not. They outlast sessions: else a new
// session would have a new share.
type chainShares map[wire.DeviceID]share

// due is from when on, in ms, a device is given more.
func (s chainShares) due(d wire.DeviceID) uint64 {
	of := s[d]
	return of.due(chainBurst / chainPace)
}

// use counts what a device was given, in bytes.
func (s chainShares) use(now uint64, d wire.DeviceID, size int) {
	useOf(s, now, d, uint64(size)/chainPace)
}

// useOf uses so many ms of a device's share, and forgets those that are unused.
func useOf[S ~map[wire.DeviceID]share](s S, now uint64, d wire.DeviceID, ms uint64) {
	maps.DeleteFunc(s, func(_ wire.DeviceID, of share) bool { return uint64(of) <= now })
	of := s[d]
	of.use(now, ms)
	s[d] = of
}

// falseShares are of the false signatures of Acks, Reaches, Leaves, Nacks and evidence that devices brought. Not each is a
// fault, but a check costs more than what is checked cost its sender. Likewise they outlast sessions.
type falseShares map[wire.DeviceID]share

// checks reports whether what a device brings is looked at now.
func (s falseShares) checks(now uint64, d wire.DeviceID) bool {
	of := s[d]
	return of.due(falseBurst*falseEvery) <= now
}

// was takes note of whether what was looked at holds, and returns that.
func (s falseShares) was(holds bool, now uint64, d wire.DeviceID) bool {
	if !holds {
		useOf(s, now, d, falseEvery)
	}
	return holds
}

// hold reports whether what a device brings is signed; not if it is not looked at.
func (s falseShares) hold(now uint64, d wire.DeviceID, verify func(ed25519.PublicKey) bool, key ed25519.PublicKey) bool {
	return s.checks(now, d) && s.was(verify(key), now, d)
}

// givesUnasked reports whether a peer may be given something of the chain now that it did not ask
// for. If not, a former member, and one that does not name the group, get that once they may (prove), in
// whatever session they have then; another in its next session.
func (m *Machine) givesUnasked(p *peer) bool {
	if due := m.chainShares.due(p.member.Device); due > m.now {
		p.proofDue = due
		return false
	}
	return true
}

// giveBlocks is sendBlocks of what counts in the peer's share.
func (m *Machine) giveBlocks(p *peer, list []wire.BlockHash, eff *Effects) int {
	before := len(eff.Send)
	sent := m.sendBlocks(p.member.Device, list, eff)
	if sent > 0 {
		m.countChain(m.now, p, 0, eff.Send[before:])
	}
	return sent
}

// sendInvitation gives a peer its invitation, or has it wait for that until its share allows it; false:
// there is none.
func (m *Machine) sendInvitation(p *peer, eff *Effects) bool {
	if due := m.chainShares.due(p.member.Device); due > m.now {
		p.inviteDue = due
		return m.invites(p.member)
	}
	inv := m.invitationFor(p.member)
	if inv == nil {
		return false
	}
	p.whole, p.unproved = true, m.takesForGone(p)
	before := len(eff.Send)
	eff.send(p.member.Device, inv)
	m.countChain(m.now, p, 0, eff.Send[before:])
	return true
}

// answers counts what a peer says to have, which may be answered with all that is here. Who
// says it too often is told in turn what is here, as often as an honest device: so what is
// passed over keeps nothing back.
func (m *Machine) answers(now uint64, p *peer, s *share) bool {
	if s.take(now, answerEvery, answerBurst) {
		return true
	}
	m.wantHave(now, p)
	return false
}
