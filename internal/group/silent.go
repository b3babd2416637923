package group

import "kith/internal/dag"

// maxSilences is how often in a row a peer that answers nothing, or gives nothing, is asked again by
// itself, each time after twice as long: the last after 21 minutes. A session whose other end
// is gone has ended by then.
const maxSilences = 8

// pause is for a peer that did not answer in time, or gave nothing. It is asked for nothing until it
// says something new. But its computer may have slept, and it have nothing new to say: so it
// is asked again after a while.
type pause struct {
	heads []dag.Ref // what it said to have
	until uint64    // ms; 0: there is none, or it was silent too often
	times uint      // in a row
	owed  int       // requests that were given up, and that it answers before newer ones
}

// fellSilent asks a peer for nothing for a while.
func (p *peer) fellSilent(now uint64) {
	s := &p.theirs.pause
	if p.theirs.heads == nil {
		return
	}
	s.heads, s.until = p.theirs.heads, 0
	if s.times < maxSilences {
		s.until = now + fetchTimeout<<s.times
		s.times++
	}
	p.theirs.heads = nil
}

// endPauses takes those at their word again who were silent for long enough.
func (m *Machine) endPauses(now uint64) {
	for _, p := range m.peers {
		if s := &p.theirs.pause; isDue(s.until, now) {
			p.theirs.heads, s.until, s.owed = s.heads, 0, 0
		}
	}
}

// answeredLate takes note of one frame of an answer to what was given up, as a slow line gives
// all of them: its peer is taken at its word again.
func (m *Machine) answeredLate(p *peer, f entriesFrame, found bool) {
	s := &p.theirs.pause
	if found {
		s.times = 0
	}
	if f.answer == entriesMore {
		return
	}
	s.owed--
	if p.theirs.heads == nil && (s.until != 0 || found) {
		p.theirs.heads, s.until = s.heads, 0
	}
	if f.answer == entriesCut && p.theirs.heads != nil && m.chase == nil {
		m.beginChase(p)
	}
}
