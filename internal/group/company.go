package group

import (
	"encoding/binary"

	"kith/internal/wire"
)

// Who is silent, and for how long. It is counted neither by the clock nor by how
// long this program runs, but by company: the time in which this device heard
// other people. Each time somebody of them says something new, what went by since
// the last time is added, maxLull at most. So who sits alone with no network takes
// nobody for silent, and a clock that jumps by years adds a week.

// company says when each device was heard last, in company time.
type company struct {
	time  uint64                   // ms
	last  uint64                   // ms, by the clock; when another person was heard
	heard map[wire.DeviceID]uint64 // of all that are in the keys, but for this one
	at    wire.BlockHash           // the head by which heard has its devices

	storedTime uint64
	stored     map[wire.DeviceID]uint64
}

func newCompany() company {
	return company{heard: make(map[wire.DeviceID]uint64), stored: make(map[wire.DeviceID]uint64)}
}

// meetAgain takes note of something new that a device signed, or of a session
// with it.
func (m *Machine) meetAgain(from wire.DeviceID, eff *Effects) {
	s := m.state()
	if from == m.self.Device.ID() || s == nil || s.OfPerson() || !s.Belongs(from) {
		return
	}
	c := &m.company
	if owner, _, _ := s.Device(from); owner.Person != m.self.Person {
		if c.last != 0 && c.last < m.now {
			c.time += min(m.now-c.last, maxLull)
		}
		c.last = m.now
		if c.time >= c.storedTime+companyStored {
			c.storedTime = c.time
			m.keepCompany(nil, c.time, eff)
		}
	}
	m.noteHeard(from, eff)
}

// noteHeard stores when a device was heard, companySlack late, and anew once that
// much has gone by: a restart makes nobody silent for longer.
func (m *Machine) noteHeard(d wire.DeviceID, eff *Effects) {
	c := &m.company
	c.heard[d] = c.time
	if stored, ok := c.stored[d]; !ok || stored < c.time {
		c.stored[d] = c.time + companySlack
		m.keepCompany(d[:], c.stored[d], eff)
	}
}

// keepCompany stores one of the times.
//
//	size field
//	8    company time, ms; without a key the newest, else when the device was heard
//	8    without a key only: when another person was heard, ms by the clock
func (m *Machine) keepCompany(key []byte, time uint64, eff *Effects) {
	value := binary.BigEndian.AppendUint64(nil, time)
	if key == nil {
		value = binary.BigEndian.AppendUint64(value, m.company.last)
	}
	eff.put(KindCompany, key, value)
}

func (l *loading) company(rec Record) error {
	c := &l.m.company
	switch {
	case len(rec.Key) == 0 && len(rec.Value) == 16:
		c.time, c.last = binary.BigEndian.Uint64(rec.Value), binary.BigEndian.Uint64(rec.Value[8:])
		c.storedTime = c.time
	case len(rec.Key) == 32 && len(rec.Value) == 8:
		d := wire.DeviceID(rec.Key)
		c.heard[d] = binary.BigEndian.Uint64(rec.Value)
		c.stored[d] = c.heard[d]
	default:
		return errRecord
	}
	return nil
}

// countCompany begins to count for whom the head has newly in the keys, and ends it
// for whom it has not any more.
func (m *Machine) countCompany(eff *Effects) {
	c := &m.company
	if c.at == m.head {
		return
	}
	c.at = m.head
	s := m.state()
	if s.OfPerson() {
		return
	}
	for _, d := range sortedDevices(c.heard) {
		if !s.Active(d) {
			delete(c.heard, d)
			delete(c.stored, d)
			eff.drop(KindCompany, d[:])
		}
	}
	for _, who := range s.Members() {
		for _, d := range who.Devices {
			if _, known := c.heard[d.ID]; !known && s.Active(d.ID) && d.ID != m.self.Device.ID() {
				m.noteHeard(d.ID, eff)
			}
		}
	}
}

// silentFor returns for how long a device was not heard, in company time.
func (m *Machine) silentFor(d wire.DeviceID) uint64 {
	at, known := m.company.heard[d]
	if p := m.peers[d]; !known || p != nil && p.named || at > m.company.time {
		return 0
	}
	return m.company.time - at
}
