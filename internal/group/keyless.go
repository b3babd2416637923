package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// Somebody was let in by a block that nobody has with its commit any more: whoever
// had it left before the two met, and those who are here came in later, by pages, in
// which settled blocks are light. A Welcome of that block would open nothing. An
// opening without one lets the device in all the same: its person is asked, and it
// then gets keys as any device that lost them (rejoin.go). It reads nothing from
// before. (docs/spec/sync.md, "Pages".)

// admittedLight reports whether a device was let in by a light block, has not accepted as
// far as is known here, and can be let in without a Welcome.
func (m *Machine) admittedLight(who wire.Member) bool {
	if m.acks[who.Device] != nil || who.Device == m.self.Device.ID() || m.mayWrite() != nil {
		return false
	}
	came := m.came(who.Device)
	if !m.blocks.IsLight(came) {
		return false
	}
	_, asked := entryOf(m.blocks.Header(came), who)
	return asked && m.readsPages(who.Device) && m.allRead(FeatureRepair) && !m.wholeElsewhere(came, who.Device)
}

// wholeElsewhere reports whether a member may hold a block with its commit: a device
// that was in at it and has accepted, but for one. It brings the Welcome when the two
// meet, with which the newcomer also reads what was said since.
func (m *Machine) wholeElsewhere(block wire.BlockHash, but wire.DeviceID) bool {
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if d.ID == m.self.Device.ID() || d.ID == but || !m.state().Belongs(d.ID) || !m.hasAccepted(d.ID) {
				continue
			}
			if came := m.came(d.ID); came == block || m.blocks.IsAncestor(came, block) {
				return true
			}
		}
	}
	return false
}

// openingWithout returns the invitation without a Welcome.
func (m *Machine) openingWithout(who wire.Member) []byte {
	floor := m.floorFor([]Newcomer{{Person: who.Person}})
	return m.openingAbove(m.baseFor(wire.BlockHash{}), who.Device, m.came(who.Device), welcome{floor: floor.Marshal()})
}

// comeInWithout is comeIn without the Welcome.
func (m *Machine) comeInWithout(inv invitation, floor []byte, eff *Effects) error {
	head := m.pick() // m has none before it comes in
	if !m.blocks.IsLight(inv.block) || !m.blocks.IsAncestor(inv.block, head) || m.instance(inv.block) != m.instance(head) {
		return errWelcome
	}
	if !m.stateAt(head).Belongs(m.self.Device.ID()) {
		return ErrStale
	}
	if _, asked := entryOf(m.blocks.Header(inv.block), m.self.Member()); !asked {
		return errWelcome
	}
	f, err := dag.ParseFloor(floor)
	if err != nil {
		return err
	}
	if err := m.checkFloor(f); err != nil {
		return err
	}
	return m.startLogs(f, floor, eff)
}
