package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Read marks (docs/spec/ack.md, "What was read"). An Ack may say up to which place its
// device's person has read: it is signed with the rest, and replaced with it. It names an
// entry by somebody else, so that own messages make no Ack. Who does not tell is not told.
//
// What comes late, and is shown above what was read, is unread, and so is what stands below
// it until its person has looked again.

// reading is how far this device's person has read.
type reading struct {
	to   Place // the zero place: nowhere
	with bool  // what stands there was read too
	tell bool  // others are told, and it is shown what they tell
}

// covers reports whether what stands at a place was read.
func (r reading) covers(p Place) bool {
	return dag.Less(p, r.to) || r.with && p == r.to
}

// SetRead says how far this device's person has read, before the first step.
func (m *Machine) SetRead(c Read) {
	m.reading = reading{c.To, true, c.Tell}
	if m.remarked() {
		m.ackDue = 1
	}
}

// read takes what this device's person has read since.
func (m *Machine) markRead(now uint64, c Read) {
	m.reading = reading{c.To, true, c.Tell}
	if m.speaks() && m.remarked() {
		m.ackDue = m.soon(m.ackDue, now+ackEvery)
	}
}

// mayMark reports whether people tell each other here what they have read: not in a large
// group, where it would cost much and nobody would look who of hundreds has.
func mayMark(s *chain.State) bool {
	return !s.OfPerson() && len(s.Members()) > 1 && len(s.Members()) <= maxMarked
}

// Marks reports whether what others have read is shown.
func (m *Machine) Marks() bool { return m.reading.tell && mayMark(m.state()) }

// readMark is what the next Ack says: the last entry by somebody else of what was read.
func (m *Machine) readMark() *Place {
	if !m.Marks() {
		return nil
	}
	var last *Place
	for _, r := range m.graph.Frontier().Refs() {
		if who, _, ok := m.state().Device(r.Device); ok && who.Person == m.self.Person {
			continue
		}
		if p, ok := m.graph.LastBefore(r.Device, m.reading.to, m.reading.with); ok && (last == nil || dag.Less(*last, p)) {
			last = &p
		}
	}
	return last
}

// remarked reports whether the own Ack says another place than the next would.
func (m *Machine) remarked() bool {
	own := m.acks[m.self.Device.ID()]
	return own != nil && !samePlace(own.Read, m.readMark())
}

func samePlace(a, b *Place) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// comesBehind takes note of a line that can be read from now on and stands above what was
// read already.
func (m *Machine) comesBehind(row Row, eff *Effects) {
	if row.State != RowShown || row.Person == m.self.Person || IsAnnotation(row.Content) ||
		m.goneAs(row.Target(), row.Block) != 0 || !m.reading.covers(row.Place) {
		return
	}
	m.reading.to, m.reading.with = row.Place, false
	eff.Behind = &row.Place
}

// hasRead reports whether a device's Ack says that the entry at a place was read. A mark
// that names no entry that is here, or names it at another place, says nothing; and one
// that names what its author has not got says nothing of that, since what has not
// arrived was not read.
func (m *Machine) hasRead(device wire.DeviceID, p Place) bool {
	a := m.acks[device]
	if a == nil || a.Read == nil || dag.Less(*a.Read, p) {
		return false
	}
	at, ok := m.graph.PlaceOf(a.Read.Device, a.Read.Seq)
	return ok && at == *a.Read && m.covers(device, p.Device, p.Seq)
}

// readBy returns who of an entry's readers says so; nobody where none is told.
func (m *Machine) readBy(device wire.DeviceID, seq uint64) func(chain.Member) bool {
	p, ok := m.graph.PlaceOf(device, seq)
	if !ok || !m.Marks() {
		return func(chain.Member) bool { return false }
	}
	return func(who chain.Member) bool {
		return slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.hasRead(d.ID, p) })
	}
}
