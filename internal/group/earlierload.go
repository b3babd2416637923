package group

import (
	"cmp"
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// record is what is known of how much there is.
//
//	size field
//	1    1: enough members have acknowledged what the floor led to
//	V    persons who say that what is wanted is older than the policy gives, ascending, 32 each
func (e *earlier) record() Record {
	var w wire.Writer
	w.Bool(e.proved)
	w.Group(func(w *wire.Writer) {
		for _, p := range slices.SortedFunc(maps.Keys(e.ended), comparePerson) {
			w.Raw(p[:])
		}
	})
	return Record{KindEarlier, nil, w.Bytes()}
}

func (l *loading) earlierKnown(r *wire.Reader) error {
	e := &l.m.earlier
	e.proved = r.Bool()
	r.Each(32*dag.MaxDevices, dag.MaxDevices, func(r *wire.Reader) {
		var p wire.PersonID
		r.Fixed(p[:])
		e.ended[p] = true
	})
	return r.Done()
}

func (l *loading) earlier(rec Record) error {
	if len(rec.Key) == 0 {
		return l.earlierKnown(wire.NewReader(rec.Value))
	}
	h, err := dag.ParseHeader(rec.Value)
	l.before = append(l.before, h)
	return err
}

func (l *loading) lacking(rec Record) error {
	ref, err := refKey(rec.Key)
	l.m.earlier.lacking[ref] = true
	return err
}

// endLacking passes over what would be asked for for ever, of entries that were taken back.
func (l *loading) endLacking() {
	before := make(map[dag.Ref]bool, len(l.before))
	for _, h := range l.before {
		before[h.Ref()] = true
	}
	for _, ref := range slices.SortedFunc(maps.Keys(l.m.earlier.lacking), dag.Ref.Compare) {
		if _, late := l.m.late[ref]; !late && !before[ref] && !l.m.graph.Has(ref) && l.m.waiting[ref] == nil {
			delete(l.m.earlier.lacking, ref)
			l.m.leftovers = append(l.m.leftovers, leftover{KindLacking, ref})
		}
	}
}

// endEarlier takes in the headers from below the floor, each after one that names it.
func (l *loading) endEarlier() {
	m := l.m
	if m.beginEarlier(); len(l.before) > 0 && m.earlier.past == nil {
		m.earlier.past = dag.NewPast(m.graph)
	}
	if m.earlier.past == nil {
		return
	}
	slices.SortFunc(l.before, func(a, b *dag.Header) int { return cmp.Compare(b.Order, a.Order) })
	for _, h := range l.before {
		if m.earlier.past.Add(h) != nil {
			continue // of an earlier membership
		}
		author, _, ok := m.authorAt(h)
		m.vouchEarlier(h, !ok || m.isLateEarlier(h, author))
	}
}
