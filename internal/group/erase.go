package group

import (
	"slices"

	"kith/internal/chain"
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
	Annotation bool // it is an edit
	Timed      bool // its time is over: it goes, whatever it is
}

// erased says as what a message was deleted. Its author may call it an edit in one Delete,
// which it is not: that keeps nobody from deleting it as what it is.
type erased uint8

const (
	erasedLine erased = 1 << iota
	erasedEdit
	erasedTimed // its time was over, see expiry.go
)

func (d Deletion) as() erased {
	if d.Annotation {
		return erasedEdit
	}
	return erasedLine
}

// powers returns what a person may do to the messages of others at a block.
func powers(at *chain.State, person wire.PersonID) Powers {
	switch {
	case at == nil:
		return 0
	case at.DirectChat():
		return MayArrange
	case at.IsAdmin(person):
		return MayRemove | MayArrange
	}
	return 0
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

// mayAnnotate refuses what would change nothing for anybody.
func (m *Machine) mayAnnotate(c Content) error {
	of, about := c.About()
	if !about {
		return nil
	}
	mine, may := of.Person == m.self.Person, powers(m.state(), m.self.Person)
	switch c.Kind {
	case ContentEdit, ContentClose:
		if !mine {
			return refuse(ReasonAuthor, nil)
		}
	case ContentDelete:
		if !mine && may&MayRemove == 0 {
			return refuse(ReasonRole, nil)
		}
	case ContentPin:
		if may&MayArrange == 0 {
			return refuse(ReasonRole, nil)
		}
	}
	return nil
}

// judge looks at what a row says before it is shown: that of a deleted message goes,
// and a Delete is done.
func (m *Machine) judge(row *Row, eff *Effects) {
	ref := row.Place.Ref()
	gone := m.deleted[row.Target()]
	if row.State == RowUnreadable && gone != 0 {
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
	case c.Kind == ContentEdit && m.deleted[of]&(erasedLine|erasedTimed) != 0: // which its deleter had not seen: others may still lack it
		row.State, row.Content = RowDeleted, nil
	}
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
		m.dropHollow(ref, eff)
		m.acked, m.ackDue = wire.Digest{}, m.soon(m.ackDue, m.now+ackEvery)
	}
	if m.missed[ref] {
		m.dropMissed(ref, eff)
	}
	if m.earlier.lacking[ref] { // no row is there by which the store finds it
		m.dropLacking(ref, eff)
		eff.drop(KindCipher, EntryKey(ref))
	}
}

// onDelete takes a Delete: at once, or when what it refers to is here.
func (m *Machine) onDelete(ref dag.Ref, row Row, c Content, eff *Effects) {
	b, err := c.Open()
	d, ok := b.(Delete)
	if err != nil || !ok || d.Of.Person != row.Person && row.May&MayRemove == 0 {
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
func (m *Machine) erase(d Delete, eff *Effects) {
	for _, gone := range d.deletions() {
		if m.deleted[gone.Target]&gone.as() != 0 {
			continue
		}
		m.deleted[gone.Target] |= gone.as()
		eff.Deleted = append(eff.Deleted, gone)
		for _, ref := range m.blank[gone.Target] {
			m.unask(ref, eff)
		}
		delete(m.blank, gone.Target)
		m.eraseOwn(gone.Target, eff)
		m.eraseLate(gone.Target, eff)
		if !gone.Annotation {
			m.unset(gone.Target, eff)
		}
	}
}

func (d Delete) deletions() []Deletion {
	list := []Deletion{{Target: d.Of}}
	for _, v := range d.Versions {
		list = append(list, Deletion{Target: v.Of(d.Of.Person), Annotation: true})
	}
	return list
}

// eraseOwn forgets an own message that was kept to be sealed, or said, again.
func (m *Machine) eraseOwn(t Target, eff *Effects) {
	if t.Person != m.self.Person {
		return
	}
	for _, seq := range m.unsentSeqs() {
		u := m.unsent[seq]
		if u.id == t.ID && dag.ContentCommit(m.group, m.self.Device.ID(), u.id, u.salt, u.content) == t.Commit {
			m.dropUnsent(seq, eff)
		}
	}
	for _, d := range m.doubted() {
		if u := m.doubts.of[d]; u.id == t.ID && dag.ContentCommit(m.group, d.device, u.id, u.salt, u.content) == t.Commit {
			m.dropDoubt(d, eff)
		}
	}
}

// eraseLate takes the text from an entry that is kept back.
func (m *Machine) eraseLate(t Target, eff *Effects) {
	for ref, p := range m.late {
		h, err := dag.ParseHeader(p.Header)
		if err != nil || h.ContentID != t.ID || h.ContentCommit != t.Commit || m.authorOf(h) != t.Person {
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
	return m.deleted[Target{author, h.ContentID, h.ContentCommit}] != 0 || m.isOver(h)
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
		if m.waiting[s.ref] != nil {
			m.deleting[s.ref] = s.delete
			continue
		}
		for _, gone := range s.delete.deletions() {
			m.deleted[gone.Target] |= gone.as()
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
