package group

import (
	"errors"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// A hollow entry is one whose header is in the log and whose text, to which this
// device is entitled, nobody has given yet. Its author may never give it to more than
// one, or to nobody, and what others wrote after it, who were entitled to the header
// alone, would wait for ever. Or who has it may have deleted it, and the Delete comes
// later. So the header is taken from who was asked for entries; its row cannot be
// read, and every member is asked for the rest once in a session.

// whole reports whether an entry brings its ciphertext.
func (p Packed) whole() bool { return len(p.Ciphertext) > 0 }

// fits reports whether the ciphertext is the header's.
func (p Packed) fits(h *dag.Header) bool {
	return int(h.Length) == len(p.Ciphertext) && dag.CiphertextHash(p.Ciphertext) == h.CiphertextHash
}

// keepHollow takes note of an entry that has no text yet.
func (m *Machine) keepHollow(ref dag.Ref, eff *Effects) {
	m.hollow[ref] = true
	m.hollowed++
	eff.put(KindHollow, EntryKey(ref), []byte{})
}

func (m *Machine) dropHollow(ref dag.Ref, eff *Effects) {
	if m.hollow[ref] {
		delete(m.hollow, ref)
		eff.drop(KindHollow, EntryKey(ref))
	}
}

// endHollow takes note that an entry is hollow no more and counts as arrived, for which its
// author waits.
func (m *Machine) endHollow(ref dag.Ref, eff *Effects) {
	m.dropHollow(ref, eff)
	m.acked, m.ackDue = wire.Digest{}, m.soon(m.ackDue, m.now+ackEvery)
	m.prompt.owed[ref.Device] = true
}

// hollowRefs returns the hollow entries, ascending.
func (m *Machine) hollowRefs() []dag.Ref {
	refs := make([]dag.Ref, 0, len(m.hollow))
	for r := range m.hollow {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, dag.Ref.Compare)
	return refs
}

// firstHollow returns the number of the first hollow entry of each device: from there on
// nothing has arrived.
func (m *Machine) firstHollow() map[wire.DeviceID]uint64 {
	first := make(map[wire.DeviceID]uint64)
	for r := range m.hollow {
		if seq, ok := first[r.Device]; !ok || r.Seq < seq {
			first[r.Device] = r.Seq
		}
	}
	return first
}

// fill takes the text of a hollow entry.
func (m *Machine) fill(h *dag.Header, p Packed, eff *Effects) (rule string, err error) {
	if !p.fits(h) {
		return "entry-ciphertext", errCommit
	}
	author, _, ok := m.stateAt(h.Block).Device(h.Device)
	if !ok {
		return "entry-member", errCommit
	}
	ref := h.Ref()
	m.endHollow(ref, eff)
	m.keepEntry(h, p.Ciphertext, eff)
	m.tellKept(h, p.Ciphertext, false, eff)
	defer m.keepVouched(ref, eff)
	if m.isLate(h, author.Person) {
		m.keepBack(h, author.Person, p, eff)
		return "", nil
	}
	m.reveal(h, author.Person, p.Ciphertext, m.waiting[ref] != nil, eff)
	if m.keysToCome(h) {
		m.quarantine(h, p, eff)
	}
	return "", nil
}

// mayFill reports whether a peer was not asked yet for what is hollow.
func (m *Machine) mayFill(p *peer) bool { return len(m.hollow) > 0 && p.filled < m.hollowed }

// wants is the request for what is hollow or missing, and for what lies above.
func (m *Machine) wants(p *peer) wantFrame {
	refs := m.graph.Missing()
	if m.mayFill(p) {
		refs = append(m.nextHollow(p), refs...)
	}
	return wantFrame{frontier: m.graph.Frontier(), refs: refs[:min(len(refs), maxBatchEntries)]}
}

// nextHollow returns the hollow entries that a peer is asked for next, so many that
// there is room for missing ones.
func (m *Machine) nextHollow(p *peer) []dag.Ref {
	if p.fill == (dag.Ref{}) {
		p.filling = m.hollowed
	}
	list := slices.DeleteFunc(m.hollowRefs(), func(r dag.Ref) bool { return r.Compare(p.fill) <= 0 })
	if len(list) > maxBatchEntries/2 {
		list = list[:maxBatchEntries/2]
		p.fill = list[len(list)-1]
		return list
	}
	p.filled, p.fill = p.filling, dag.Ref{}
	return list
}

func (l *loading) hollow(rec Record) error {
	r := wire.NewReader(rec.Key)
	var ref dag.Ref
	r.Fixed(ref.Device[:])
	ref.Seq = r.U64()
	r.Fixed(ref.Hash[:])
	if err := r.Done(); err != nil {
		return errors.Join(err, errRecord)
	}
	l.m.hollow[ref] = true
	l.m.hollowed++
	return nil
}
