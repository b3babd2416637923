package group

import (
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

// chainShares are of the pages and blocks that devices asked for. They outlast sessions: else a new
// session would have a new share.
type chainShares map[wire.DeviceID]share

// due is from when on, in ms, a device is given more.
func (s chainShares) due(d wire.DeviceID) uint64 {
	of := s[d]
	return of.due(chainBurst / chainPace)
}

// use counts what a device was given, in bytes.
func (s chainShares) use(now uint64, d wire.DeviceID, size int) {
	maps.DeleteFunc(s, func(_ wire.DeviceID, of share) bool { return uint64(of) <= now })
	of := s[d]
	of.use(now, uint64(size)/chainPace)
	s[d] = of
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
