package group

import (
	"cmp"
	"errors"
	"slices"

	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// end puts together what needs all records: lamports rise along every edge, so
// that in their order parents come first.
func (l *loading) end() error {
	m := l.m
	if m.graph == nil {
		return errors.New("there is no genesis block")
	}
	m.votes.Pin(m.votes.Settled()) // a home may be older than the record of it
	m.head = m.pick()
	m.final = final{m.votes.Settled(), m.votes.Conflict() != nil}
	for _, e := range m.votes.Evidence() {
		m.ballots.evidence[e.Device()] = e
	}
	m.ballots.digest = m.voteDigest()
	if _, err := m.remember(m.head); err != nil {
		return err
	}
	for hash, e := range m.epochs {
		var err error
		if e.ratchets, err = mls.LoadRatchets(e.secret.Public().Suite(), l.ratchets[hash]); err != nil {
			return err
		}
	}
	slices.SortFunc(l.entries, func(a, b *dag.Header) int {
		return cmp.Or(cmp.Compare(a.Lamport, b.Lamport), compareID(a.Device, b.Device))
	})
	newest := make(map[wire.DeviceID]*dag.Header)
	var own []*dag.Header
	for _, h := range l.entries {
		if h.Device == m.self.Device.ID() && h.Seq > m.graph.StoredSeq(h.Device) {
			own = append(own, h)
		}
		if m.afterFloor(h) {
			m.graph.Lower(h)
		}
		added, err := m.graph.Add(h)
		if err != nil {
			continue // refused since
		}
		if len(added) == 0 { // it waits, is in a part, or is from an earlier membership
			v, err := m.graph.Check(h)
			if err == nil && v.State == dag.Parked {
				m.waiting[h.Ref()] = h
			}
			if err != nil || v.State != dag.Known {
				continue
			}
		}
		if n := newest[h.Device]; n == nil || n.Seq < h.Seq {
			newest[h.Device] = h
		}
	}
	for _, h := range newest {
		m.keepTip(h)
	}
	l.endVouched()
	l.endShelved()
	l.endLacking()
	l.endEarlier()
	if err := l.endDeletions(); err != nil {
		return err
	}
	l.endEndings()
	m.pruneDue = 1 // whose time was over meanwhile goes at the first step
	if err := l.keepPassed(); err != nil {
		return err
	}
	if said := newestSaid(own); said != (wire.BlockHash{}) {
		m.spoke = said
	}
	m.parts.due = m.graph.Unstored() >= min(partAtLoad, m.parts.every)
	if m.outside() {
		m.standsOutside(new(Effects))
	}
	m.missing, m.missedTold = m.countMissing(), len(m.missed)
	m.endAcks()
	m.dropAcks(new(Effects))     // left from an earlier membership
	if m.status == StatusNewer { // perhaps this is the newer program; if not, the block will come again
		m.status = StatusActive
		if m.leaves[m.self.Person] != nil {
			m.status = StatusLeaving
		}
	}
	return nil
}
