package group

// A share is how often one peer may have what costs much. It is the time, in ms, up to which
// that is used; the zero value is unused.
type share uint64

// take uses one part of it, of which there are burst, and each comes back after so many ms;
// false: nothing is left.
func (s *share) take(now, each, burst uint64) bool {
	if uint64(*s) > now+burst*each {
		return false
	}
	*s = share(max(uint64(*s), now) + each)
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
