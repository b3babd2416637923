package chain

import (
	"fmt"
	"slices"
)

// hear returns what may be heard of an era up to a round, by what a voter makes
// of it: of those where the same is settled, reached, certified, and said by the
// speaker, one that needs the fewest blocks.
func (f *forum) hear(e *era, s speech, upTo uint64) ([]rumour, error) {
	if upTo == 0 {
		return []rumour{{named: 1, settled: e.start}}, nil
	}
	s = f.part(s, func(b *ballot) bool { return b.Era == e.start.Hash && b.Round <= upTo })
	at := place{e, upTo, s}
	if list, ok := f.rumours[at]; ok {
		return list, nil
	}
	before, err := f.hear(e, s, upTo-1)
	if err != nil {
		return nil, err
	}
	var list []rumour
	known := map[string]bool{}
	for _, h := range before {
		for _, o := range f.outline(e, upTo, f.part(s, func(b *ballot) bool { return b.Round == upTo })) {
			x := f.tallied(e, h.votes.and(o))
			if c := x.conflict; c != nil {
				return nil, fmt.Errorf("%s and %s are both settled", f.scene.name(c.Blocks[0]), f.scene.name(c.Blocks[1]))
			}
			h := rumour{h.votes.and(o), h.named | f.named(o), x.settled}
			if key := f.sense(x, upTo == f.rounds) + fmt.Sprint(h.named); !known[key] {
				known[key] = true
				list = append(list, h)
			}
		}
	}
	f.rumours[at] = list
	return list, nil
}

// sense tells apart what is heard of an era by all that a voter may make of it;
// before the last round that includes what a later vote of a speaker may name.
func (f *forum) sense(x *era, last bool) string {
	round, cert := x.certificate()
	spoken := f.spoken(x) + 1
	key := []byte{byte(f.index(x.settled)), byte(x.base), byte(x.reached()), byte(spoken >> 8), byte(spoken), byte(round), byte(f.index(cert))}
	for _, r := range x.rounds {
		for k, name := range f.scene.order {
			if !last && len(r.certs) > 0 && r.certifies(x, f.scene.by[name]) {
				key = append(key, byte(r.number), byte(k))
			}
		}
	}
	return string(key)
}

// part returns the votes of which keep says so.
func (f *forum) part(s speech, keep func(*ballot) bool) (p speech) {
	for _, id := range s.ids() {
		if keep(f.cast[id]) {
			p = p.with(id)
		}
	}
	return p
}

// tallied returns the era with these of its votes.
func (f *forum) tallied(e *era, s speech) *era {
	x := newEra(e.start, e.off)
	for _, id := range s.ids() {
		x.put(f.cast[id])
	}
	x.judge(x.start, func() voterSet { return 0 })
	x.trim()
	return x
}

func (f *forum) named(s speech) uint16 {
	named := uint16(1)
	for _, id := range s.ids() {
		for n := f.cast[id].block; n != nil; n = n.parent {
			named |= 1 << f.index(n)
		}
	}
	return named
}

// spoken returns which vote of the speaker others follow, or -1.
func (f *forum) spoken(x *era) int {
	r := x.round(x.reached() + 1)
	if r == nil {
		return -1
	}
	b := booth{votes: &Votes{settled: x.settled}, era: x, round: r.number, voter: -1}
	said := b.spoken(&Voter{off: f.off})
	if said == nil {
		return -1
	}
	return f.id(said.Vote)
}

// outline returns what may be heard of a round, of all that comes to the same
// one.
func (f *forum) outline(e *era, round uint64, said speech) []speech {
	at := place{e, round, said}
	if list, ok := f.outlines[at]; ok {
		return list
	}
	var list []speech
	known := map[string]bool{}
	honest := said.ids()
	lies := f.pairs(f.part(f.lies, func(b *ballot) bool { return b.Era == e.start.Hash && b.Round == round }).ids())
	for subset := range 1 << len(honest) {
		var s speech
		for k, id := range honest {
			if subset>>k&1 == 1 {
				s = s.with(id)
			}
		}
		for _, pair := range lies {
			key := f.gist(e, round, s.and(pair))
			if !known[key] {
				known[key] = true
				list = append(list, s.and(pair))
			}
		}
	}
	f.outlines[at] = list
	return list
}

// pairs returns all sets of up to two.
func (f *forum) pairs(ids []int) []speech {
	list := []speech{{}}
	for i, a := range ids {
		list = append(list, speech{}.with(a))
		for _, b := range ids[:i] {
			list = append(list, speech{}.with(a).with(b))
		}
	}
	return list
}

// gist tells sets of votes of one round apart by what follows from them.
func (f *forum) gist(e *era, number uint64, s speech) string {
	x := f.tallied(e, s)
	r := x.round(number)
	if r == nil {
		return ""
	}
	if r.voters.len() < e.quorum() {
		speaker := int(number) % len(e.voters)
		if said := x.of(speaker); Faults(len(e.voters)) > 0 && len(said) == 1 {
			return fmt.Sprint("speaker ", f.id(said[0].Vote))
		}
		return ""
	}
	key := fmt.Sprint(f.named(s))
	for _, name := range f.scene.order {
		n := f.scene.by[name]
		key += fmt.Sprint(" ", r.certifies(x, n), slices.ContainsFunc(r.settles, func(y *node) bool { return below(n, y) }))
	}
	return key
}
