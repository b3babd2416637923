package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// An EarlierView is what people see of the time before this device came.
type EarlierView struct {
	History chain.History // what the block gives that admitted this device's person
	Days    uint16
	Since   uint64 // ms; of chain.HistorySince, from when on
	Have    int    // entries that are here of those below the floor
	Of      int    // and how many there are in all; more than are given where Days counts
	Lacking int    // of those that are here, whose text nobody has given yet
	Oldest  uint64 // ms, how far back it reaches; 0: nothing is here
	Reached bool   // nothing more is to come
	Proved  bool   // and enough members have acknowledged what that rests on
}

func (m *Machine) earlierView() (v EarlierView) {
	e := &m.earlier
	came, ok := m.register().came[m.self.Person]
	if !ok || came.block == m.blocks.Genesis() {
		return v
	}
	p := m.stateAt(came.block).Policy()
	v = EarlierView{History: p.History, Days: p.HistoryDays, Lacking: len(e.lacking)}
	if a, _ := m.admittance(m.self.Person); p.History == chain.HistorySince {
		v.Since = a.least
	}
	v.Reached = e.begun
	if e.past != nil {
		v.Have, v.Of, v.Oldest = e.past.Len(), int(min(e.past.Covered(), 1<<31-1)), e.past.Oldest()
		v.Reached = e.past.Whole() || p.History == chain.HistorySince && len(e.ended) >= m.witnesses()
	}
	v.Proved = v.Reached && e.proved
	return v
}

// witnesses is how many other people have to say something for this device to take it for
// true: as many as settle a block, or all there are.
func (m *Machine) witnesses() int {
	return min(chain.Quorum(len(m.state().Electorate())), len(m.state().Members())-1)
}

// proveEarlier looks whether enough members have acknowledged the frontier that is here:
// a floor that left something out would not lead to it.
func (m *Machine) proveEarlier() {
	e := &m.earlier
	if e.proved || e.past == nil || !m.earlierView().Reached {
		return
	}
	frontier := m.graph.FrontierDigest()
	agree := make(map[wire.PersonID]bool)
	for d, a := range m.acks {
		who, _, ok := m.state().Device(d)
		if ok && who.Person != m.self.Person && m.state().Belongs(d) && a.Frontier == frontier {
			agree[who.Person] = true
		}
	}
	e.proved = len(agree) >= m.witnesses()
}

// tellEarlier says what has changed of the time before.
func (m *Machine) tellEarlier(eff *Effects) {
	if !m.earlier.begun {
		return
	}
	m.proveEarlier()
	if v := m.earlierView(); v != m.earlier.told {
		m.earlier.told = v
		eff.Notify = append(eff.Notify, EarlierChanged{v})
	}
}
