package group

import (
	"errors"

	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// errBlock says that an entry names a block that is not here: the chain comes
// first.
var errBlock = errors.New("group: the entry's block is not here")

// ruleClaim is of an entry whose header claims what is false. That shows to those alone
// who have what it names, and others pass it on in good faith: it is its author's fault.
const ruleClaim = "entry-claim"

// takeEntry takes one entry from a peer; asked says that the peer was asked for entries, so
// that the header alone will do. It is refused with a rule's name if the peer passed on
// what no honest device passes on.
func (m *Machine) takeEntry(now uint64, e openedEntry, asked bool, eff *Effects) (rule string, err error) {
	p, h := e.packed, e.header
	if e.err != nil {
		return "entry-form", e.err
	}
	if h.Group != m.group {
		return "entry-group", errCommit
	}
	if ref := h.Ref(); m.graph.Has(ref) && !(m.graph.Overclaims(h) && m.afterFloor(h)) || m.waiting[ref] != nil {
		if m.hollow[ref] && p.whole() {
			return m.fill(h, p, eff)
		}
		return "", nil
	}
	state := m.blocks.State(h.Block)
	if state == nil {
		m.want(h.Block, h.Device, h.VerifySignature)
		return "", errBlock
	}
	author, device, ok := state.Device(h.Device)
	if !ok || !state.Active(h.Device) { // invariant R2
		return "entry-member", errCommit
	}
	if !e.signed && !h.VerifySignature(device.Key[:]) {
		return "entry-signature", errCommit
	}
	// Who was no member at the block gets the header alone; who was waits for
	// somebody who has the entry whole, unless this one was asked for it, and there is
	// room to note that the rest is asked for: the Ack would count what is not here.
	lacks := !p.whole() && state.Active(m.self.Device.ID()) && !m.isDeleted(h, author.Person)
	if lacks && (!asked || len(m.hollow) >= maxHollow) {
		return "", nil
	}
	if p.whole() && !p.fits(h) {
		return "entry-ciphertext", errCommit
	}
	if m.afterFloor(h) {
		m.lowerEarlier(h)
		m.graph.Lower(h)
	}
	rule, err = m.admitEntry(now, h, author.Person, p, eff)
	if ref := h.Ref(); lacks && (m.graph.Has(ref) || m.waiting[ref] != nil) && !m.isDeleted(h, author.Person) { // a Delete may have waited for it
		m.keepHollow(ref, eff)
		m.noteBlank(h)
		m.noteLacking(h, eff) // who was parked may have what it says, and no ciphertext
	}
	m.keepVouched(h.Ref(), eff)
	if rule == "" && err == nil {
		m.openCopies(h, author.Person, eff)
	}
	return rule, err
}

// afterFloor reports whether an entry was surely written after the floor was made on
// which this device came in: at the block that admitted it, or above.
func (m *Machine) afterFloor(h *dag.Header) bool {
	return h.Block == m.joined || m.blocks.IsAncestor(m.joined, h.Block)
}

// admitEntry puts an entry whose author was a member into the graph and shows
// what it says.
func (m *Machine) admitEntry(now uint64, h *dag.Header, person wire.PersonID, p Packed, eff *Effects) (string, error) {
	verdict, err := m.graph.Check(h)
	if err == nil && (verdict.State == dag.Known || verdict.State == dag.Below) {
		return "", nil
	}
	if m.byCopy(h) {
		m.copied(eff)
		if err != nil {
			return "", nil // who passes it on breaks no rule
		}
	}
	if verdict.State == dag.Parked && m.isFarAhead(h) && !m.opensAhead(h, person, p) {
		return "", nil // its turn comes
	}
	size := len(p.Header) + len(p.Ciphertext)
	if err == nil && !m.admits(h, size) {
		return "", nil // until what is here of its device is covered
	}
	m.noteEntry(h, eff)
	if err != nil {
		return ruleClaim, err
	}
	added, err := m.graph.Add(h)
	if errors.Is(err, dag.ErrFull) {
		return "", nil
	}
	if err != nil {
		return ruleClaim, err
	}
	m.noteUncovered(h, size)
	m.wrote(h, size)
	m.keepEntry(h, p.Ciphertext, eff)
	m.watchEntry(h, person, eff)
	m.tellKept(h, p.Ciphertext, false, eff)
	if m.isLate(h, person) {
		m.keepBack(h, person, p, eff)
	} else {
		m.reveal(h, person, p.Ciphertext, verdict.State == dag.Parked, eff)
		if m.keysToCome(h) {
			m.quarantine(h, p, eff)
		}
		m.vouch(h, eff)
	}
	if verdict.State == dag.Parked {
		m.waiting[h.Ref()] = h
	} else {
		m.noteCited(h)
		m.keepTip(h)
	}
	m.settle(added, eff)
	if len(m.epochs) > 1 { // its author may have been the last to move on
		m.pruneDue = m.soon(m.pruneDue, now+pruneAfter)
	}
	m.ackDue = m.soon(m.ackDue, now+ackEvery)
	if len(added) == 1 && added[0] == h.Ref() {
		m.entryNews(now, h)
	} else {
		m.newsDue(now)
	}
	return "", nil
}

// byCopy reports whether an entry that is not here is of this device's own
// present membership: all it writes is here before anybody else has it.
func (m *Machine) byCopy(h *dag.Header) bool {
	return h.Device == m.self.Device.ID() && m.afterFloor(h)
}

// reveal shows what an entry says.
func (m *Machine) reveal(h *dag.Header, person wire.PersonID, ciphertext []byte, waiting bool, eff *Effects) {
	row, ok := m.read(h, person, ciphertext, eff)
	if !ok {
		m.endUnseen(h, person, eff)
		return
	}
	row.Waiting = waiting
	m.comesBehind(row, eff)
	m.show(row, eff)
}

// settle clears the mark of rows whose parents have come, marks those whose
// device wrote two with one number, and takes back those whose claims proved
// false.
func (m *Machine) settle(added []dag.Ref, eff *Effects) {
	for _, r := range added {
		if h := m.waiting[r]; h != nil {
			delete(m.waiting, r)
			m.prompt.owed[h.Device] = true
			m.noteCited(h)
			m.keepTip(h)
			eff.Checked = append(eff.Checked, h.Place())
			m.settleDelete(r, true, eff)
		}
		eff.Twice = append(eff.Twice, m.graph.Twins(r)...)
	}
	for _, w := range m.graph.Withdrawn() {
		key := EntryKey(w.Ref)
		m.dropLate(w.Ref, eff)
		m.dropHollow(w.Ref, eff)
		m.dropVouched(w.Ref, eff)
		m.dropMissed(w.Ref, eff)
		m.dropLacking(w.Ref, eff)
		m.dropBeside(w.Ref, eff)
		m.dropEnding(w.Ref, eff)
		m.settleDelete(w.Ref, false, eff)
		for _, k := range []Kind{KindEntry, KindCipher, KindShelved, KindSalt} {
			eff.drop(k, key)
		}
		if h := m.waiting[w.Ref]; h != nil {
			delete(m.waiting, w.Ref)
			delete(m.shelf[h.Block], w.Ref)
			m.show(Row{Place: h.Place(), State: RowWithdrawn}, eff)
		}
	}
}

// read opens an entry. It gives no row where this device was not yet a member:
// what was written before is not for it.
func (m *Machine) read(h *dag.Header, person wire.PersonID, ciphertext []byte, eff *Effects) (Row, bool) {
	row := m.row(h, person)
	e := m.epochs[h.Block]
	if e == nil || len(ciphertext) == 0 {
		row.State = RowUnreadable
		if m.comesLate(m.self.Member(), h.Block) {
			m.noteMissed(h, eff)
			return row, false // it is shown once it can be read
		}
		toCome := m.keysToCome(h)
		if e == nil && (!toCome || len(ciphertext) > 0) && m.noteLacking(h, eff) {
			return row, toCome // of what was written for it a person sees that it is there
		}
		if m.isDeleted(h, person) && len(ciphertext) > 0 {
			return row, true
		}
		if m.beforeJoining(h.Block) || !m.stateAt(h.Block).Belongs(m.self.Device.ID()) {
			return row, false
		}
		m.noteMissed(h, eff)
		return row, true
	}
	plain, state := m.open(e, h, person, ciphertext)
	if state != RowUnreadable { // else somebody may hand over what it says
		m.dropLacking(h.Ref(), eff)
	}
	if row.State = state; state == RowShown {
		row.Content = plain[saltSize:]
		m.shelve(h, plain, eff)
		m.keepSalt(h, plain[:saltSize], eff)
	}
	m.turned[h.Block] = true
	return row, true
}

// keysToCome reports whether an entry was written for this device, which cannot
// read it before it gets another Welcome.
func (m *Machine) keysToCome(h *dag.Header) bool {
	return m.epochs[h.Block] == nil && m.stateAt(h.Block).Active(m.self.Device.ID()) && !m.beforeJoining(h.Block)
}

// beforeJoining reports whether a block is from before this device came in.
func (m *Machine) beforeJoining(block wire.BlockHash) bool {
	return block != m.joined && m.blocks.IsAncestor(block, m.joined)
}

// open decrypts an entry. Before a message key is derived or deleted it checks
// that the ciphertext is this header's and its sender the header's device: else
// a member could wrap another's ciphertext and burn its key. What is shown begins
// with the salt.
func (m *Machine) open(e *epoch, h *dag.Header, person wire.PersonID, ciphertext []byte) ([]byte, RowState) {
	sender, ok := senderOf(e, h, person, ciphertext)
	if !ok {
		return nil, RowDamaged
	}
	plain, err := m.decrypt(e, h, person, sender, ciphertext)
	if errors.Is(err, mls.ErrKeyUsed) {
		return nil, RowUnreadable
	}
	if err != nil || len(plain) < saltSize {
		return nil, RowDamaged
	}
	content := plain[saltSize:]
	if dag.ContentCommit(m.group, h.Device, h.ContentID, [saltSize]byte(plain), content) != h.ContentCommit {
		return nil, RowDamaged
	}
	if _, err := ParseContent(content); err != nil {
		return nil, RowDamaged
	}
	return plain, RowShown
}
