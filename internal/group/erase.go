package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// A Delete that its author had a right to takes the content of a message, its
// ciphertext and what was kept of it to hand over away from this device, for good;
// headers stay, and the log has no hole. It does so once all that the Delete refers to
// is here: a claim of its that proves false until then takes it back.
//
// Who has deleted a message gives its header alone. So what a Delete names is
// remembered: of that nothing but a header is asked for any more, whichever comes
// first. A Delete takes away messages, and the edits that it names, and nothing else:
// neither another Delete, which others may still lack, nor a reaction.

// A Deletion is a message that is to go, with all copies of it.
type Deletion struct {
	Target
	Annotation bool             // it is an edit
	Timed      bool             // its time is over: it goes, whatever it is
	Beyond     []wire.BlockHash // it stays if all copies were written there: who deletes it had no right to that, see powers.go
}

func (d Deletion) as() erased {
	if d.Annotation {
		return erasedEdit
	}
	return erasedLine
}

// sort shows rows anew that a program stored which did not know what they say.
func (m *Machine) sort(rows []Row, eff *Effects) {
	for _, r := range rows {
		if _, err := ParseContent(r.Content); r.State == RowShown && err != nil {
			r.State, r.Content = RowDamaged, nil
		}
		r.May = powers(m.stateAt(r.Block), r.Person)
		m.show(r, eff)
	}
}

// judge looks at what a row says before it is shown: that of a deleted message goes,
// and a Delete is done.
func (m *Machine) judge(row *Row, eff *Effects) {
	ref := row.Place.Ref()
	gone := m.goneAs(row.Target(), row.Block)
	defer func() { m.confirmGone(*row, gone, eff) }()
	if gone != 0 && (row.State == RowUnreadable || row.State == RowDamaged) {
		m.strip(row, ref, eff)
		row.Annotation = gone == erasedEdit
		return
	}
	if row.State != RowShown {
		return
	}
	c, err := ParseContent(row.Content)
	if err != nil {
		return
	}
	of, about := c.About()
	row.Annotation = about
	switch {
	case c.Kind == ContentDelete:
		m.onDelete(ref, *row, c, eff)
	case c.Kind == ContentExpiry && gone&erasedLine == 0: // whatever its id says
		m.onExpiry(*row, c, eff)
	case gone&erasedTimed != 0, gone&erasedLine != 0 && !about, gone&erasedEdit != 0 && c.Kind == ContentEdit:
		m.strip(row, ref, eff)
	case c.Kind == ContentEdit && m.goneAs(of, row.Block)&(erasedLine|erasedTimed) != 0: // which its deleter had not seen: others may still lack it
		row.State, row.Content = RowDeleted, nil
	}
}

// confirmGone takes note that a power reached one copy of a message, so that all copies go.
func (m *Machine) confirmGone(row Row, as erased, eff *Effects) {
	t := row.Target()
	if as == 0 || row.State != RowDeleted || m.gone.as(t) != 0 {
		return
	}
	m.gone.put(t, as)
	eff.Deleted = append(eff.Deleted, Deletion{Target: t, Annotation: row.Annotation})
}

// strip takes from a row, and from what this step writes, what it says.
func (m *Machine) strip(row *Row, ref dag.Ref, eff *Effects) {
	row.State, row.Content = RowDeleted, nil
	key := EntryKey(ref)
	eff.Write = slices.DeleteFunc(eff.Write, func(r Record) bool {
		return (r.Kind == KindCipher || r.Kind == KindShelved || r.Kind == KindSalt) && string(r.Key) == string(key)
	})
	eff.drop(KindCipher, key)
	eff.drop(KindShelved, key)
	eff.drop(KindSalt, key)
	delete(m.shelf[row.Block], ref)
	m.unask(ref, eff)
}

// unask gives up what a deleted message said.
func (m *Machine) unask(ref dag.Ref, eff *Effects) {
	if m.hollow[ref] {
		m.endHollow(ref, eff)
	}
	m.dropMissed(ref, eff)
	if m.earlier.lacking[ref] { // no row is there by which the store finds it
		m.dropLacking(ref, eff)
		eff.drop(KindCipher, EntryKey(ref))
	}
}

