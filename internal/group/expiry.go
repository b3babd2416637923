package group

import (
	"encoding/binary"
	"math"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Messages that disappear. How long a message lasts its author's device says in the
// content id, which the header carries: so everybody knows it who has the header, also
// who comes when nobody has the text any more, and nobody asks for it in vain.
//
// The time counts from the entry's order, which is signed, and at the latest from when
// the entry came here: an order that lies in the future lengthens nothing by more than
// that, but for a clock that is set meanwhile (expiryclock.go). When it is over the text
// goes like that of a deleted message (erase.go), and never comes back: it is asked for no
// more, and what comes all the same is shown to nobody, however the clock is set by then.
//
//	Expiry ── in force ──> id of a line ──> header, text ── order + lifetime ──> header

// A timed content id.
//
//	size field
//	4    random
//	4    lifetime, seconds, 1 to MaxLifetime
//	8    first bytes of H("lifetime", group, the 8 bytes before)
//
// An id that was drawn looks like one once in 2^71 times.
const timedSigned = 8

func timedTag(g wire.GroupID, id []byte) []byte {
	tag := wire.Hash(wire.HashLifetime, g[:], id[:timedSigned])
	return tag[:len(wire.ContentID{})-timedSigned]
}

// timedID draws the id of a content that lasts so many seconds.
func timedID(g wire.GroupID, seconds uint32) (id wire.ContentID) {
	copy(id[:], wire.Random(timedSigned/2))
	binary.BigEndian.PutUint32(id[timedSigned/2:], seconds)
	copy(id[timedSigned:], timedTag(g, id[:]))
	return id
}

// Lifetime returns how long a content lasts, in seconds; 0: for ever.
func Lifetime(g wire.GroupID, id wire.ContentID) uint32 {
	seconds := binary.BigEndian.Uint32(id[timedSigned/2:])
	if seconds == 0 || seconds > MaxLifetime || string(timedTag(g, id[:])) != string(id[timedSigned:]) {
		return 0
	}
	return seconds
}

// Ends returns when a message is over by its header, in ms; 0: never.
func Ends(g wire.GroupID, id wire.ContentID, order uint64) uint64 {
	if seconds := Lifetime(g, id); seconds != 0 {
		return order + uint64(seconds)*1000
	}
	return 0
}

// expiring is what is to go, and what is set for the messages to come.
type expiring struct {
	ends     endings
	due      uint64 // ms; when the next goes; 0: none
	settings map[dag.Ref]setting
	inForce  *uint32 // what they come to; nil: it is to be looked at
	seen     uint64  // ms; the clock as it is stored; 0: it is not
	away     bool    // since then the program did not run
}

type ending struct {
	at     uint64 // ms; 0: it is gone; never: it stays
	target Target
	most   uint64 // ms; where its order was ahead of the clock: when it goes at the latest by that; else 0
	kept   bool   // there is a record of it
}

// bytes is the record of an ending.
//
//	size field
//	8    ms when it goes; 0: it is gone; 2^64 - 1: it stays
//	80   what goes, as in a reaction
//	8    ms when it goes at the latest, where its order was ahead of the clock; else nothing
//
// That of no entry is 8 bytes: ms of the clock, see expiryclock.go.
func (e ending) bytes() []byte {
	var w wire.Writer
	w.U64(e.at)
	if e.target.write(&w); e.most != 0 {
		w.U64(e.most)
	}
	return w.Bytes()
}

// newID draws the id of a content that is written now. What is said about a message that
// disappears goes with it; that it was deleted, pinned or closed, and what is set, stays.
func (m *Machine) newID(now uint64, c Content) wire.ContentID {
	seconds := m.lifetime()
	of, about := c.About()
	switch {
	case c.Kind == ContentExpiry || c.Kind == ContentDelete || c.Kind == ContentPin || c.Kind == ContentClose || c.Kind == ContentOwn:
		seconds = 0
	case about:
		seconds = m.restOf(of, now)
	}
	if seconds == 0 {
		return wire.ContentID(wire.Random(len(wire.ContentID{})))
	}
	return timedID(m.group, seconds)
}

// restOf is how long a message still lasts, in seconds, the least if it is over; 0: for ever.
func (m *Machine) restOf(t Target, now uint64) uint32 {
	if m.gone.as(t)&erasedTimed != 0 {
		return 1
	}
	for _, e := range m.expiring.ends.of {
		if e.target == t {
			return uint32(max(1, (max(e.at, now)-now+999)/1000))
		}
	}
	return 0
}

// isOver reports whether the time of an entry is over, by its header.
func (m *Machine) isOver(h *dag.Header) bool {
	at := Ends(m.group, h.ContentID, h.Order)
	return at != 0 && at <= m.now
}

// watchEntry takes note of when an entry is to go that is kept now, whether it is shown or
// not: its text may be kept back, or come later.
func (m *Machine) watchEntry(h *dag.Header, person wire.PersonID, eff *Effects) {
	seconds := Lifetime(m.group, h.ContentID)
	if seconds == 0 {
		return
	}
	if e := m.endingOf(h.Order, seconds, Target{person, h.ContentID, h.ContentCommit}); e.at > m.now {
		m.keepEnding(h.Ref(), e, eff)
		m.expiring.due = m.soon(m.expiring.due, e.at)
	}
}

// endUnseen lets go what was over when it came and shows nothing.
func (m *Machine) endUnseen(h *dag.Header, person wire.PersonID, eff *Effects) {
	if m.isOver(h) {
		m.end(h.Ref(), Target{person, h.ContentID, h.ContentCommit}, eff)
	}
}

func (m *Machine) dropEnding(ref dag.Ref, eff *Effects) {
	if _, ok := m.expiring.ends.of[ref]; ok {
		m.expiring.ends.drop(ref)
		eff.drop(KindEnding, EntryKey(ref))
	}
}

// watch takes note of when a row is to go, before it is shown.
func (m *Machine) watch(row Row, eff *Effects) {
	ref := row.Place.Ref()
	if row.State == RowWithdrawn {
		m.dropEnding(ref, eff)
		m.dropSetting(ref, eff)
		return
	}
	seconds := Lifetime(m.group, row.ID)
	if seconds == 0 {
		return
	}
	if stays(row) {
		m.expiring.ends.drop(ref)
		eff.put(KindEnding, EntryKey(ref), ending{at: never, target: row.Target()}.bytes())
		return
	}
	e, here := m.expiring.ends.of[ref]
	if !here {
		e = m.endingOf(row.Place.Order, seconds, row.Target())
	}
	if e.at <= m.now || m.gone.as(e.target)&erasedTimed != 0 {
		m.end(ref, e.target, eff)
		return
	}
	m.keepEnding(ref, e, eff)
	m.expiring.due = m.soon(m.expiring.due, e.at)
}

func (m *Machine) keepEnding(ref dag.Ref, e ending, eff *Effects) {
	if !e.kept {
		eff.put(KindEnding, EntryKey(ref), e.bytes())
	}
	e.kept = true
	m.expiring.ends.set(ref, e)
}

// never is when what stays goes.
const never = math.MaxUint64

// stays reports whether a row never goes, whatever its id says: who comes later would not
// hear of what it did.
func stays(row Row) bool {
	if row.State != RowShown {
		return false
	}
	c, err := ParseContent(row.Content)
	return err == nil && (c.Kind == ContentDelete || c.Kind == ContentExpiry)
}

// endDue lets go what is over.
func (m *Machine) endDue(now uint64, eff *Effects) {
	defer m.keepSeen(now, eff)
	if !isDue(m.expiring.due, now) {
		return
	}
	ends := &m.expiring.ends
	next, some := ends.first()
	for ; some && next.at <= now; next, some = ends.first() {
		of := ends.of[next.ref].target
		m.end(next.ref, of, eff)
		eff.Deleted = append(eff.Deleted, Deletion{Target: of, Timed: true})
	}
	m.expiring.due = next.at
	for _, ref := range ends.fresh {
		if e, here := ends.of[ref]; here {
			m.keepEnding(ref, e, eff)
		}
	}
	ends.fresh = nil
}

// end forgets what a message said, with all copies of it.
func (m *Machine) end(ref dag.Ref, t Target, eff *Effects) {
	m.expiring.ends.drop(ref)
	eff.put(KindEnding, EntryKey(ref), ending{target: t}.bytes())
	eff.drop(KindCipher, EntryKey(ref))
	m.gone.put(t, erasedTimed)
	m.unask(ref, eff)
	m.unaskAll(t, anywhere, eff)
	m.eraseOwn(t, anywhere, eff)
	m.eraseLate(t, anywhere, eff)
}

// ending takes what is stored of the end of an entry.
func (l *loading) ending(rec Record) error {
	if len(rec.Key) == 0 {
		return l.seen(rec.Value)
	}
	ref, err := refKey(rec.Key)
	if err != nil {
		return err
	}
	r := wire.NewReader(rec.Value)
	e := ending{at: r.U64(), target: readTarget(r), kept: true}
	if r.Len() > 0 {
		e.most = r.U64()
	}
	l.endings[ref] = true
	switch e.at {
	case 0:
		l.m.gone.put(e.target, erasedTimed)
	case never:
	default:
		l.m.expiring.ends.set(ref, e)
		l.m.expiring.due = 1
	}
	return r.Done()
}

// endEndings is done after the entries: what a program left that did not know what a content
// id may say. What is over by now goes at the first step, and the rest is recorded then, since a
// later start may not read these headers.
func (l *loading) endEndings() {
	m := l.m
	l.endSettings()
	for _, h := range slices.Concat(l.entries, l.before) {
		at, ref := Ends(m.group, h.ContentID, h.Order), h.Ref()
		if at == 0 || l.endings[ref] {
			continue
		}
		who, _, _ := m.authorAt(h)
		m.expiring.ends.set(ref, ending{at: at, target: Target{who, h.ContentID, h.ContentCommit}})
		m.expiring.ends.fresh = append(m.expiring.ends.fresh, ref)
		m.expiring.due = 1
	}
}
