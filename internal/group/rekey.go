package group

import (
	"encoding/binary"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Whoever came in by a last-resort key package has a leaf key that opens other
// Welcomes too, and whose private part stays in the store for as long. It renews
// its keys once it has accepted. That it must follows from the blocks: its Add
// names such a package, and no block of its own lies above that one.

// A renewal is what is known of the own leaf at one head.
type renewal struct {
	head wire.BlockHash // zero: not looked at yet
	need bool
	due  uint64 // ms; 0: not begun
}

// rekey makes a block that changes nothing but this device's keys.
func (m *Machine) rekey(now uint64, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	return m.commit(now, change{ops: []chain.Op{&chain.Rekey{}}}, eff)
}

// renew makes the Rekey that is needed, once its time has come. One that loses at
// a fork is needed again at the head that wins.
func (m *Machine) renew(now uint64, eff *Effects) {
	if m.renewal.head != m.head {
		m.renewal.head, m.renewal.need = m.head, m.LastResort()
	}
	switch {
	case !m.renewal.need || m.mayWrite() != nil:
		m.renewal.due = 0
	case m.renewal.due == 0:
		m.renewal.due = now + m.rekeyWait()
	case isDue(m.renewal.due, now):
		m.renewal.due = 0
		if m.rekey(now, eff) != nil {
			m.renewal.need = false // rule V7; the next head may allow it
		}
	}
}

// rekeyWait spreads the Rekeys of those who came in by one block.
func (m *Machine) rekeyWait() uint64 {
	device := m.self.Device.ID()
	at := binary.BigEndian.Uint32(device[:]) ^ binary.BigEndian.Uint32(m.head[:])
	return uint64(at) % rekeySpread
}

// LastResort reports whether the keys of this device at the head are still those
// of a last-resort key package.
func (m *Machine) LastResort() bool {
	own := m.self.Device.ID()
	came := m.came(own)
	if start := m.blocks.Ancestor(m.head, m.state().Start()); m.blocks.IsAncestor(came, start) {
		came = start // by which everybody came in anew
	}
	if !m.blocks.Has(came) || m.state().LastSeq(own) > m.blocks.State(came).LastSeq(own) {
		return false
	}
	ref, ok := m.addedBy(came, m.self.Member())
	if !ok {
		return false
	}
	kp, err := admittedPackage(m.blocks.Body(came), ref[:])
	return err == nil && kp.LastResort()
}
