package group

import (
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// A member is asked for what is wanted as long as that brings something, and then for what
// is lacking, once.

// askedEarlier is how far one member was asked in this session.
type askedEarlier struct {
	walked bool      // it had nothing more of what is wanted
	names  dag.Ref   // up to where it was asked for what is lacking
	behind []dag.Ref // what is lacking up to there and was not yet when it was asked
	all    bool      // it was asked for all
	at     uint64    // ms, when that was so
	news   bool      // and it has got something since, by its Ack
	anew   bool      // more is wanted than was when it was asked

	silences uint   // how often in a row it did not answer
	again    uint64 // ms, when it is asked again after that; 0: not
}

// askAllEarlier lets all be asked again, who is answering once it was asked for the rest.
func (m *Machine) askAllEarlier() {
	for d, p := range m.peers {
		if d == m.earlier.from && m.earlier.until != 0 {
			p.earlier.anew = true
		} else {
			p.earlier = askedEarlier{}
		}
	}
}

// askAllFor has those asked for what is lacking from now on who were asked for the rest already; not who was
// silent, who is asked for all again a while later.
func (m *Machine) askAllFor(ref dag.Ref) {
	for d, p := range m.peers {
		a, answers := &p.earlier, d == m.earlier.from && m.earlier.until != 0
		if a.again != 0 {
			continue
		}
		a.all = false
		switch {
		case ref.Compare(a.names) > 0 && (!answers || ref.Compare(m.earlier.names) > 0): // it is still to come
		case len(a.behind) >= maxHandover && !answers:
			a.names, a.behind = dag.Ref{}, nil
		default:
			a.behind = append(a.behind, ref)
		}
	}
}

// askEarlier asks the next member for what is wanted and lacking: who brought something
// last first.
func (m *Machine) askEarlier(now uint64, eff *Effects) {
	e := &m.earlier
	if e.until > now {
		return
	}
	if e.until != 0 {
		if p := m.peers[e.from]; p != nil { // unanswered
			p.earlier.end(now)
			p.earlier.pause(now)
		}
		e.until = 0
	}
	if m.earlierReached() && len(e.lacking) == 0 || m.mayWrite() != nil || m.self.Omits == FeatureHistory {
		return // what is lacking may have come another way while it was asked for
	}
	if !m.anyPeer(func(p *peer) bool { return !p.earlier.all || p.earlier.news || p.earlier.again != 0 }) {
		return
	}
	list := m.connected(true)
	if i := slices.Index(list, e.from); i > 0 {
		list = append([]wire.DeviceID{e.from}, slices.Delete(list, i, i+1)...)
	}
	for _, d := range list {
		p := m.peers[d]
		if isDue(m.earlierDue(p), now) {
			p.earlier = askedEarlier{silences: p.earlier.silences}
		}
		if p.earlier.all || !m.reads(d, FeatureHistory) {
			continue
		}
		ask := m.earlierAsk(p)
		if ask.empty() && p.earlier.anew {
			p.earlier = askedEarlier{}
			ask = m.earlierAsk(p)
		}
		if ask.empty() {
			p.earlier.end(now)
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

// end takes note that a member was asked for all.
func (a *askedEarlier) end(now uint64) { a.all, a.at, a.news = true, now, false }

// pause lets a member that was silent be asked again after a while, as pause does for
// entries.
func (a *askedEarlier) pause(now uint64) {
	if a.silences < maxSilences {
		a.again = now + fetchTimeout<<a.silences
		a.silences++
	}
}

// newsForEarlier takes note that a member may have by now what it had not.
func (m *Machine) newsForEarlier(d wire.DeviceID) {
	if p := m.peers[d]; p != nil {
		p.earlier.news = true
	}
}

// earlierDue is when a peer is asked again that was silent, or asked for all; 0: not. It had at most
// maxHollow texts to get: where more are lacking they are no longer anywhere.
func (m *Machine) earlierDue(p *peer) uint64 {
	lacking := len(m.earlier.lacking)
	switch {
	case !p.earlier.all || m.earlierReached() && lacking == 0:
		return 0
	case p.earlier.again != 0:
		return p.earlier.again
	case !p.earlier.news || lacking > maxHollow:
		return 0
	}
	return p.earlier.at + earlierAgain
}

// earlierAsk is what a member is asked for next.
func (m *Machine) earlierAsk(p *peer) (f askEarlierFrame) {
	e := &m.earlier
	if !m.earlierReached() && !p.earlier.walked {
		f.below = e.past.Wanted(maxEarlierLogs)
		slices.SortFunc(f.below, dag.Ref.Compare)
		return f
	}
	if f.named = m.takeBehind(&p.earlier); len(f.named) > 0 {
		return f
	}
	if len(e.sorted) < len(e.lacking) || len(e.sorted) > 2*len(e.lacking)+maxHandover {
		e.sorted = slices.SortedFunc(maps.Keys(e.lacking), dag.Ref.Compare)
	}
	i, found := slices.BinarySearchFunc(e.sorted, p.earlier.names, dag.Ref.Compare)
	if found {
		i++
	}
	for ; i < len(e.sorted) && len(f.named) < maxHandover; i++ {
		if e.lacking[e.sorted[i]] {
			f.named = append(f.named, e.sorted[i])
		}
	}
	return f
}

// takeBehind returns what is asked for first of what is lacking.
func (m *Machine) takeBehind(a *askedEarlier) []dag.Ref {
	slices.SortFunc(a.behind, dag.Ref.Compare)
	list := slices.DeleteFunc(slices.Compact(a.behind), func(r dag.Ref) bool { return !m.earlier.lacking[r] })
	n := min(len(list), maxHandover)
	a.behind = list[n:]
	return list[:n:n]
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
	e.until, p.earlier.silences = 0, 0
	switch {
	case e.names != (dag.Ref{}):
		if e.names.Compare(p.earlier.names) > 0 {
			p.earlier.names = e.names
		}
	case e.found:
		m.setEnded(wire.PersonID{}, eff)
		m.askAllEarlier()
	default:
		p.earlier.walked = true
		if f.answer == earlierCut {
			m.setEnded(p.member.Person, eff)
		}
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
