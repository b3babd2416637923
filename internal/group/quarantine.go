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
	at, ok := m.vouched[h.Ref()]
	return !ok || m.blocks.IsAncestor(gone.block, at)
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
		delete(m.late, ref)
		eff.drop(KindLate, EntryKey(ref))
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

// vouch takes note of what an entry that counts refers to, and shows what
// waited for that.
func (m *Machine) vouch(h *dag.Header, missing []dag.Ref, eff *Effects) {
	for _, r := range missing {
		m.vouched[r] = h.Block
	}
	if len(m.vouched) > maxVouched {
		m.sweepVouched()
	}
	todo := slices.Clone(h.Parents)
	for len(todo) > 0 && len(m.late) > 0 {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		p, ok := m.late[r]
		if !ok {
			continue
		}
		late, err := dag.ParseHeader(p.Header)
		if err != nil {
			continue
		}
		m.vouched[r] = h.Block
		if author, _, ok := m.blocks.State(late.Block).Device(late.Device); ok && !m.keysToCome(late) && !m.isLate(late, author.Person) {
			m.release(late, author.Person, p, eff)
			todo = append(todo, late.Parents...)
			if late.Seq > 1 {
				todo = append(todo, dag.Ref{Device: late.Device, Seq: late.Seq - 1, Hash: late.Prev.Short()})
			}
		}
		delete(m.vouched, r)
	}
}

// sweepVouched forgets what only entries named that were taken back since. What
// others wait for stays: of those there are at most maxVouched.
func (m *Machine) sweepVouched() {
	waited := make(map[dag.Ref]bool)
	for _, r := range m.graph.Missing() {
		waited[r] = true
	}
	maps.DeleteFunc(m.vouched, func(r dag.Ref, _ wire.BlockHash) bool { return !waited[r] })
}

// release shows an entry that was kept back.
func (m *Machine) release(h *dag.Header, person wire.PersonID, p Packed, eff *Effects) {
	ref := h.Ref()
	delete(m.late, ref)
	eff.drop(KindLate, EntryKey(ref))
	m.reveal(h, person, p.Ciphertext, !m.graph.Has(ref), eff)
}

// reconsider shows what a new head does not call late any more, and what new keys
// open.
func (m *Machine) reconsider(eff *Effects) {
	for _, r := range m.lateRefs() {
		h, err := dag.ParseHeader(m.late[r].Header)
		if err != nil {
			continue
		}
		author, _, ok := m.blocks.State(h.Block).Device(h.Device)
		switch {
		case !ok || m.keysToCome(h):
		case m.isLate(h, author.Person):
			m.openCopy(h, author.Person, m.late[r], eff)
		default:
			m.release(h, author.Person, m.late[r], eff)
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

// park takes note of an entry that waits for others, and vouches for them.
func (m *Machine) park(h *dag.Header, missing []dag.Ref) {
	ref := h.Ref()
	m.waiting[ref] = h
	if _, late := m.late[ref]; !late {
		for _, r := range missing {
			m.vouched[r] = h.Block
		}
	}
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
