package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Delivered returns, of the members other than author's person, whose devices
// acknowledged the entry that device wrote with number seq.
func (m *Machine) Delivered(device wire.DeviceID, seq uint64) (reached, of []wire.PersonID) {
	m.eachDelivered(device, seq, func(person wire.PersonID, has, _ bool) {
		if of = append(of, person); has {
			reached = append(reached, person)
		}
	})
	return reached, of
}

// ReadBy returns who of those that [Machine.Delivered] returns told that they have read it.
func (m *Machine) ReadBy(device wire.DeviceID, seq uint64) (list []wire.PersonID) {
	m.eachDelivered(device, seq, func(person wire.PersonID, _, read bool) {
		if read {
			list = append(list, person)
		}
	})
	return list
}

// Reached counts those that [Machine.Delivered] and [Machine.ReadBy] return.
func (m *Machine) Reached(device wire.DeviceID, seq uint64) (reached, read, of int) {
	m.eachDelivered(device, seq, func(_ wire.PersonID, has, looked bool) {
		if of++; has {
			reached++
		}
		if looked {
			read++
		}
	})
	return reached, read, of
}

func (m *Machine) eachDelivered(device wire.DeviceID, seq uint64, each func(person wire.PersonID, has, read bool)) {
	author, _, _ := m.state().Device(device)
	by, read := m.removedBy(device, seq), m.readBy(device, seq)
	for _, who := range m.state().Members() {
		if who.Person != author.Person {
			has := who.Person == by || slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.covers(d.ID, device, seq) })
			each(who.Person, has, has && read(who))
		}
	}
}

// removedBy returns who removed this device and had its entry of that number: no Ack came
// any more, but the removal says what its author had. Zero: nobody.
func (m *Machine) removedBy(device wire.DeviceID, seq uint64) wire.PersonID {
	if device != m.self.Device.ID() || m.state().Belongs(device) {
		return wire.PersonID{}
	}
	gone, ok := m.removal(m.self.Member())
	if !ok || !slices.ContainsFunc(gone.cuts, func(c chain.Cut) bool { return c.Device == device && c.Seq >= seq }) {
		return wire.PersonID{}
	}
	return gone.by
}
