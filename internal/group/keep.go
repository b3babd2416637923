package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// What is kept of epochs, and how long (docs/spec/group.md, "Secrets").
//
//	                                    leads on from it    opens its messages
//	head                                kept                kept
//	below the head, not settled above   16 blocks, 30 days  30 days, 7 if deeper
//	below the settled block             gone                until all have moved on; 30 days, 7 if deeper
//	on a branch that cannot win         gone                30 days, 7 if deeper

// prune deletes secrets that may not be kept.
func (m *Machine) prune(now uint64, eff *Effects) {
	height := m.state().Height()
	m.pruneDue = 0
	for _, hash := range sortedBlocks(m.epochs) {
		e := m.epochs[hash]
		if newest := hash == m.head; newest != (e.since == 0) {
			e.since = now
			if newest {
				e.since = 0
			}
			eff.put(KindEpoch, hash[:], e.record())
		}
		if hash == m.head {
			if e.secret.Closed() { // it lost long ago, and wins now: this device comes in anew
				m.dropEpoch(hash, eff)
			}
			continue
		}
		deep := m.blocks.Header(hash).Height+maxEpochs < height
		until := e.since + keepEpoch
		if deep {
			until = e.since + keepDeep
		}
		if until <= now || m.allMovedOn(hash) {
			m.dropEpoch(hash, eff)
			continue
		}
		m.pruneDue = m.soon(m.pruneDue, until)
		if !e.secret.Closed() && (deep || m.cannotFork(hash)) {
			e.secret.Close()
			eff.put(KindEpoch, hash[:], e.record())
		}
	}
	m.pruneTrees(eff)
}

func (m *Machine) dropEpoch(hash wire.BlockHash, eff *Effects) {
	e := m.epochs[hash]
	e.ratchets.Erase()
	e.secret.Erase()
	delete(m.epochs, hash)
	eff.drop(KindEpoch, hash[:])
	eff.drop(KindRatchet, hash[:])
}

// cannotFork reports whether no block on this one can come to count that is not
// followed already: what is settled lies above it, or on another branch.
func (m *Machine) cannotFork(hash wire.BlockHash) bool {
	s := m.votes.Settled()
	return hash != s && !m.blocks.IsAncestor(s, hash)
}

// allMovedOn reports whether nobody can have anything to say under a block any
// more: its successor is settled, and every other device that could write under
// it has written under the successor or later, with no gap in its log here.
func (m *Machine) allMovedOn(hash wire.BlockHash) bool {
	s := m.votes.Settled()
	if hash == s || !m.blocks.IsAncestor(hash, s) {
		return false
	}
	next := m.blocks.Ancestor(s, m.blocks.Header(hash).Height+1)
	for _, who := range m.stateAt(hash).Members() {
		for _, d := range who.Devices {
			if m.stateAt(hash).Active(d.ID) && d.ID != m.self.Device.ID() && !m.movedTo(d.ID, next) {
				return false
			}
		}
	}
	for _, late := range m.late {
		if h, err := dag.ParseHeader(late.Header); err == nil && h.Block == hash {
			return false
		}
	}
	return true
}

// movedTo reports whether a device's newest entry was written at a block or above.
func (m *Machine) movedTo(d wire.DeviceID, block wire.BlockHash) bool {
	t, ok := m.tips[d]
	if !ok {
		return false
	}
	h, err := dag.ParseHeader(t.header)
	return err == nil && m.blocks.IsAncestor(block, h.Block)
}
