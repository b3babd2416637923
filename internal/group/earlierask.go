package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// askAllEarlier lets those be asked again who had nothing.
func (m *Machine) askAllEarlier() {
	for d, p := range m.peers {
		if d != m.earlier.from {
			p.earlier, p.earlierAll = dag.Ref{}, false
		}
	}
}

// askEarlier asks the next member for what is wanted and lacking: who brought something
// last first.
func (m *Machine) askEarlier(now uint64, eff *Effects) {
	e := &m.earlier
	if e.until > now || m.earlierReached() && len(e.lacking) == 0 || m.mayWrite() != nil {
		return
	}
	if e.until != 0 {
		if p := m.peers[e.from]; p != nil { // unanswered
			p.exhausted(now)
		}
		e.until = 0
	}
	list := m.connected(true)
	if i := slices.Index(list, e.from); i > 0 {
		list = append([]wire.DeviceID{e.from}, slices.Delete(list, i, i+1)...)
	}
	for _, d := range list {
		p := m.peers[d]
		if isDue(m.earlierDue(p), now) {
			p.earlier, p.earlierAll = dag.Ref{}, false
		}
		if p.earlierAll || !m.reads(d, FeatureHistory) {
			continue
		}
		ask := m.earlierAsk(p)
		if ask.empty() {
			p.exhausted(now)
			continue
		}
		e.from, e.until, e.found, e.parts, e.names = d, now+fetchTimeout, false, 0, dag.Ref{}
		if n := len(ask.named); n > 0 {
			e.names = ask.named[n-1]
		}
		eff.send(d, ask.bytes())
		return
	}
}

// exhausted takes note that a peer was asked for all.
func (p *peer) exhausted(now uint64) { p.earlierAll, p.earlierAt, p.earlierNew = true, now, false }

// newsForEarlier takes note that a member may have by now what it had not.
func (m *Machine) newsForEarlier(d wire.DeviceID) {
	if p := m.peers[d]; p != nil {
		p.earlierNew = true
	}
}

// earlierDue is when a peer is asked again that was asked for all; 0: not.
func (m *Machine) earlierDue(p *peer) uint64 {
	if !p.earlierAll || !p.earlierNew || m.earlierAsk(&peer{}).empty() {
		return 0
	}
	return p.earlierAt + earlierAgain
}

// earlierAsk is what a member is asked for next.
func (m *Machine) earlierAsk(p *peer) (f askEarlierFrame) {
	if e := &m.earlier; e.past != nil && !m.earlierReached() {
		f.below = e.past.Wanted(maxEarlierLogs)
		slices.SortFunc(f.below, dag.Ref.Compare)
	}
	for r := range m.earlier.lacking {
		if r.Compare(p.earlier) > 0 {
			f.named = append(f.named, r)
		}
	}
	slices.SortFunc(f.named, dag.Ref.Compare)
	f.named = f.named[:min(len(f.named), maxHandover)]
	return f
}

// onEarlier takes what a member hands over, if this device asked for it.
func (m *Machine) onEarlier(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseEarlier(r)
	if err != nil {
		return err
	}
	e := &m.earlier
	if e.until == 0 || e.from != p.member.Device {
		return nil
	}
	for _, entry := range f.entries {
		fresh, err := m.takeEarlier(entry, eff)
		if err != nil {
			eff.Notify = append(eff.Notify, Misbehaved{p.member, "history"})
		}
		e.found = e.found || fresh
	}
	if e.parts++; f.answer == earlierMore && e.parts < maxAnswerFrames {
		e.until = now + fetchTimeout
		return nil
	}
	e.until = 0
	if e.found {
		m.setEnded(wire.PersonID{}, eff)
		m.askAllEarlier()
		return nil
	}
	if f.answer == earlierCut {
		m.setEnded(p.member.Person, eff)
	}
	if e.names == (dag.Ref{}) { // it has nothing of what is wanted, and was asked for all that is lacking
		p.exhausted(now)
	} else {
		p.earlier = e.names
	}
	return nil
}

// setEnded takes note of somebody who says that all that is wanted is older than the
// policy gives; of nobody, if something came.
func (m *Machine) setEnded(person wire.PersonID, eff *Effects) {
	e := &m.earlier
	switch {
	case person == (wire.PersonID{}) && len(e.ended) == 0, e.ended[person]:
		return
	case person == (wire.PersonID{}):
		clear(e.ended)
	default:
		e.ended[person] = true
	}
	eff.Write = append(eff.Write, e.record())
}
