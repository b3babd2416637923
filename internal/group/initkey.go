package group

import "kith/internal/wire"

// voidPackage says that the key package by which this device came in opens nothing
// any more: the block is settled, so that no sibling of it can win, whose Welcome it
// would open. A last-resort package is others' way in yet, and goes by its time.
func (m *Machine) voidPackage(eff *Effects) {
	if m.voided == m.joined || m.blocks.Body(m.joined) == nil || m.joined == (wire.BlockHash{}) || !m.votes.IsSettled(m.joined) {
		return
	}
	m.voided = m.joined
	ref, ok := m.addedBy(m.joined, m.self.Member())
	if !ok {
		return
	}
	if kp, err := admittedPackage(m.blocks.Body(m.joined), ref[:]); err == nil && !kp.LastResort() {
		eff.Void = append(eff.Void, ref)
	}
}
