package group

import (
	"cmp"
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// A removed author's entries count up to the cut that the removal names. A
// later one is late: its header takes its place in the log, or nothing that
// refers to it ever could, but what it says waits until an entry of somebody
// else refers to it whose block is neither the removal nor above it: then its
// author was read by members before they knew (docs/spec/chain.md, "What
// becomes of the losing branch"). The head and the entries held decide, not the
// order in which they came.

// lateBy returns the removal after which the entry was written that a person's
// device wrote at block with number seq, beyond that removal's cut.
func (m *Machine) lateBy(person wire.PersonID, device wire.DeviceID, seq uint64, block wire.BlockHash) (departure, bool) {
	for _, gone := range m.register().gone[person] {
		if !gone.of(device) || m.blocks.IsAncestor(gone.block, block) {
			continue // another device's, or of a later membership
		}
		i := slices.IndexFunc(gone.cuts, func(c chain.Cut) bool { return c.Device == device })
		if i < 0 || seq > gone.cuts[i].Seq {
			return gone, true
		}
	}
	return departure{}, false
}

// isLate reports whether what an entry says has to wait.
func (m *Machine) isLate(h *dag.Header, person wire.PersonID) bool {
	if h.Device == m.self.Device.ID() {
		return false
	}
	gone, late := m.lateBy(person, h.Device, h.Seq, h.Block)
	if !late {
		return false
	}
	return !m.countsBeside(m.vouched[h.Ref()], gone)
}

// countsBeside reports whether one of the blocks at which an entry is named is neither the
// removal of its author nor above it.
func (m *Machine) countsBeside(named []wire.BlockHash, gone departure) bool {
	return slices.ContainsFunc(named, func(at wire.BlockHash) bool { return !m.blocks.IsAncestor(gone.block, at) })
}

// quarantine keeps an entry back; it is in the log anyhow. Where there are too
// many, whoever has most loses its newest: nobody fills the places of others, and
// the entries decide, not the order in which they came.
func (m *Machine) quarantine(h *dag.Header, p Packed, eff *Effects) {
	ref := h.Ref()
	m.late[ref] = Packed{slices.Clone(p.Header), slices.Clone(p.Ciphertext)}
	eff.put(KindLate, EntryKey(ref), lateValue(p))
	if len(m.late) > maxQuarantine {
		ref = m.newestOfMost()
		m.dropLate(ref, eff)
		m.keepVouched(ref, eff)
	}
}

// newestOfMost returns, of the person with most entries kept back, the one with
// the highest number.
func (m *Machine) newestOfMost() dag.Ref {
	of := make(map[wire.PersonID][]dag.Ref)
	for r, p := range m.late {
		if h, err := dag.ParseHeader(p.Header); err == nil {
			author, _, _ := m.blocks.State(h.Block).Device(r.Device)
			of[author.Person] = append(of[author.Person], r)
		}
	}
	most := slices.MaxFunc(slices.Collect(maps.Keys(of)), func(a, b wire.PersonID) int {
		return cmp.Or(cmp.Compare(len(of[a]), len(of[b])), comparePerson(a, b))
	})
	return slices.MaxFunc(of[most], func(a, b dag.Ref) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), a.Compare(b)) })
}

// vouch takes note of what an entry that counts names, the entry before it in its own log
// among it, and shows what waited for that: so does what is shown vouch in turn.
func (m *Machine) vouch(h *dag.Header, eff *Effects) {
	todo := []*dag.Header{h}
	for len(todo) > 0 {
		by := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		by.Names(func(r dag.Ref) {
			if !m.needsWord(r) || !m.setVouched(r, by.Block, eff) {
				return
			}
			late, author, ok := m.keptLate(r)
			if !ok || m.isLate(late, author) {
				return
			}
			if !m.keysToCome(late) {
				m.release(late, author, m.late[r], eff)
			}
			todo = append(todo, late)
		})
	}
	if len(m.vouched) > maxVouched {
		m.sweepVouched(eff)
	}
}

// needsWord reports whether it may matter later who names an entry: it is not here, or
// kept back, or what it says is still to come.
func (m *Machine) needsWord(r dag.Ref) bool {
	return m.isOpen(r) || !m.graph.Has(r) && m.waiting[r] == nil
}

// isOpen reports whether it is still to be decided of an entry that is here whether what
// it says is shown.
func (m *Machine) isOpen(r dag.Ref) bool {
	if _, kept := m.late[r]; kept || m.hollow[r] {
		return true
	}
	block := m.blockOf(r)
	if !m.missed[r] || m.stateAt(block) == nil {
		return false
	}
	author, _, _ := m.stateAt(block).Device(r.Device)
	_, beyond := m.lateBy(author.Person, r.Device, r.Seq, block)
	return beyond
}

// keptLate returns an entry that is kept back, and who wrote it.
func (m *Machine) keptLate(r dag.Ref) (h *dag.Header, author wire.PersonID, ok bool) {
	p, kept := m.late[r]
	if !kept {
		return nil, author, false
	}
	h, err := dag.ParseHeader(p.Header)
	if err != nil {
		return nil, author, false
	}
	who, _, ok := m.blocks.State(h.Block).Device(h.Device)
	return h, who.Person, ok
}

