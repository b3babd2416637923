package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Delivered returns, of the members other than author's person, whose devices
// acknowledged the entry that device wrote with number seq.
func (m *Machine) Delivered(device wire.DeviceID, seq uint64) (reached, of []wire.PersonID) {
	m.eachDelivered(device, seq, func(person wire.PersonID, has bool) {
		if of = append(of, person); has {
			reached = append(reached, person)
		}
	})
	return reached, of
}

// Reached counts those that [Machine.Delivered] returns.
func (m *Machine) Reached(device wire.DeviceID, seq uint64) (reached, of int) {
	m.eachDelivered(device, seq, func(_ wire.PersonID, has bool) {
		if of++; has {
			reached++
		}
	})
	return reached, of
}

func (m *Machine) eachDelivered(device wire.DeviceID, seq uint64, each func(person wire.PersonID, has bool)) {
	author, _, _ := m.state().Device(device)
	by := m.removedBy(device, seq)
	for _, who := range m.state().Members() {
		if who.Person != author.Person {
			each(who.Person, who.Person == by || slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.covers(d.ID, device, seq) }))
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
