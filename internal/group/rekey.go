package group

import (
	"encoding/binary"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Why a device renews its keys by itself. All of it follows from the blocks and
// the log, so that nothing is stored.
//
//	last resort   whoever came in by such a package has a leaf key that opens other
//	              Welcomes too, and whose private part stays in the store for as
//	              long: its Add names the package, and no block of its own lies above
//	              that one. Within a minute after it has accepted.
//	unannounced   its leaf does not say what its program reads, because an older one
//	              made it: likewise.
//	revoked       somebody else took another device of its person out of the group, and
//	              nobody of the person's has signed a block since: what the two may have
//	              shared ends, and the person stands by what that device did before
//	              (docs/spec/chain.md, "Fork choice"). Its earliest device does it.
//	old           its newest block is rekeyEach old, more or less, and somebody has
//	              written since: whoever stole keys before reads nothing new. A group
//	              that is quiet stays quiet.

// A renewal is what is known of the own leaf at one head.
type renewal struct {
	head wire.BlockHash // zero: not looked at yet
	need bool           // at once
	old  uint64         // ms; when the newest own block is old
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
		m.renewal = renewal{m.head, m.LastResort() || m.unannounced() || m.lostOther(), m.oldAt()}
	}
	need := m.renewal.need || m.renewal.old != 0 && m.renewal.old <= m.now && m.writtenSince()
	if !need || m.unannounced() && len(m.connected(true)) == 0 {
		return nil
	}
	spread := uint64(rekeySpread)
	if m.unannounced() {
		spread *= 1 + uint64(len(m.state().Members()))/16
	}
	return []errand{{name: errandName{kind: errandRekey}, wait: m.chance(spread), do: m.rekey}}
}

// lostOther reports whether this device is to renew its keys because somebody else
// revoked another one of its person's.
func (m *Machine) lostOther() bool {
	if m.state().OfPerson() {
		return false
	}
	for at := m.head; m.blocks.Has(at); {
		h := m.blocks.Header(at)
		if h.Author.Person == m.self.Person || h.IsGenesis() {
			return false
		}
		if slices.ContainsFunc(h.Ops, func(op chain.Op) bool {
			gone, ok := op.(*chain.RemoveDevice)
			return ok && gone.Person == m.self.Person
		}) {
			who, _ := m.state().Person(m.self.Person)
			first, _ := m.earliest(who)
			return first == m.self.Device.ID()
		}
		at = h.Parent
	}
	return false
}

// unannounced reports whether the own leaf does not say that this program reads
// what FeatureRepair stands for.
func (m *Machine) unannounced() bool {
	own := m.self.Device.ID()
	return m.self.Omits != FeatureRepair && m.state().Active(own) && !m.says(own, FeatureRepair)
}

// ownBlock returns the newest block of this device on the head's chain, or the one
// it came in by.
func (m *Machine) ownBlock() wire.BlockHash {
	own := m.self.Device.ID()
	came := m.came(own)
	for at := m.head; at != came; {
		h := m.blocks.Header(at)
		if h == nil || h.Author.Device == own {
			return at
		}
		at = h.Parent
	}
	return came
}

// oldAt returns when the newest own block is so old that the keys are renewed, ms:
// rekeyEach after it, up to a quarter more or less by device and head.
func (m *Machine) oldAt() uint64 {
	h := m.blocks.Header(m.ownBlock())
	if h == nil || m.state().OfPerson() || len(m.state().Members()) < 2 {
		return 0
	}
	own := m.self.Device.ID()
	spread := uint64(binary.BigEndian.Uint32(own[4:])^binary.BigEndian.Uint32(h.Parent[4:])) % (rekeyEach / 2)
	return min(h.CreatedAt, m.now) + rekeyEach*3/4 + spread
}

// writtenSince reports whether somebody wrote at the newest own block, or at one
// above it.
func (m *Machine) writtenSince() bool {
	own := m.ownBlock()
	for _, t := range m.tips {
		if h, err := dag.ParseHeader(t.header); err == nil && m.blocks.IsAncestor(own, h.Block) {
			return true
		}
	}
	return false
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
