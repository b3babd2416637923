package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// saltSize is the length of the random bytes in front of a content, under
// which content_commit hides it (docs/spec/entry.md).
const saltSize = 32

// compose writes an entry: the log position first, then the ciphertext over a
// header that is complete but for what the ciphertext decides.
func (m *Machine) compose(now uint64, c Compose, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	if _, err := ParseContent(c.Content.Bytes()); err != nil {
		return refuse(ReasonContent, err)
	}
	e := m.epochs[m.head]
	device := m.self.Device.ID()
	at := m.graph.Next(device, now)
	salt := [saltSize]byte(wire.Random(saltSize))
	content := c.Content.Bytes()
	h := &dag.Header{
		Version: dag.Version, Suite: m.state().Suite(), SigAlg: wire.SigEd25519, Group: m.group,
		Device: device, Seq: at.Seq, Prev: at.Prev, Parents: at.Parents, Block: m.head,
		Lamport: at.Lamport, Order: at.Order, Time: now,
		ContentID: wire.ContentID(wire.Random(len(wire.ContentID{}))),
	}
	h.ContentCommit = dag.ContentCommit(m.group, device, h.ContentID, salt, content)
	plain := append(salt[:], content...)
	aad := h.AAD()
	ciphertext, err := e.secret.Encrypt(e.ratchets, m.self.Device, aad[:], plain, dag.PaddedSize(len(plain))-len(plain))
	if err != nil {
		return refuse(ReasonNoKeys, err)
	}
	h.CiphertextHash = dag.CiphertextHash(ciphertext)
	h.Length = uint32(len(ciphertext))
	h.Sign(m.self.Device.Sign)
	if _, err := m.graph.Add(h); err != nil {
		return refuse(ReasonStored, err)
	}
	m.keepEntry(h, ciphertext, eff)
	m.keepRatchets(m.head, e, eff)
	m.keepTip(h)
	row := m.row(h, m.self.Person)
	row.State, row.Content, row.Client = RowShown, content, c.Client
	m.show(row, eff)
	m.push(h, ciphertext, wire.DeviceID{}, eff)
	m.ackDue = m.soon(m.ackDue, now+ackEvery)
	m.digestDue = m.soon(m.digestDue, now+digestAfter)
	return nil
}

// push sends an entry at once to every member's device that is connected and
// has named the group; its header alone to one that is parked.
func (m *Machine) push(h *dag.Header, ciphertext []byte, from wire.DeviceID, eff *Effects) {
	whole := entriesFrame{[]Packed{{h.Bytes(), ciphertext}}, entriesPushed}.bytes()
	bare := entriesFrame{[]Packed{{h.Bytes(), nil}}, entriesPushed}.bytes()
	at := m.stateAt(h.Block)
	for _, d := range m.connected(true) {
		switch {
		case d == from || d == h.Device:
		case at.Active(d):
			eff.send(d, whole)
		default:
			eff.send(d, bare)
		}
	}
}

func (m *Machine) keepEntry(h *dag.Header, ciphertext []byte, eff *Effects) {
	key := EntryKey(h.Ref())
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
	}
}

func (m *Machine) show(row Row, eff *Effects) {
	eff.Rows = append(eff.Rows, row)
	eff.Notify = append(eff.Notify, RowChanged{row})
}