// setVouched takes note that an entry is named at a block: true if that is news. Blocks above
// one that is noted say nothing more, so the order in which they come decides nothing.
func (m *Machine) setVouched(r dag.Ref, block wire.BlockHash, eff *Effects) bool {
	list := m.vouched[r]
	if slices.ContainsFunc(list, func(at wire.BlockHash) bool { return m.blocks.IsAncestor(at, block) }) {
		return false
	}
	list = slices.DeleteFunc(slices.Clone(list), func(at wire.BlockHash) bool { return m.blocks.IsAncestor(block, at) })
	list = append(list, block)
	slices.SortFunc(list, compareHashes)
	if len(list) > maxVouchers {
		list = list[:maxVouchers]
	}
	m.vouched[r] = list
	m.keepVouched(r, eff)
	return true
}

// keepVouched stores at which blocks an entry is named while it is open, and forgets it when
// that has ended.
func (m *Machine) keepVouched(r dag.Ref, eff *Effects) {
	list := m.vouched[r]
	switch {
	case list == nil:
	case m.isOpen(r):
		var w wire.Writer
		for _, at := range list {
			w.Raw(at[:])
		}
		eff.put(KindVouched, EntryKey(r), w.Bytes())
	case m.graph.Has(r) || m.waiting[r] != nil:
		m.dropVouched(r, eff)
	}
}

// dropVouched forgets it of an entry that is gone.
func (m *Machine) dropVouched(r dag.Ref, eff *Effects) {
	if _, ok := m.vouched[r]; ok {
		delete(m.vouched, r)
		eff.drop(KindVouched, EntryKey(r))
	}
}

// sweepVouched forgets what only entries named that were taken back since. What
// others wait for stays: of those there are at most maxVouched.
func (m *Machine) sweepVouched(eff *Effects) {
	waited := make(map[dag.Ref]bool)
	for _, r := range m.graph.Missing() {
		waited[r] = true
	}
	for r := range m.vouched {
		if !waited[r] && !m.isOpen(r) {
			m.dropVouched(r, eff)
		}
	}
}

// release shows an entry that was kept back.
func (m *Machine) release(h *dag.Header, person wire.PersonID, p Packed, eff *Effects) {
	ref := h.Ref()
	m.dropLate(ref, eff)
	m.reveal(h, person, p.Ciphertext, !m.graph.Has(ref), eff)
	m.keepVouched(ref, eff)
}

// dropLate takes an entry out of those that are kept back.
func (m *Machine) dropLate(ref dag.Ref, eff *Effects) {
	if _, kept := m.late[ref]; kept {
		delete(m.late, ref)
		eff.drop(KindLate, EntryKey(ref))
	}
}

// reconsider shows what a new head does not call late any more, and what new keys
// open.
func (m *Machine) reconsider(eff *Effects) {
	for _, r := range m.lateRefs() {
		h, author, ok := m.keptLate(r)
		switch {
		case !ok || m.keysToCome(h):
		case m.isLate(h, author):
			m.openCopy(h, author, m.late[r], eff)
		default:
			m.release(h, author, m.late[r], eff)
			m.vouch(h, eff)
		}
	}
}

// lateRefs returns what is kept back, ascending.
func (m *Machine) lateRefs() []dag.Ref {
	return slices.SortedFunc(maps.Keys(m.late), dag.Ref.Compare)
}

// lateValue is the record of an entry that is kept back.
//
//	size field
//	V    header
//	V    ciphertext
func lateValue(p Packed) []byte {
	var w wire.Writer
	w.Vec(p.Header)
	w.Vec(p.Ciphertext)
	return w.Bytes()
}

// endVouched goes through the entries that no part has, newest first, for who names what is
// not here or open: what waits says it again, and a program of before may have passed it over.
func (l *loading) endVouched() {
	m := l.m
	if len(m.waiting)+len(m.late)+len(m.hollow)+len(m.missed) == 0 {
		return
	}
	named := make(map[dag.Ref][]wire.BlockHash) // of who was removed since
	for _, h := range slices.Backward(l.entries) {
		at, ref := m.stateAt(h.Block), h.Ref()
		if at == nil || !m.graph.Has(ref) && m.waiting[ref] == nil {
			continue
		}
		author, _, _ := at.Device(h.Device)
		if gone, late := m.lateBy(author.Person, h.Device, h.Seq, h.Block); late && !m.countsBeside(slices.Concat(named[ref], m.vouched[ref]), gone) {
			continue
		}
		h.Names(func(r dag.Ref) {
			if who, _, _ := m.state().Device(r.Device); len(m.register().gone[who.Person]) > 0 {
				named[r] = append(named[r], h.Block)
			}
			if m.needsWord(r) {
				m.setVouched(r, h.Block, new(Effects))
			}
		})
	}
	m.lateLook = len(m.late) > 0
}

// keepPassed finds the headers that a floor would name and that are no tips.
func (l *loading) keepPassed() error {
	m := l.m
	for _, r := range m.graph.Newest(dag.MaxFloorHeads) {
		if m.tips[r.Device].ref == r || m.passed[r] != nil {
			continue
		}
		h, err := l.header(r)
		if err != nil {
			return err
		}
		if h != nil {
			m.passed[r] = h.Bytes()
		}
	}
	return nil
}
