package group

import (
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// Entries are asked for from one peer at a time, so that each is fetched once;
// who does not answer in time is passed over for the next.

// pull asks for entries if some are known to exist that are not here.
func (m *Machine) pull(now uint64, eff *Effects) {
	m.endPauses(now) // whoever else is asked: a pause that is over would wake the machine each ms
	if m.fetch.until > now {
		return
	}
	if m.fetch.until != 0 { // unanswered: take its word for nothing until it speaks again
		if p := m.peers[m.fetch.from]; p != nil {
			p.frontier = nil
		}
		m.fetch = fetch{}
	}
	if m.pullHeads(now, eff) {
		return
	}
	if !m.anyPeer(func(p *peer) bool { return p.frontier != nil || !p.byHeads && m.mayFill(p) }) {
		return
	}
	for _, d := range after(m.lastAsked, m.connected(true)) {
		p := m.peers[d]
		if m.isAhead(p) {
			continue
		}
		if (p.frontier == nil || !m.lacks(p.frontier)) && (p.byHeads || !m.mayFill(p)) {
			p.frontier = nil
			continue
		}
		m.fetch, m.lastAsked = fetch{from: d, until: now + fetchTimeout}, d
		eff.send(d, m.wants(p).bytes())
		return
	}
}

// after puts those first that come after the one that was asked last, so that
// nobody's turn comes before everybody else's has.
func after(last wire.DeviceID, list []wire.DeviceID) []wire.DeviceID {
	i := slices.IndexFunc(list, func(d wire.DeviceID) bool { return lessID(last, d) })
	if i < 0 {
		return list
	}
	return slices.Concat(list[i:], list[:i])
}

// onWant answers with what the peer lacks, in causal order, and what it names.
func (m *Machine) onWant(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseWant(r)
	if err != nil {
		return err
	}
	if !p.asksEntries.take(now, entriesEvery, entriesBurst) {
		return nil
	}
	refs := m.graph.Suffix(f.frontier, maxBatchEntries)
	seen := make(map[dag.Ref]bool, len(refs))
	for _, ref := range refs {
		seen[ref] = true
	}
	var named []dag.Ref
	for _, ref := range f.refs {
		if !seen[ref] && m.graph.Has(ref) {
			named = append(named, ref)
		}
	}
	refs = append(named, refs...)
	if len(refs) > maxBatchEntries {
		refs = refs[:maxBatchEntries]
	}
	answer := Serve{To: p.member.Device, Refs: refs}
	for _, ref := range refs {
		answer.Bare = append(answer.Bare, !m.mayRead(p.member.Device, ref))
	}
	eff.Serve = append(eff.Serve, answer)
	return nil
}

// mayRead reports whether a device is given what an entry says: it, or another device
// of its person, was a member's at the block that the entry names. A home that healed
// has the keys of the device before it, unless it is parked itself. Who was not is given the header, so that no log
// has a hole, and nothing else.
func (m *Machine) mayRead(d wire.DeviceID, ref dag.Ref) bool {
	block, ok := m.graph.Block(ref)
	return ok && m.mayReadAt(d, block)
}

func (m *Machine) mayReadAt(d wire.DeviceID, block wire.BlockHash) bool {
	at := m.stateAt(block)
	if at.Active(d) {
		return true
	}
	if _, _, known := at.Device(d); known {
		return false // parked, or removed
	}
	now, _, _ := m.state().Device(d)
	then, ok := at.Person(now.Person)
	return ok && then.Instance == now.Instance && m.state().Active(d) && slices.ContainsFunc(then.Devices, func(d chain.Device) bool { return at.Active(d.ID) })
}

// onEntries takes entries, pushed or asked for.
func (m *Machine) onEntries(now uint64, p *peer, c Received, eff *Effects) error {
	f, err := parseEntries(wire.NewReader(c.Payload[1:]))
	if err != nil {
		return err
	}
	before, waited, hollow := m.graph.Len(), len(m.waiting), len(m.hollow)
	list := m.opened(f.entries, c.Checked)
	a := m.askedOf(p.member.Device)
	late := f.answer != entriesPushed && p.theirs.pause.owed > 0
	if late {
		a = nil
	}
	asked := late || f.answer != entriesPushed && (m.fetch.from == p.member.Device || a != nil)
	m.telling.giver, m.telling.pushed = p.member.Device, f.answer == entriesPushed
	defer func() { m.telling.giver, m.telling.pushed = wire.DeviceID{}, false }()
	for _, e := range list {
		rule, err := m.takeEntry(now, e, asked, eff)
		if errors.Is(err, errBlock) {
			m.wantHave(now, p)
			m.fetch.early = true
			if a != nil {
				a.early = true
			}
			break
		}
		if err != nil && (rule != ruleClaim || e.header.Device == p.member.Device) {
			eff.Notify = append(eff.Notify, Misbehaved{p.member, rule})
		}
	}
	if len(m.graph.Missing()) > 0 {
		m.wantHave(now, p)
	}
	if !asked {
		return nil
	}
	found := m.graph.Len() > before || len(m.waiting) > waited || len(m.hollow) < hollow
	if late {
		m.answeredLate(p, f, found)
		return nil
	}
	if a != nil {
		m.answered(now, p, f, a, found)
		return nil
	}
	m.fetch.found = m.fetch.found || m.graph.Len() > before
	if m.fetch.frames++; f.answer == entriesMore && m.fetch.frames < maxAnswerFrames {
		if found { // else it has as long as it had
			m.fetch.until = now + fetchTimeout
		}
		return nil
	}
	if !m.fetch.found { // what it has and we lack it does not give
		if !m.fetch.early {
			p.barren = p.frontier
		}
		p.frontier = nil
	}
	m.fetch = fetch{}
	return nil
}

// Answer reads the entries of a Serve and makes the payloads to be sent, of at
// most maxAnswer bytes in all: who lacks more asks again. read gives a stored
// record, nil if there is none; of what lies below its floor a device has names
// only, and such entries are left out. Of a hollow one the header goes.
func (s Serve) Answer(read func(k Kind, key []byte) ([]byte, error)) ([][]byte, error) {
	var entries []Packed
	cut := s.Cut
	for i, size := 0, 0; i < len(s.Refs); i++ {
		if size >= maxAnswer && !s.Pushed {
			cut = true
			break
		}
		key := EntryKey(s.Refs[i])
		header, err := read(KindEntry, key)
		if err != nil {
			return nil, err
		}
		e := Packed{Header: header}
		bare := i < len(s.Bare) && s.Bare[i]
		if !bare {
			if e.Ciphertext, err = read(s.kind(), key); err != nil {
				return nil, err
			}
		}
		if len(header) > 0 && (len(e.Ciphertext) > 0 || !s.Contents) { // what was kept may be deleted since
			entries = append(entries, e)
			size += len(e.Header) + len(e.Ciphertext)
		}
	}
	if s.Contents {
		return batches(entries, frameContents), nil
	}
	payloads := Batches(entries)
	if s.Pushed {
		for _, p := range payloads {
			p[len(p)-1] = entriesPushed // the answer is the last field
		}
		return payloads, nil
	}
	if s.ByHeads && cut {
		last := payloads[len(payloads)-1]
		last[len(last)-1] = entriesCut // the answer is the last field
	}
	return payloads, nil
}

// kind is of the records that are served beside the headers.
func (s Serve) kind() Kind {
	if s.Contents {
		return KindShelved
	}
	return KindCipher
}

// Batches cuts entries into the payloads of one answer, each of bounded size.
func Batches(entries []Packed) [][]byte {
	return batches(entries, frameEntries)
}

func batches(entries []Packed, kind uint8) (payloads [][]byte) {
	for start := 0; ; {
		end, size := start, 0
		for end < len(entries) && (end == start || size < maxBatch) {
			size += len(entries[end].Header) + len(entries[end].Ciphertext)
			end++
		}
		answer := entriesMore
		if end == len(entries) {
			answer = entriesLast
		}
		payloads = append(payloads, entriesFrame{entries[start:end], answer}.numbered(kind))
		if start = end; start == len(entries) {
			return payloads
		}
	}
}
