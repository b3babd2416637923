package group

import (
	"cmp"

	"kith/internal/dag"
	"kith/internal/wire"
)

// saltSize is the length of the random bytes in front of a content, under
// which content_commit hides it (docs/spec/entry.md).
const saltSize = 32

// compose writes what the person says, or keeps it until a removal is carried over.
func (m *Machine) compose(now uint64, c Compose, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	if _, err := ParseContent(c.Content.Bytes()); err != nil {
		return refuse(ReasonContent, err)
	}
	if err := m.mayAnnotate(c.Content); err != nil {
		return err
	}
	if err := m.mayGoOn(len(c.Content.Bytes())); err != nil {
		return err
	}
	if c.Content.Kind == ContentExpiry && powers(m.state(), m.self.Person)&MayArrange == 0 {
		return refuse(ReasonRole, nil)
	}
	if len(m.pending()) > 0 || len(m.held) > 0 {
		return m.hold(c, eff)
	}
	return m.write(now, c, eff)
}

// write writes an entry and shows it.
func (m *Machine) write(now uint64, c Compose, eff *Effects) error {
	u := unsent{
		block: m.head, id: m.newID(now, c.Content),
		salt: [saltSize]byte(wire.Random(saltSize)), content: c.Content.Bytes(), time: now,
	}
	h, err := m.sealEntry(now, u, eff)
	if err != nil {
		return err
	}
	m.spoke = m.head
	m.keepUnsent(h.Seq, u, eff)
	row := m.row(h, m.self.Person)
	row.State, row.Content, row.Client = RowShown, u.content, c.Client
	m.show(row, eff)
	return nil
}

// sealEntry makes an entry under the head: the log position first, then the
// ciphertext over a header that is complete but for what the ciphertext decides.
func (m *Machine) sealEntry(now uint64, u unsent, eff *Effects) (*dag.Header, error) {
	e := m.epochs[m.head]
	device := m.self.Device.ID()
	at := m.graph.Next(device, now)
	h := &dag.Header{
		Version: dag.Version, Suite: m.state().Suite(), SigAlg: wire.SigEd25519, Group: m.group,
		Device: device, Seq: at.Seq, Prev: at.Prev, Parents: at.Parents, Block: m.head,
		Lamport: at.Lamport, Order: at.Order, Time: cmp.Or(u.time, now),
		ContentID: u.id,
	}
	h.ContentCommit = dag.ContentCommit(m.group, device, u.id, u.salt, u.content)
	plain := append(u.salt[:], u.content...)
	aad := h.AAD()
	ciphertext, err := e.secret.Encrypt(e.ratchets, m.self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
	if err != nil {
		return nil, refuse(ReasonNoKeys, err)
	}
	h.CiphertextHash = dag.CiphertextHash(ciphertext)
	h.Length = uint32(len(ciphertext))
	h.Sign(m.self.Device.Sign)
	if _, err := m.graph.Add(h); err != nil {
		return nil, refuse(ReasonStored, err)
	}
	m.noteUncovered(h, len(h.Bytes())+len(ciphertext))
	m.wrote(h, len(h.Bytes())+len(ciphertext))
	m.noteCited(h)
	m.vouch(h, eff)
	m.keepEntry(h, ciphertext, eff)
	m.shelve(h, plain, eff)
	m.keepSalt(h, plain[:saltSize], eff)
	m.keepRatchets(m.head, e, eff)
	m.keepTip(h)
	m.push(h, ciphertext, wire.DeviceID{}, eff)
	m.tellKept(h, ciphertext, true, eff)
	m.ackDue = m.soon(m.ackDue, now+ackEvery)
	m.entryNews(now, h)
	return h, nil
}

// push sends an entry at once to every member's device that is connected and
// has named the group, but for those that get it along the tree; its header alone to
// one that is parked.
func (m *Machine) push(h *dag.Header, ciphertext []byte, from wire.DeviceID, eff *Effects) {
	whole := entriesFrame{[]Packed{{h.Bytes(), ciphertext}}, entriesPushed}.bytes()
	bare := entriesFrame{[]Packed{{h.Bytes(), nil}}, entriesPushed}.bytes()
	for _, d := range m.connected(true) {
		switch {
		case d == from || d == h.Device || m.spreadsTo(d):
		case m.mayReadAt(d, h.Block):
			eff.send(d, whole)
		default:
			eff.send(d, bare)
		}
	}
}

func (m *Machine) keepEntry(h *dag.Header, ciphertext []byte, eff *Effects) {
	m.demand(h.Device, eff)
	m.pace.bytes += uint64(len(h.Bytes()) + len(ciphertext))
	key := EntryKey(h.Ref())
	m.noteBeside(h.Ref(), eff)
	eff.Write = append(eff.Write,
		Record{KindEntry, key, h.Bytes()},
		Record{KindCipher, key, ciphertext},
	)
}

// EntryKey is the key under which an entry and its ciphertext are stored.
func EntryKey(r dag.Ref) []byte {
	var w wire.Writer
	w.Raw(r.Device[:])
	w.U64(r.Seq)
	w.Raw(r.Hash[:])
	return w.Bytes()
}

// row begins the row of an entry.
func (m *Machine) row(h *dag.Header, person wire.PersonID) Row {
	return Row{
		Place: h.Place(), Person: person, Block: h.Block,
		ID: h.ContentID, Commit: h.ContentCommit, Time: h.Time,
		Split: !m.blocks.IsAncestor(h.Block, m.head),
		Twice: m.graph.Twins(h.Ref()) != nil,
		May:   powers(m.stateAt(h.Block), person),
	}
}

func (m *Machine) show(row Row, eff *Effects) {
	m.watch(row, eff)
	m.judge(&row, eff)
	eff.Rows = append(eff.Rows, row)
	eff.Notify = append(eff.Notify, RowChanged{row})
}
