package group

import (
	"bytes"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// takeEarlier takes one entry that is handed over: true if it brought something. An error
// is the fault of who handed it over.
func (m *Machine) takeEarlier(e Packed, eff *Effects) (bool, error) {
	h, err := dag.ParseHeader(e.Header)
	if err != nil {
		return false, err
	}
	ref, past := h.Ref(), m.earlier.past
	lacks := m.earlier.lacking[ref]
	if h.Group != m.group {
		return false, errCommit
	}
	if !lacks {
		if past == nil || !past.Wants(ref) {
			return false, nil
		}
		author, device, ok := m.authorAt(h)
		if !ok || !h.VerifySignature(device.Key[:]) {
			return false, errCommit
		}
		if err := past.Add(h); err != nil {
			return false, err
		}
		eff.put(KindEarlier, EntryKey(ref), h.Bytes())
		late := m.isLateEarlier(h, author)
		m.vouchEarlier(h, late)
		switch {
		case late || m.stateAt(h.Block) == nil:
			return true, nil
		case m.isDeleted(h, author) || m.isOver(h):
			row := m.row(h, author)
			row.State = RowUnreadable // which becomes one that is deleted
			m.show(row, eff)
			return true, nil
		case len(e.Ciphertext) == 0:
			m.keepLacking(h, eff)
			return true, nil
		}
	} else if len(e.Ciphertext) == 0 {
		return false, nil
	}
	if err := m.sayEarlier(h, e.Ciphertext, eff); err != nil {
		if !lacks {
			m.keepLacking(h, eff)
		}
		return !lacks, err
	}
	return true, nil
}

// authorAt returns who wrote an entry. Where its block is not here, as of a branch that
// nobody follows, the head knows the device.
func (m *Machine) authorAt(h *dag.Header) (wire.PersonID, chain.Device, bool) {
	at := m.stateAt(h.Block)
	if at == nil {
		who, d, ok := m.state().Device(h.Device)
		return who.Person, d, ok
	}
	who, d, ok := at.Device(h.Device)
	return who.Person, d, ok && at.Active(h.Device) // invariant R2
}

// sayEarlier shows what an entry says.
func (m *Machine) sayEarlier(h *dag.Header, plain []byte, eff *Effects) error {
	if len(plain) < saltSize {
		return wire.ErrCanonical
	}
	salt, content := [saltSize]byte(plain), plain[saltSize:]
	if dag.ContentCommit(m.group, h.Device, h.ContentID, salt, content) != h.ContentCommit {
		return errCommit
	}
	if _, err := ParseContent(content); err != nil {
		return err // no member shows it
	}
	person, _, ok := m.authorAt(h)
	if !ok {
		return errCommit
	}
	_, back := m.late[h.Ref()]
	if (back || m.hollow[h.Ref()]) && m.isLate(h, person) {
		return nil // what it says waits, whoever hands it over
	}
	if back { // it waited for keys
		m.dropLate(h.Ref(), eff)
	}
	m.dropLacking(h.Ref(), eff)
	if m.hollow[h.Ref()] {
		m.endHollow(h.Ref(), eff)
	}
	m.keepVouched(h.Ref(), eff)
	m.keepSalt(h, salt[:], eff)
	row := m.row(h, person)
	row.State, row.Content, row.Waiting = RowShown, bytes.Clone(content), m.waiting[h.Ref()] != nil
	m.show(row, eff)
	return nil
}

// keepSalt keeps what proves a content that is shown, to hand it over.
func (m *Machine) keepSalt(h *dag.Header, salt []byte, eff *Effects) {
	eff.put(KindSalt, EntryKey(h.Ref()), bytes.Clone(salt))
}

// vouchEarlier takes note of what an entry names of those who were removed since: what
// they wrote beyond that counts where somebody refers to it who had not seen it.
func (m *Machine) vouchEarlier(h *dag.Header, late bool) {
	e := &m.earlier
	delete(e.vouch, h.Ref())
	if late {
		return
	}
	h.Names(func(r dag.Ref) {
		who, _, _ := m.state().Device(r.Device)
		if len(m.register().gone[who.Person]) == 0 || !e.past.Wants(r) {
			return
		}
		if at, ok := e.vouch[r]; !ok || m.blocks.IsAncestor(h.Block, at) {
			e.vouch[r] = h.Block
		}
	})
}

// isLateEarlier reports whether an entry is beyond the removal of its author, and nobody
// refers to it who had not seen that.
func (m *Machine) isLateEarlier(h *dag.Header, author wire.PersonID) bool {
	gone, late := m.lateBy(author, h.Device, h.Seq, h.Block)
	if !late {
		return false
	}
	at, ok := m.earlier.vouch[h.Ref()]
	return !ok || m.blocks.IsAncestor(gone.block, at)
}
