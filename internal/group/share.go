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

// mayAskAll counts a have, or heads, which may be answered with all that is here. Who says
// too often what it has is told in turn what is here, no more often than an honest device.
func (m *Machine) mayAskAll(now uint64, p *peer) bool {
	return m.answers(now, p, &p.asksAll)
}

// mayAskNumbers counts numbers, which may be answered with all Acks and Reaches.
func (m *Machine) mayAskNumbers(now uint64, p *peer) bool {
	return m.answers(now, p, &p.asksNumbers)
}

func (m *Machine) answers(now uint64, p *peer, s *share) bool {
	if s.take(now, answerEvery, answerBurst) {
		return true
	}
	m.wantHave(now, p)
	return false
}
