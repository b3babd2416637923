package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// What an author wrote on a branch that lost it seals again (resend.go), and the copy may come after the
// cut of a removal that the first entry is within. Then the copy is late, and vouches for nothing. But
// what it says was said before, as the commitment of the first one proves: who lacks the text of that one, and may get
// it from nobody who is left, reads it in the copy, where the first one stands.

// keepBack keeps a late entry back, and what it says, unless that is lacking here.
func (m *Machine) keepBack(h *dag.Header, person wire.PersonID, p Packed, eff *Effects) {
	m.quarantine(h, p, eff)
	m.endUnseen(h, person, eff)
	m.openCopy(h, person, p, eff)
}

// openCopy shows what a late entry says if it is a copy of one that counts and cannot be read.
func (m *Machine) openCopy(h *dag.Header, person wire.PersonID, p Packed, eff *Effects) {
	ref := h.Ref()
	if _, held := m.late[ref]; !held || !p.whole() || m.epochs[h.Block] == nil || !m.lacksFirst(h, person) {
		return
	}
	row, _ := m.read(h, person, p.Ciphertext, eff)
	if row.State != RowShown {
		return
	}
	row.Waiting = !m.graph.Has(ref)
	m.comesBehind(row, eff)
	m.show(row, eff)
	p.Ciphertext = nil // its key is used up
	m.late[ref] = p
	eff.put(KindLate, EntryKey(ref), lateValue(p))
}

// lacksFirst reports whether an entry of the same message is here that is not late, was written for this device, and
// whose text is asked for: a row says that it cannot be read.
func (m *Machine) lacksFirst(h *dag.Header, person wire.PersonID) bool {
	return slices.ContainsFunc(m.blank[Target{person, h.ContentID, h.ContentCommit}], func(r dag.Ref) bool {
		if r.Device != h.Device || !m.hollow[r] && !m.missed[r] && !m.earlier.lacking[r] {
			return false
		}
		block := m.blockOf(r)
		at := m.stateAt(block)
		if at == nil || !at.Active(m.self.Device.ID()) || m.beforeJoining(block) {
			return false
		}
		_, late := m.lateBy(person, r.Device, r.Seq, block)
		return !late
	})
}

// openCopies shows what an entry says that has come without its text, if a copy of it is kept back.
func (m *Machine) openCopies(h *dag.Header, person wire.PersonID, eff *Effects) {
	if len(m.late) == 0 || len(m.blank[Target{person, h.ContentID, h.ContentCommit}]) == 0 {
		return
	}
	for _, r := range m.lateRefs() {
		if r.Device != h.Device {
			continue
		}
		copied, err := dag.ParseHeader(m.late[r].Header)
		if err == nil && copied.ContentID == h.ContentID && copied.ContentCommit == h.ContentCommit && m.isLate(copied, person) {
			m.openCopy(copied, person, m.late[r], eff)
		}
	}
}
