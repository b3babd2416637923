package group

import (
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What this device wrote on a branch that lost stays where it is, for those who
// were members there. Who of the head's members has not got it gets it sealed
// again under the head, once: same content id, same commitment, so that it is one
// message. If somebody among them was no member when it was written, and this
// device has said nothing since that one came, its person is asked first; and so it is of
// whatever it wrote before it was itself removed and added again.

// An unsent entry is one of this device's own that may have to be sealed again.
//
//	size field
//	32   block it was written at
//	16   content id
//	32   salt
//	V    content
//	8    when it was written, ms; absent: not known
type unsent struct {
	block   wire.BlockHash
	id      wire.ContentID
	salt    [saltSize]byte
	content []byte
	time    uint64
}

func (u unsent) bytes() []byte {
	var w wire.Writer
	w.Raw(u.block[:])
	w.Raw(u.id[:])
	w.Raw(u.salt[:])
	w.Vec(u.content)
	if u.time != 0 {
		w.U64(u.time)
	}
	return w.Bytes()
}

func parseUnsent(b []byte) (u unsent, err error) {
	r := wire.NewReader(b)
	r.Fixed(u.block[:])
	r.Fixed(u.id[:])
	r.Fixed(u.salt[:])
	u.content = slices.Clone(r.Vec(MaxContent))
	if r.Len() > 0 {
		if u.time = r.U64(); u.time == 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	return u, r.Done()
}

// keepUnsent keeps what is needed to seal an own entry again.
func (m *Machine) keepUnsent(seq uint64, u unsent, eff *Effects) {
	if len(m.unsent) >= maxUnsent/2 {
		m.sweepUnsent(eff)
	}
	if len(m.unsent) >= maxUnsent {
		m.dropUnsent(m.unsentSeqs()[0], eff)
	}
	m.unsent[seq] = u
	eff.put(KindUnsent, heldKey(seq), u.bytes())
}

func (m *Machine) dropUnsent(seq uint64, eff *Effects) {
	delete(m.unsent, seq)
	eff.drop(KindUnsent, heldKey(seq))
}

func (m *Machine) unsentSeqs() []uint64 {
	list := make([]uint64, 0, len(m.unsent))
	for seq := range m.unsent {
		list = append(list, seq)
	}
	slices.Sort(list)
	return list
}

// sweepUnsent forgets what every other member at the head has. Who lacked one entry is looked at first
// for the next: of a thousand members one who is away is enough to keep them all.
func (m *Machine) sweepUnsent(eff *Effects) {
	members, slowest := m.state().Members(), 0
	for _, seq := range m.unsentSeqs() {
		u := m.unsent[seq]
		if !m.blocks.IsAncestor(u.block, m.head) {
			continue
		}
		has := m.having(seq, u)
		if has(members[slowest]) {
			slowest = slices.IndexFunc(members, func(who chain.Member) bool { return !has(who) })
		}
		if slowest < 0 {
			slowest = 0
			m.dropUnsent(seq, eff)
		}
	}
}

// lacking returns the other people at the head none of whose devices has an own
// entry: none acknowledged it as a member of the block it was written at, or all keep
// it back.
func (m *Machine) lacking(seq uint64, u unsent) (list []wire.PersonID) {
	has := m.having(seq, u)
	for _, who := range m.state().Members() {
		if !has(who) {
			list = append(list, who.Person)
		}
	}
	return list
}

// having tells of each person at the head whether they have an own entry, as lacking does.
func (m *Machine) having(seq uint64, u unsent) func(chain.Member) bool {
	at, own, late := m.stateAt(u.block), m.self.Device.ID(), m.keptBack(seq, u)
	return func(who chain.Member) bool {
		return who.Person == m.self.Person || !late && slices.ContainsFunc(who.Devices, func(d chain.Device) bool {
			return at.Belongs(d.ID) && m.covers(d.ID, own, seq)
		})
	}
}

// keptBack reports whether others keep an own entry back, since it is beyond the cut of a
// removal of this device (quarantine.go).
func (m *Machine) keptBack(seq uint64, u unsent) bool {
	_, late := m.lateBy(m.self.Person, m.self.Device.ID(), seq, u.block)
	return late
}

// split returns the own entries of branches that lost, and those that others keep back,
// oldest first.
func (m *Machine) split() (list []uint64) {
	for _, seq := range m.unsentSeqs() {
		if u := m.unsent[seq]; !m.blocks.IsAncestor(u.block, m.head) || m.keptBack(seq, u) {
			list = append(list, seq)
		}
	}
	return list
}

// A question is what is to be asked of this device's person, as long as nothing that
// decides it has changed.
type question struct {
	head, spoke wire.BlockHash
	heard       uint64
	entries     int
	seqs        []uint64
	people      []wire.PersonID
}

// unasked returns what is to be asked now.
func (m *Machine) unasked() ([]uint64, []wire.PersonID) {
	if len(m.unsent) == 0 {
		return nil, nil
	}
	q := &m.question
	if q.head != m.head || q.spoke != m.spoke || q.heard != m.heard || q.entries != len(m.unsent) {
		*q = question{head: m.head, spoke: m.spoke, heard: m.heard, entries: len(m.unsent)}
		q.seqs, q.people = m.ask()
	}
	return q.seqs, q.people
}

// questions returns how many own messages wait for this device's person to say whether
// those get them who came later, and who these are: of a branch that lost, and such
// as a removal held up.
func (m *Machine) questions() (messages int, people []wire.PersonID) {
	seqs, people := m.unasked()
	messages = len(seqs)
	if from := m.heldFrom(); len(from) > 0 {
		messages += len(m.held)
		people = slices.Concat(people, from)
		slices.SortFunc(people, comparePerson)
		people = slices.Compact(people)
	}
	return messages, people
}

// ask returns the own entries of branches that lost which somebody would read
// who was no member when they were written, and whom this device's person may not
// have had in mind, or anybody at all if this device's person was removed since; and
// those people.
func (m *Machine) ask() (seqs []uint64, people []wire.PersonID) {
	if !m.state().Belongs(m.self.Device.ID()) {
		return nil, nil // once it is in again
	}
	for _, seq := range m.split() {
		u, ask := m.unsent[seq], false
		before := m.stateAt(u.block)
		for _, person := range m.lacking(seq, u) {
			then, _ := before.Person(person)
			now, _ := m.state().Person(person)
			if !m.removedSince(u.block) && (then.Instance == now.Instance || m.seenComing(person)) {
				continue
			}
			ask = true
			if !slices.Contains(people, person) {
				people = append(people, person)
			}
		}
		if ask {
			seqs = append(seqs, seq)
		}
	}
	slices.SortFunc(people, comparePerson)
	return seqs, people
}

// removedSince reports whether this device's person was removed, or left, after a block, and
// came again: of what it said there it may think otherwise by now, whoever reads it.
func (m *Machine) removedSince(block wire.BlockHash) bool {
	return slices.ContainsFunc(m.register().gone[m.self.Person], func(gone departure) bool {
		return gone.of(m.self.Device.ID()) && !m.blocks.IsAncestor(gone.block, block)
	})
}

// asksOfRemoved reports whether something that is asked about is from before this device's
// person was removed.
func (m *Machine) asksOfRemoved() bool {
	seqs, _ := m.unasked()
	return slices.ContainsFunc(seqs, func(seq uint64) bool { return m.removedSince(m.unsent[seq].block) })
}

// seenComing reports whether this device's person added somebody, or has said
// something since.
func (m *Machine) seenComing(person wire.PersonID) bool {
	came := m.register().came[person]
	return came.by == m.self.Person || m.spoke != (wire.BlockHash{}) && m.blocks.IsAncestor(came.block, m.spoke)
}

// resendErrands seals again what needs no question.
func (m *Machine) resendErrands() []errand {
	list := m.split()
	if asked, _ := m.unasked(); len(asked) == len(list) {
		return nil
	}
	return []errand{{name: errandName{kind: errandResend}, wait: resendAfter, do: m.resendQuietly}}
}

func (m *Machine) resendQuietly(now uint64, eff *Effects) error {
	asked, _ := m.unasked()
	for _, seq := range m.split() {
		if slices.Contains(asked, seq) {
			continue
		}
		if err := m.resendOne(now, seq, eff); err != nil {
			return err
		}
	}
	return nil
}

var errPending = errors.New("group: a removal is to be carried over first")

// resendOne seals an own entry again under the head, if anybody there lacks it.
func (m *Machine) resendOne(now, seq uint64, eff *Effects) error {
	if len(m.pending()) > 0 {
		return errPending
	}
	u := m.unsent[seq]
	if len(m.lacking(seq, u)) > 0 {
		h, err := m.sealEntry(now, u, eff)
		if err != nil {
			return err
		}
		row := m.row(h, m.self.Person) // of the same message: when that is deleted the copy goes, too
		row.State, row.Content = RowShown, u.content
		m.show(row, eff)
		m.parts.due = true // which of the own entries are copies is not stored
	}
	m.dropUnsent(seq, eff)
	return nil
}

// resend is the person's answer to whether those who came later get what was
// written before.
func (m *Machine) resend(now uint64, c Resend, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	seqs, _ := m.unasked()
	held := len(m.heldFrom()) > 0
	if len(seqs) == 0 && !held {
		return refuse(ReasonNothing, nil)
	}
	if c.Yes && len(m.pending()) > 0 {
		return refuse(ReasonPending, nil)
	}
	if held {
		m.decideHeld(now, c.Yes, eff)
	}
	for _, seq := range seqs {
		if !c.Yes {
			m.dropUnsent(seq, eff)
			continue
		}
		if m.resendOne(now, seq, eff) != nil {
			break
		}
	}
	eff.Notify = append(eff.Notify, ResendChanged{})
	return nil
}

// newestSaid returns the block of the newest own entry that is no copy of an earlier one.
func newestSaid(own []*dag.Header) (at wire.BlockHash) {
	slices.SortFunc(own, func(a, b *dag.Header) int { return int(int64(a.Seq) - int64(b.Seq)) })
	said := make(map[wire.ContentID]bool)
	for _, h := range own {
		if !said[h.ContentID] {
			said[h.ContentID], at = true, h.Block
		}
	}
	return at
}
