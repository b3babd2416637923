package group

import (
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// How long messages last (expiry.go) is set by entries, and follows from the set of them.

// A setting is an Expiry of somebody who had a right to it.
type setting struct {
	place   Place
	target  Target
	seconds uint32
	block   wire.BlockHash // zero, with a store of before, where it is not known any more
}

// bytes is the record of a setting.
//
//	size field
//	4    seconds; 0: for ever
//	8    order
//	80   what set it, as in a reaction
//	32   block at which; homes from before do not have it
func (s setting) bytes() []byte {
	var w wire.Writer
	w.U32(s.seconds)
	w.U64(s.place.Order)
	s.target.write(&w)
	w.Raw(s.block[:])
	return w.Bytes()
}

// lifetime is what is in force: of the settings that no other one of a later block overrules
// the last in the order of display. Who was an admin and writes at a block from then overrules
// nobody who has set it since.
func (m *Machine) lifetime() uint32 {
	if m.expiring.inForce == nil {
		var seconds uint32
		if ranked := m.rankedSettings(); len(ranked) > 0 {
			seconds = m.expiring.settings[ranked[0]].seconds
		}
		m.expiring.inForce = &seconds
	}
	return *m.expiring.inForce
}

// rankedSettings are all of them, what is in force first, and then what would be if that
// were deleted, but for what it alone overrules.
func (m *Machine) rankedSettings() (ranked []dag.Ref) {
	blocks := make(map[wire.BlockHash]bool) // whether those of another overrule its own
	for _, s := range m.expiring.settings {
		blocks[s.block] = false
	}
	for older := range blocks {
		for newer := range blocks {
			blocks[older] = blocks[older] || older != newer && m.blocks.IsAncestor(older, newer)
		}
	}
	ranked = slices.Collect(maps.Keys(m.expiring.settings))
	slices.SortFunc(ranked, func(a, b dag.Ref) int {
		x, y := m.expiring.settings[a], m.expiring.settings[b]
		if over := blocks[x.block]; over != blocks[y.block] {
			if over {
				return 1
			}
			return -1
		}
		return ComparePlaces(y.place, x.place)
	})
	return ranked
}

func (m *Machine) setLifetime(ref dag.Ref, s setting, eff *Effects) {
	before := m.lifetime()
	m.expiring.settings[ref], m.expiring.inForce = s, nil
	eff.put(KindExpiry, EntryKey(ref), s.bytes())
	m.tellLifetime(before, eff)
}

// onExpiry takes a setting, if its author had a right to it.
func (m *Machine) onExpiry(row Row, c Content, eff *Effects) {
	b, err := c.Open()
	e, ok := b.(Expiry)
	if err != nil || !ok || row.May&MayArrange == 0 {
		return
	}
	m.setLifetime(row.Place.Ref(), setting{row.Place, row.Target(), e.Seconds, row.Block}, eff)
	m.offerSetting(row.Place.Ref(), row.Block, eff)
}

func (m *Machine) tellLifetime(before uint32, eff *Effects) {
	if now := m.lifetime(); now != before {
		eff.Notify = append(eff.Notify, LifetimeChanged{now})
	}
}

// unset takes back a setting that is deleted: who never got its text knows of none either.
func (m *Machine) unset(t Target, reaches func(wire.BlockHash) bool, eff *Effects) {
	before := m.lifetime()
	for ref, s := range m.expiring.settings {
		if s.target == t && reaches(s.block) {
			m.dropSetting(ref, eff)
		}
	}
	m.tellLifetime(before, eff)
}

func (m *Machine) dropSetting(ref dag.Ref, eff *Effects) {
	if _, ok := m.expiring.settings[ref]; ok {
		delete(m.expiring.settings, ref)
		m.expiring.inForce = nil
		eff.drop(KindExpiry, EntryKey(ref))
		eff.drop(KindSetting, EntryKey(ref))
		eff.drop(KindSalt, EntryKey(ref))
	}
}

func (l *loading) expiry(rec Record) error {
	ref, err := refKey(rec.Key)
	if err != nil {
		return err
	}
	r := wire.NewReader(rec.Value)
	s := setting{seconds: r.U32()}
	s.place = Place{Order: r.U64(), Device: ref.Device, Seq: ref.Seq, Hash: ref.Hash}
	s.target = readTarget(r)
	if r.Len() > 0 {
		r.Fixed(s.block[:])
	}
	l.m.expiring.settings[ref] = s
	return r.Done()
}

// endSettings looks up at which block it was set what a program stored that did not keep that.
func (l *loading) endSettings() {
	m := l.m
	for ref, s := range m.expiring.settings {
		if s.block == (wire.BlockHash{}) {
			s.block = m.blockOf(ref)
			m.expiring.settings[ref] = s
		}
	}
}
