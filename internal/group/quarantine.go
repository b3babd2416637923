package group

import (
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// A removed author's entries count up to the cut that the removal names. A
// later one waits until an entry of somebody else refers to it whose block is
// neither the removal nor above it: then its author was read by members before
// they knew (docs/spec/chain.md, "What becomes of the losing branch").

// isLate reports whether h is an entry that its removed author wrote after the
// cut.
func (m *Machine) isLate(h *dag.Header, author chain.Member) bool {
	if m.isMember(author.Person) {
		return false
	}
	gone, ok := m.removal(author.Person)
	if !ok {
		return false
	}
	for _, c := range gone.cuts {
		if c.Device == h.Device {
			return h.Seq > c.Seq
		}
	}
	return true
}

func (m *Machine) quarantine(h *dag.Header, p Packed) {
	if len(m.late) < maxQuarantine {
		m.late[h.Ref()] = p
	}
}

// recall admits quarantined entries that h, of an author who is a member,
// refers to.
func (m *Machine) recall(now uint64, missing []dag.Ref, h *dag.Header, eff *Effects) {
	if !m.state().Active(h.Device) {
		return
	}
	for _, r := range missing {
		p, ok := m.late[r]
		if !ok || m.above(h.Block, r.Device) {
			continue
		}
		delete(m.late, r)
		late, err := dag.ParseHeader(p.Header)
		if err != nil {
			continue
		}
		author, _, ok := m.blocks.State(late.Block).Device(late.Device)
		if ok {
			m.admitEntry(now, late, author, p, eff)
		}
	}
}

// above reports whether a block is the removal of the device's person or
// descends from it.
func (m *Machine) above(block wire.BlockHash, device wire.DeviceID) bool {
	who, _, ok := m.state().Device(device)
	if !ok {
		return false
	}
	gone, ok := m.removal(who.Person)
	return ok && m.blocks.IsAncestor(gone.block, block)
}
