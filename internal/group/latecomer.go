package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Of two running copies of a home whose key was taken out, the one let back in second has
// no keys of what was written since the first was, the texts among it that the first
// says again. Its person was a member all the time and had a device in the keys, so
// it is given the ciphertext, and, as who was parked is (handover.go), what stood in it.
// For that members shelve what is written where a person's device was taken out by a
// Slash and another is there:
//
//	Slash of a device ── another of its person is in ──> entries are shelved
//	                  └─ a month later ── clearShelf ──> gone
//
// Who is removed and comes again has another membership, and is handed nothing.

// mayComeLate reports whether, of what was written at a block, devices that come later may
// ask for what it says.
func (m *Machine) mayComeLate(block wire.BlockHash, now uint64) bool {
	for person, list := range m.register().gone {
		for _, gone := range list {
			if gone.slash && min(gone.at, now)+handoverFor > now && m.goneAt(gone.device, person, block) {
				return true
			}
		}
	}
	return false
}

// goneAt reports whether a device of a person was out at a block, and another in, in the
// membership that the person has at the head.
func (m *Machine) goneAt(d wire.DeviceID, person wire.PersonID, block wire.BlockHash) bool {
	at := m.stateAt(block)
	_, _, known := at.Device(d)
	return known && !at.Belongs(d) && m.inSince(person, at)
}

// inSince reports whether a person is in the membership that it had at a state, and
// had a device in the keys there.
func (m *Machine) inSince(person wire.PersonID, at *chain.State) bool {
	now, ok := m.state().Person(person)
	then, known := at.Person(person)
	return ok && known && now.Status != chain.StatusRemoved && then.Instance == now.Instance &&
		slices.ContainsFunc(then.Devices, func(d chain.Device) bool { return at.Active(d.ID) })
}

// comesLate reports whether a device came after a block, for which it may ask what was said
// there.
func (m *Machine) comesLate(who wire.Member, block wire.BlockHash) bool {
	at := m.stateAt(block)
	if _, _, known := at.Device(who.Device); known || !m.inSince(who.Person, at) {
		return false
	}
	return slices.ContainsFunc(m.register().gone[who.Person], func(gone departure) bool {
		_, _, known := at.Device(gone.device)
		return gone.slash && known && !at.Belongs(gone.device)
	})
}

// cameAt returns when a device was admitted, in ms by the clock of the block's author; 0 if
// that is not known.
func (m *Machine) cameAt(d wire.DeviceID) uint64 {
	if h := m.blocks.Header(m.came(d)); h != nil {
		return h.CreatedAt
	}
	return 0
}