// A deleting is a Delete, and by what its author may do what it says: zero of its own
// messages.
type deleting struct {
	Delete
	by power
}

// deletingBy returns a Delete that somebody wrote at a block; false if it had no right to that.
func (m *Machine) deletingBy(d Delete, person wire.PersonID, block wire.BlockHash) (deleting, bool) {
	if d.Of.Person == person {
		return deleting{Delete: d}, true
	}
	return deleting{d, power{person, block}}, powers(m.stateAt(block), person)&MayRemove != 0
}

// onDelete takes a Delete: at once, or when what it refers to is here.
func (m *Machine) onDelete(ref dag.Ref, row Row, c Content, eff *Effects) {
	b, err := c.Open()
	body, ok := b.(Delete)
	if err != nil || !ok {
		return
	}
	d, may := m.deletingBy(body, row.Person, row.Block)
	if !may {
		return
	}
	eff.put(KindDeletion, EntryKey(ref), c.Body)
	if row.Waiting {
		m.deleting[ref] = d
		return
	}
	m.erase(d, eff)
}

// erase does what a Delete says.
func (m *Machine) erase(d deleting, eff *Effects) {
	reaches := anywhere
	var beyond []wire.BlockHash
	if d.by != (power{}) {
		reaches = func(written wire.BlockHash) bool { return m.extends(d.by, written) }
		beyond = m.beyond(d.by)
	}
	for _, gone := range d.deletions() {
		if !m.noteGone(gone, d.by) {
			continue
		}
		gone.Beyond = beyond
		eff.Deleted = append(eff.Deleted, gone)
		m.unaskAll(gone.Target, reaches, eff)
		m.eraseOwn(gone.Target, reaches, eff)
		m.eraseLate(gone.Target, reaches, eff)
		if !gone.Annotation {
			m.unset(gone.Target, reaches, eff)
		}
	}
}

func anywhere(wire.BlockHash) bool { return true }

// noteGone takes note of what is deleted: false if that is known.
func (m *Machine) noteGone(d Deletion, by power) bool {
	if by == (power{}) {
		return m.gone.put(d.Target, d.as())
	}
	return m.gone.as(d.Target)&d.as() == 0 && m.gone.putBy(d.Target, d.as(), by)
}

// unaskAll gives up what a message said that was written where reaches says.
func (m *Machine) unaskAll(t Target, reaches func(wire.BlockHash) bool, eff *Effects) {
	refs := m.blank[t]
	left := slices.DeleteFunc(slices.Clone(refs), func(r dag.Ref) bool { return reaches(m.blockOf(r)) })
	for _, r := range refs {
		if !slices.Contains(left, r) {
			m.unask(r, eff)
		}
	}
	if m.blank[t] = left; len(left) == 0 {
		delete(m.blank, t)
	}
}

// blockOf returns the block that an entry names which is here; zero: it is known by name only.
func (m *Machine) blockOf(ref dag.Ref) wire.BlockHash {
	if block, ok := m.graph.Block(ref); ok {
		return block
	}
	if h := m.waiting[ref]; h != nil {
		return h.Block
	}
	if m.earlier.past != nil {
		block, _ := m.earlier.past.Block(ref)
		return block
	}
	return wire.BlockHash{}
}

func (d Delete) deletions() []Deletion {
	list := []Deletion{{Target: d.Of}}
	for _, v := range d.Versions {
		list = append(list, Deletion{Target: v.Of(d.Of.Person), Annotation: true})
	}
	return list
}

// eraseOwn forgets an own message that was kept to be sealed, or said, again.
func (m *Machine) eraseOwn(t Target, reaches func(wire.BlockHash) bool, eff *Effects) {
	if t.Person != m.self.Person {
		return
	}
	for _, seq := range m.unsentSeqs() {
		u := m.unsent[seq]
		if u.id == t.ID && reaches(u.block) && dag.ContentCommit(m.group, m.self.Device.ID(), u.id, u.salt, u.content) == t.Commit {
			m.dropUnsent(seq, eff)
		}
	}
	for _, d := range m.doubted() {
		if u := m.doubts.of[d]; u.id == t.ID && reaches(u.block) && dag.ContentCommit(m.group, d.device, u.id, u.salt, u.content) == t.Commit {
			m.dropDoubt(d, eff)
		}
	}
}

