package group

import (
	"bytes"
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// What was written while a device was parked it has no keys for. When it is back
// it asks for it, and a member that read it hands it over: the header, and what
// stood in the ciphertext, which the header's content_commit proves. The session
// seals it. The policy of the group says what newcomers get of the past; who is
// parked is no newcomer.
//
// So of each entry at whose block somebody was parked a member keeps the content
// with its salt, on its shelf, until all of those are back for a month. What a device
// was not handed yet it has missed:
//
//	entry, somebody parked at its block ── shelved ── clearShelf: all are back for a month ──> gone
//	entry, this device parked at its block ── missed ── askContents ──> shown
//	                                                 └─ giveUpMissed: back for a month ──> unreadable

// A shelf is what is kept to be handed over, by block.
type shelf map[wire.BlockHash]map[dag.Ref]bool

func (s shelf) len() (n int) {
	for _, refs := range s {
		n += len(refs)
	}
	return n
}

// shelve keeps what an entry says, salt first, if somebody was parked at its
// block, or may come in after it (latecomer.go).
func (m *Machine) shelve(h *dag.Header, plain []byte, eff *Effects) {
	if m.shelf[h.Block][h.Ref()] || len(m.asideAt(h.Block)) == 0 && !m.mayComeLate(h.Block, m.now) {
		return
	}
	if m.shelf[h.Block] == nil {
		m.shelf[h.Block] = make(map[dag.Ref]bool)
	}
	m.shelf[h.Block][h.Ref()] = true
	eff.put(KindShelved, EntryKey(h.Ref()), bytes.Clone(plain))
}

// A leftover is a record of an entry that is here no more.
type leftover struct {
	kind Kind
	ref  dag.Ref
}

// sweepLeftovers drops what a start found of entries that were taken back by a program that kept what
// they said, or went on asking for it.
func (m *Machine) sweepLeftovers(eff *Effects) {
	for _, l := range m.leftovers {
		eff.drop(l.kind, EntryKey(l.ref))
	}
	m.leftovers = nil
}

// aside is which devices of others were parked at a block, as last looked at.
type aside struct {
	block   wire.BlockHash
	devices []wire.DeviceID
}

func (m *Machine) asideAt(block wire.BlockHash) []wire.DeviceID {
	if m.aside.block == block {
		return m.aside.devices
	}
	m.aside = aside{block: block}
	s := m.stateAt(block)
	if s.OfPerson() {
		return nil
	}
	for _, who := range s.Members() {
		for _, d := range who.Devices {
			if d.ID != m.self.Device.ID() && s.Belongs(d.ID) && !s.Active(d.ID) {
				m.aside.devices = append(m.aside.devices, d.ID)
			}
		}
	}
	return m.aside.devices
}

// clearShelf forgets what nobody is to be handed any more. It is looked at when
// the head is another.
func (m *Machine) clearShelf(now uint64, eff *Effects) {
	for _, block := range sortedBlocks(m.shelf) {
		if m.mayComeLate(block, now) || slices.ContainsFunc(m.asideAt(block), func(d wire.DeviceID) bool { return m.mayMiss(d, now) }) {
			continue
		}
		for _, ref := range slices.SortedFunc(maps.Keys(m.shelf[block]), dag.Ref.Compare) {
			eff.drop(KindShelved, EntryKey(ref))
		}
		delete(m.shelf, block)
	}
}

// mayMiss reports whether a device that was parked once may still ask: it is so
// now, or has not been back for long.
func (m *Machine) mayMiss(d wire.DeviceID, now uint64) bool {
	s := m.state()
	return s.Belongs(d) && (!s.Active(d) || min(max(m.register().back[d], m.cameAt(d)), now)+handoverFor > now)
}

// wasAside reports whether a device was a member's, and parked, at a block.
func (m *Machine) wasAside(d wire.DeviceID, block wire.BlockHash) bool {
	s := m.stateAt(block)
	return s.Belongs(d) && !s.Active(d)
}

// lacked reports whether a device is handed what was written at a block, of which it
// had no keys: it was parked there, or came in later.
func (m *Machine) lacked(who wire.Member, block wire.BlockHash) bool {
	return m.wasAside(who.Device, block) || m.comesLate(who, block)
}

// noteMissed takes note of an entry that was written while this device was
// parked, or before it came.
func (m *Machine) noteMissed(h *dag.Header, eff *Effects) {
	if ref := h.Ref(); !m.missed[ref] && !m.missedTooLong(m.now) && m.lacked(m.self.Member(), h.Block) {
		m.missed[ref] = true
		m.noteBlank(h)
		eff.put(KindMissed, EntryKey(ref), []byte{})
		for _, p := range m.peers {
			p.handed, p.handedAll = dag.Ref{}, false
		}
	}
}

// missedTooLong reports whether this device has been back for so long that nobody
// keeps any more what it was to be handed.
func (m *Machine) missedTooLong(now uint64) bool {
	own := m.self.Device.ID()
	return m.state().Active(own) && !m.mayMiss(own, now)
}

// giveUpMissed gives up what members have forgotten by now: its rows stay unreadable.
// Like them it looks when the head is another.
func (m *Machine) giveUpMissed(now uint64, eff *Effects) {
	if len(m.missed) == 0 || !m.missedTooLong(now) {
		return
	}
	for _, ref := range slices.SortedFunc(maps.Keys(m.missed), dag.Ref.Compare) {
		m.dropMissed(ref, eff)
	}
}

func (m *Machine) dropMissed(ref dag.Ref, eff *Effects) {
	if m.missed[ref] {
		delete(m.missed, ref)
		eff.drop(KindMissed, EntryKey(ref))
	}
}

// A handover is the one request for such content that is under way.
type handover struct {
	from  wire.DeviceID
	until uint64 // ms; 0: none
	last  dag.Ref
	found bool
}

// askContents asks the next member for what this device missed, a page at a time.
func (m *Machine) askContents(now uint64, eff *Effects) {
	if m.handover.until > now {
		return
	}
	if m.handover.until != 0 {
		if p := m.peers[m.handover.from]; p != nil { // unanswered
			p.handedAll = true
		}
		m.handover = handover{}
	}
	if len(m.missed) == 0 || m.mayWrite() != nil {
		return
	}
	for _, d := range m.connected(true) {
		p := m.peers[d]
		if p.handedAll || !m.reads(d, FeatureHandover) {
			continue
		}
		page := m.missedAfter(p.handed)
		if len(page) == 0 {
			p.handedAll = true
			continue
		}
		m.handover = handover{from: d, until: now + fetchTimeout, last: page[len(page)-1]}
		eff.send(d, encodeAskContents(page))
		return
	}
}

// missedAfter returns the first that were missed beyond one, ascending.
func (m *Machine) missedAfter(ref dag.Ref) []dag.Ref {
	page := make([]dag.Ref, 0, len(m.missed))
	for r := range m.missed {
		if r.Compare(ref) > 0 {
			page = append(page, r)
		}
	}
	slices.SortFunc(page, dag.Ref.Compare)
	return page[:min(len(page), maxHandover)]
}

// onAskContents hands over what a device that was parked, and is so no more, may
// have of it: parking is against whoever finds a device. Who is back by a block that
// is still to come here is answered then.
func (m *Machine) onAskContents(p *peer, r *wire.Reader, eff *Effects) error {
	refs, err := parseAskContents(r)
	if err != nil {
		return err
	}
	p.owed = nil
	if m.state().Active(p.member.Device) {
		m.handOver(p, refs, eff)
	} else {
		p.owed = refs
	}
	return nil
}

// handOwed answers who asked before the head knew that it is back.
func (m *Machine) handOwed(eff *Effects) {
	for _, d := range m.connected(true) {
		if p := m.peers[d]; len(p.owed) > 0 && m.state().Active(d) {
			m.handOver(p, p.owed, eff)
			p.owed = nil
		}
	}
}

func (m *Machine) handOver(p *peer, refs []dag.Ref, eff *Effects) {
	answer := Serve{To: p.member.Device, Contents: true}
	for _, ref := range refs {
		block, ok := m.graph.Block(ref)
		if ok && m.shelf[block][ref] && m.lacked(p.member, block) {
			answer.Refs = append(answer.Refs, ref)
		}
	}
	eff.Serve = append(eff.Serve, answer)
}

// onContents shows what a member hands over, if this device asked for it.
func (m *Machine) onContents(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseContents(r)
	if err != nil {
		return err
	}
	if m.handover.until == 0 || m.handover.from != p.member.Device {
		return nil
	}
	for _, e := range f.entries {
		switch fresh, err := m.takeContent(e, eff); {
		case err != nil:
			eff.Notify = append(eff.Notify, Misbehaved{p.member, "handover"})
		case fresh:
			m.handover.found = true
		}
	}
	if f.answer == entriesMore {
		m.handover.until = now + fetchTimeout
		return nil
	}
	if !m.handover.found { // it has nothing of this page
		p.handed = m.handover.last
	}
	m.handover = handover{}
	return nil
}

// takeContent shows what an entry says that this device missed: true if it did.
func (m *Machine) takeContent(e Packed, eff *Effects) (bool, error) {
	h, err := dag.ParseHeader(e.Header)
	if err != nil {
		return false, err
	}
	if !m.missed[h.Ref()] {
		return false, nil
	}
	if len(e.Ciphertext) < saltSize {
		return false, wire.ErrCanonical
	}
	salt, content := [saltSize]byte(e.Ciphertext), e.Ciphertext[saltSize:]
	if dag.ContentCommit(m.group, h.Device, h.ContentID, salt, content) != h.ContentCommit {
		return false, errCommit
	}
	if _, err := ParseContent(content); err != nil {
		return false, err // no member shows it
	}
	author, _, ok := m.stateAt(h.Block).Device(h.Device)
	if !ok || m.isLate(h, author.Person) {
		return false, nil
	}
	m.dropMissed(h.Ref(), eff)
	m.shelve(h, e.Ciphertext, eff)
	m.keepSalt(h, salt[:], eff)
	row := m.row(h, author.Person)
	row.State, row.Content, row.Waiting = RowShown, bytes.Clone(content), m.waiting[h.Ref()] != nil
	m.comesBehind(row, eff)
	m.show(row, eff)
	return true, nil
}

func encodeAskContents(refs []dag.Ref) []byte {
	var w wire.Writer
	w.U8(frameAskContents)
	writeRefs(&w, refs)
	return w.Bytes()
}

func parseAskContents(r *wire.Reader) ([]dag.Ref, error) {
	refs := readRefs(r, maxHandover)
	return refs, r.Done()
}

// refKey reads what EntryKey wrote.
func refKey(key []byte) (ref dag.Ref, err error) {
	r := wire.NewReader(key)
	r.Fixed(ref.Device[:])
	ref.Seq = r.U64()
	r.Fixed(ref.Hash[:])
	return ref, r.Done()
}

func (l *loading) missed(rec Record) error {
	ref, err := refKey(rec.Key)
	l.m.missed[ref] = true
	return err
}

// shelved is loaded after the entries, which say at which block each was written.
func (l *loading) shelved(rec Record) error {
	ref, err := refKey(rec.Key)
	l.onShelf = append(l.onShelf, ref)
	return err
}

// endShelved puts what is kept to its blocks. Of what the graph has no more nothing can be asked
// for.
func (l *loading) endShelved() {
	for _, ref := range l.onShelf {
		block, ok := l.m.graph.Block(ref)
		if h := l.m.waiting[ref]; h != nil {
			block, ok = h.Block, true
		}
		if !ok {
			l.m.leftovers = append(l.m.leftovers, leftover{KindShelved, ref})
			continue
		}
		if l.m.shelf[block] == nil {
			l.m.shelf[block] = make(map[dag.Ref]bool)
		}
		l.m.shelf[block][ref] = true
	}
}
