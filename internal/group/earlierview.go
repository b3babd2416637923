package group

import (
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// An EarlierView is what people see of the time before this device came.
type EarlierView struct {
	Newcomer bool          // its person was not there from the beginning
	History  chain.History // what the block gives that admitted this device's person
	Days     uint16
	Since    uint64 // ms; of chain.HistorySince, from when on
	Have     int    // entries that are here of those below the floor
	Of       int    // and how many there are in all; more than are given where Days counts
	Lacking  int    // of those that are here, whose text nobody has given yet
	Oldest   uint64 // ms, how far back it reaches; 0: nothing is here
	Reached  bool   // nothing more is to come
	Proved   bool   // and enough members have acknowledged what that rests on
}

func (m *Machine) earlierView() (v EarlierView) {
	e := &m.earlier
	came, ok := m.register().came[m.self.Person]
	if !ok || came.block == m.blocks.Genesis() {
		return v
	}
	p := m.stateAt(came.block).Policy()
	v = EarlierView{Newcomer: true, History: p.History, Days: p.HistoryDays, Lacking: len(e.lacking)}
	if a, _ := m.admittance(m.self.Person); p.History == chain.HistorySince {
		v.Since = a.least
	}
	v.Reached = e.begun != (wire.BlockHash{}) && m.earlierReached()
	if e.past != nil {
		v.Have, v.Of, v.Oldest = e.past.Len(), int(min(e.past.Covered(), 1<<31-1)), e.past.Oldest()
	}
	v.Proved = v.Reached && e.proved
	return v
}

// earlierReached reports whether nothing more is to come: every log is here down to its
// first entry, or to where, as enough members say, the days of the policy begin.
func (m *Machine) earlierReached() bool {
	e := &m.earlier
	return e.past == nil || !e.given || e.past.Whole() || len(e.ended) > 0 && len(e.ended) >= m.witnesses() && m.isCutOff()
}

// isCutOff reports whether something of the time before is too old to be given to this
// device. Where all is given, nobody's word ends it.
func (m *Machine) isCutOff() bool {
	a, ok := m.admittance(m.self.Person)
	return ok && (!a.gives || a.least > 0)
}

// leastWitnesses bounds witnesses from below: one person alone is mostly who made the floor, and
// settles what comes in a group where nobody else votes.
const leastWitnesses = 2

// witnesses is how many other people have to say something for this device to take it for
// true: as many as settle a block, two at least, or all there are.
func (m *Machine) witnesses() int {
	return min(max(chain.Quorum(len(m.state().Electorate())), leastWitnesses), len(m.state().Members())-1)
}

// proveEarlier looks whether enough members have acknowledged the frontier that is here:
// a floor that left something out would not lead to it.
func (m *Machine) proveEarlier(eff *Effects) {
	e := &m.earlier
	news := [2]uint64{m.heard + 1, uint64(m.graph.Len())}
	if e.proved || e.past == nil || !m.earlierReached() || e.looked == news {
		return
	}
	e.looked = news
	agree, says := make(map[wire.PersonID]bool), m.saysAll()
	for d, a := range m.acks {
		who, _, ok := m.state().Device(d)
		if ok && who.Person != m.self.Person && m.state().Belongs(d) && says(a) {
			agree[who.Person] = true
		}
	}
	if e.proved = len(agree) >= m.witnesses(); e.proved {
		eff.Write = append(eff.Write, e.record())
	}
}

// Latest returns the place of the newest entry that is here, or that the floor shows; the
// zero place if there is none.
func (m *Machine) Latest() (at Place) {
	for _, d := range sortedDevices(m.tips) {
		if h, err := dag.ParseHeader(m.tips[d].header); err == nil && dag.Less(at, h.Place()) {
			at = h.Place()
		}
	}
	return at
}

// tellEarlier says what has changed of the time before.
func (m *Machine) tellEarlier(eff *Effects) {
	if m.beginEarlier(); m.earlier.begun == (wire.BlockHash{}) {
		return
	}
	m.proveEarlier(eff)
	if v := m.earlierView(); v != m.earlier.told {
		m.earlier.told = v
		eff.Notify = append(eff.Notify, EarlierChanged{v})
	}
}