// eraseLate takes the text from an entry that is kept back.
func (m *Machine) eraseLate(t Target, reaches func(wire.BlockHash) bool, eff *Effects) {
	for ref, p := range m.late {
		h, err := dag.ParseHeader(p.Header)
		if err != nil || h.ContentID != t.ID || h.ContentCommit != t.Commit || m.authorOf(h) != t.Person || !reaches(h.Block) {
			continue
		}
		p.Ciphertext = nil
		m.late[ref] = p
		eff.put(KindLate, EntryKey(ref), lateValue(p))
		eff.drop(KindCipher, EntryKey(ref))
	}
}

func (m *Machine) authorOf(h *dag.Header) wire.PersonID {
	at := m.stateAt(h.Block)
	if at == nil {
		return wire.PersonID{}
	}
	author, _, _ := at.Device(h.Device)
	return author.Person
}

// isDeleted reports whether nothing but the header of an entry is wanted.
func (m *Machine) isDeleted(h *dag.Header, author wire.PersonID) bool {
	return m.goneAs(Target{author, h.ContentID, h.ContentCommit}, h.Block) != 0 || m.isOver(h)
}

// noteBlank takes note of which message an entry is whose text is asked for.
func (m *Machine) noteBlank(h *dag.Header) {
	t := Target{m.authorOf(h), h.ContentID, h.ContentCommit}
	if ref := h.Ref(); !slices.Contains(m.blank[t], ref) {
		m.blank[t] = append(m.blank[t], ref)
	}
	if len(m.blank) > 2*(len(m.hollow)+len(m.missed)+len(m.earlier.lacking)+1) {
		m.sweepBlank()
	}
}

// sweepBlank forgets what is asked for no more.
func (m *Machine) sweepBlank() {
	for t, refs := range m.blank {
		refs = slices.DeleteFunc(refs, func(r dag.Ref) bool { return !m.hollow[r] && !m.missed[r] && !m.earlier.lacking[r] })
		if m.blank[t] = refs; len(refs) == 0 {
			delete(m.blank, t)
		}
	}
}

// settleDelete does a Delete that waited, and forgets one that is taken back.
func (m *Machine) settleDelete(ref dag.Ref, stands bool, eff *Effects) {
	d, waited := m.deleting[ref]
	if !waited {
		return
	}
	delete(m.deleting, ref)
	if !stands {
		eff.drop(KindDeletion, EntryKey(ref))
		return
	}
	m.erase(d, eff)
}

// A storedDelete is one as it was stored.
type storedDelete struct {
	ref    dag.Ref
	delete Delete
}

func (l *loading) deletion(rec Record) error {
	ref, err := refKey(rec.Key)
	if err != nil {
		return err
	}
	b, err := Content{ContentDelete, rec.Value}.Open()
	if err != nil {
		return err
	}
	l.deletes = append(l.deletes, storedDelete{ref, b.(Delete)})
	return nil
}

// endDeletions is done after the entries, which say what waits and what is asked for.
func (l *loading) endDeletions() error {
	m := l.m
	for _, s := range l.deletes {
		d, _ := m.deletingBy(s.delete, m.writer(s.ref), m.blockOf(s.ref)) // it had a right to it when it was stored
		if m.waiting[s.ref] != nil {
			m.deleting[s.ref] = d
			continue
		}
		for _, gone := range d.deletions() {
			m.noteGone(gone, d.by)
		}
	}
	blank := make(map[dag.Ref]bool)
	for _, set := range []map[dag.Ref]bool{m.hollow, m.missed, m.earlier.lacking} {
		for ref := range set {
			blank[ref] = true
		}
	}
	for _, h := range slices.Concat(l.entries, l.before) {
		if ref := h.Ref(); blank[ref] {
			m.noteBlank(h)
			delete(blank, ref)
		}
	}
	for _, ref := range sortedRefs(blank) { // of which a part says no more than where they stand
		h, err := l.header(ref)
		if err != nil {
			return err
		}
		if h != nil {
			m.noteBlank(h)
		}
	}
	return nil
}
