package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// onAskEarlier hands over what was said before a member came, as far as the block that
// admitted it gives it: to who is in the keys. Parked devices ask when they are back.
func (m *Machine) onAskEarlier(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseAskEarlier(r)
	if err != nil {
		return err
	}
	a, ok := m.admittance(p.member.Person)
	if !ok || !m.state().Active(p.member.Device) {
		return nil
	}
	give := func(block wire.BlockHash, order uint64) dag.Given { return m.grants(p.member, a, block, order) }
	answer := Serve{To: p.member.Device, Earlier: true}
	add := func(d dag.Descent) {
		for i, ref := range d.Refs {
			answer.Refs, answer.Bare = append(answer.Refs, ref), append(answer.Bare, d.Bare[i])
			answer.Authors = append(answer.Authors, m.writer(ref))
		}
	}
	for _, ref := range f.named {
		if d := m.graph.Descend(m.earlier.past, []dag.Ref{ref}, 1, give); len(d.Refs) == 1 && !d.Bare[0] {
			add(d)
		}
	}
	d := m.graph.Descend(m.earlier.past, f.below, maxBatchEntries-len(answer.Refs), give)
	add(d)
	answer.Older = d.Cut && !d.Lacks && !d.Full && len(f.below) > 0
	eff.Serve = append(eff.Serve, answer)
	return nil
}

// writer returns the person who wrote an entry that is here.
func (m *Machine) writer(ref dag.Ref) wire.PersonID {
	at := m.stateAt(m.blockOf(ref))
	if at == nil {
		at = m.state()
	}
	who, _, _ := at.Device(ref.Device)
	return who.Person
}

// AnswerEarlier reads what a Serve of the time before names, and makes the payloads to be
// sent, of at most maxAnswer bytes in all. read gives a stored record, said what a message
// says that is shown, each nil if there is none.
func (s Serve) AnswerEarlier(read func(k Kind, key []byte) ([]byte, error), said func(Target) ([]byte, error)) ([][]byte, error) {
	if s.Settings {
		return s.answerSettings(read)
	}
	var entries []Packed
	cut := s.Older
	for i, size := 0, 0; i < len(s.Refs); i++ {
		if size >= maxAnswer {
			cut = false
			break
		}
		e, err := s.packEarlier(i, read, said)
		if err != nil {
			return nil, err
		}
		if len(e.Header) == 0 { // known by name only
			cut = false
			continue
		}
		entries = append(entries, e)
		size += len(e.Header) + len(e.Ciphertext)
	}
	return batchesEarlier(entries, cut), nil
}

// packEarlier reads one entry: header, salt and content; the header alone where the text
// is not here, or no more.
func (s Serve) packEarlier(i int, read func(k Kind, key []byte) ([]byte, error), said func(Target) ([]byte, error)) (e Packed, err error) {
	key := EntryKey(s.Refs[i])
	for _, kind := range []Kind{KindEntry, KindEarlier} {
		if e.Header, err = read(kind, key); err != nil || len(e.Header) > 0 {
			break
		}
	}
	if err != nil || len(e.Header) == 0 || s.Bare[i] {
		return e, err
	}
	salt, err := read(KindSalt, key)
	if err != nil || len(salt) != saltSize {
		return e, err
	}
	h, err := dag.ParseHeader(e.Header)
	if err != nil {
		return e, err
	}
	content, err := said(Target{s.Authors[i], h.ContentID, h.ContentCommit})
	if err == nil && content != nil {
		e.Ciphertext = append(salt[:saltSize:saltSize], content...)
	}
	return e, err
}

// batchesEarlier cuts entries into the payloads of one answer.
func batchesEarlier(entries []Packed, cut bool) (payloads [][]byte) {
	for {
		end, size := 0, 0
		for end < len(entries) && (end == 0 || size < maxBatch) {
			size += len(entries[end].Header) + len(entries[end].Ciphertext)
			end++
		}
		answer := earlierMore
		switch {
		case end == len(entries) && cut:
			answer = earlierCut
		case end == len(entries):
			answer = earlierLast
		}
		payloads = append(payloads, entriesFrame{entries[:end], answer}.numbered(frameEarlier))
		if entries = entries[end:]; len(entries) == 0 {
			return payloads
		}
	}
}
