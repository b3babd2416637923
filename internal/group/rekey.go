package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// Whoever came in by a last-resort key package has a leaf key that opens other
// Welcomes too, and whose private part stays in the store for as long. It renews
// its keys once it has accepted. That it must follows from the blocks: its Add
// names such a package, and no block of its own lies above that one.
//
// So does a device whose leaf does not say what its program reads, because an
// older one made it: until then nobody asks it for keys, or is asked by it. It
// waits until somebody is connected, since alone it would only fork, and longer
// the more members there are, who may all have been brought up to date at once.

// A renewal is what is known of the own leaf at one head.
type renewal struct {
	head wire.BlockHash // zero: not looked at yet
	need bool
}

// rekey makes a block that changes nothing but this device's keys.
func (m *Machine) rekey(now uint64, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	return m.commit(now, change{ops: []chain.Op{&chain.Rekey{}}}, eff)
}

// rekeyErrands is the Rekey that is needed: of those who came in by one block at
// times that are spread. Where rule V7 refuses it, another head may not.
func (m *Machine) rekeyErrands() []errand {
	if m.renewal.head != m.head {
		m.renewal = renewal{m.head, m.LastResort() || m.unannounced()}
	}
	if !m.renewal.need || m.unannounced() && len(m.connected(true)) == 0 {
		return nil
	}
	spread := uint64(rekeySpread)
	if m.unannounced() {
		spread *= 1 + uint64(len(m.state().Members()))/16
	}
	return []errand{{name: errandName{kind: errandRekey}, wait: m.chance(spread), do: m.rekey}}
}

// unannounced reports whether the own leaf does not say that this program reads
// what FeatureRepair stands for.
func (m *Machine) unannounced() bool {
	own := m.self.Device.ID()
	return m.state().Active(own) && !m.reads(own, FeatureRepair)
}

// LastResort reports whether the keys of this device at the head are still those
// of a last-resort key package.
func (m *Machine) LastResort() bool {
	own := m.self.Device.ID()
	came := m.came(own)
	if !m.blocks.Has(came) || m.signedSince(own) {
		return false
	}
	entry, ok := entryOf(m.blocks.Header(came), m.self.Member())
	if !ok {
		return false
	}
	kp, err := admittedPackage(m.blocks.Body(came), entry.KeyPackageRef[:])
	return err == nil && kp.LastResort()
}
