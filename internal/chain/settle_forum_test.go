package chain

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// A forum is a room (settle_messages_test.go) in which nobody remembers: what a
// device holds when it votes is any of the blocks, with their parents, and any of
// the votes that were cast so far, whatever it held before. Of itself it knows its
// last vote. That is more than can happen: who lost nothing holds one of these
// sets too. So a state is the set of votes that honest devices cast, and nothing
// else; in which order what came to whom need not be gone through. The liar says,
// at any time and to whom it likes, every vote that it can sign.
//
// Of one round, sets of votes of which the same follows stand for each other: what
// is certified, what is settled, which blocks must be held for it, what the
// speaker said; of the liar's votes of a round two are as good as all of them.
// TestForumCoversRooms compares with rooms, where each block and each vote comes by
// itself and stays.
type forum struct {
	picture string
	liar    int    // person; -1: nobody lies
	rounds  uint64 // of each era
	off     rule

	scene    *scene
	eras     []*era
	devices  []int // persons who do not lie and vote in some era
	cast     []*ballot
	ids      map[[250]byte]int
	lies     speech
	blocks   map[uint16]*Blocks
	held     map[holding]*Votes
	outlines map[place][]speech
	rumours  map[place][]rumour
	choices  map[choice]int
	seen     map[speech]*node // what is settled for who hears all, the liar too
	todo     []speech
}

// A speech is a set of votes, by index in cast.
type speech [4]uint64

func (s speech) has(id int) bool { return s[id/64]>>(id%64)&1 == 1 }

func (s speech) with(id int) speech {
	s[id/64] |= 1 << (id % 64)
	return s
}

func (s speech) and(o speech) speech {
	for i := range s {
		s[i] |= o[i]
	}
	return s
}

// ids lists what is in it.
func (s speech) ids() (list []int) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			list = append(list, 64*i+bits.TrailingZeros64(w))
		}
	}
	return list
}

// A place is the votes cast by honest devices in one round of one era; round 0 is
// all rounds.
type place struct {
	era   *era
	round uint64
	said  speech
}

// A holding is what a device holds when it votes.
type holding struct {
	blocks uint16 // by order in the scene
	votes  speech
}

// A rumour is what may be heard of one era.
type rumour struct {
	votes   speech
	named   uint16 // the blocks that must be held for it
	settled *node
}

func (f *forum) run() error {
	f.open()
	if err := f.visit(speech{}, f.eras[0].start); err != nil {
		return err
	}
	for len(f.todo) > 0 {
		s := f.todo[len(f.todo)-1]
		f.todo = f.todo[:len(f.todo)-1]
		if err := f.expand(s); err != nil {
			return fmt.Errorf("%w: %s", err, f.story(s))
		}
	}
	return nil
}

// visit notes a state that comes after one in which before was settled.
func (f *forum) visit(s speech, before *node) error {
	y, ok := f.seen[s]
	if !ok {
		var err error
		if y, err = f.all(s); err != nil {
			return err
		}
		f.seen[s] = y
		f.todo = append(f.todo, s)
	}
	if !below(before, y) {
		return fmt.Errorf("%s was settled, then %s", f.scene.names[before], f.scene.names[y])
	}
	return nil
}

// open draws the scene and lists all that the liar can say.
func (f *forum) open() {
	f.scene = play(f.picture)
	f.ids, f.seen, f.choices = map[[250]byte]int{}, map[speech]*node{}, map[choice]int{}
	f.blocks, f.held = map[uint16]*Blocks{}, map[holding]*Votes{}
	f.outlines, f.rumours = map[place][]speech{}, map[place][]rumour{}
	f.lies, f.cast, f.eras, f.devices = speech{}, nil, nil, nil
	for _, name := range f.scene.order {
		n := f.scene.by[name]
		if n.eraStart() != n {
			continue
		}
		e := newEra(n, f.off|ruleSignature)
		f.eras = append(f.eras, e)
		for i := range scenePeople {
			if _, ok := e.voter(sceneDevice(i)); ok && i != f.liar && !slices.Contains(f.devices, i) {
				f.devices = append(f.devices, i)
			}
		}
		if f.liar >= 0 {
			f.lie(e)
		}
	}
}

// lie collects what the liar can say in an era: in each round, for each block,
// from each source that may be one.
func (f *forum) lie(e *era) {
	if _, ok := e.voter(sceneDevice(f.liar)); !ok {
		return
	}
	for round := uint64(1); round <= f.rounds; round++ {
		for _, name := range f.scene.order {
			b := f.scene.by[name]
			if b != e.start && (!below(e.start, b) || b.parent.eraStart() != e.start) {
				continue
			}
			for from := range round {
				for x := b; x != nil && below(e.start, x); x = x.parent {
					if from > 0 || x == e.start {
						f.lies = f.lies.with(f.id(f.scene.vote(fmt.Sprintf("%d votes %s in %d from %s of %d era %s",
							f.liar, name, round, f.scene.names[x], from, f.scene.names[e.start]))))
					}
				}
			}
		}
	}
}

func (f *forum) id(v *Vote) int {
	key := [250]byte(v.Marshal())
	id, ok := f.ids[key]
	if !ok {
		id = len(f.cast)
		if id == 64*len(speech{}) {
			panic("more votes than a speech has bits for")
		}
		e := f.eras[slices.IndexFunc(f.eras, func(e *era) bool { return e.start.Hash == v.Era })]
		voter, _ := e.voter(v.Device)
		by := f.scene.blocks.by
		f.cast = append(f.cast, &ballot{v, v.Hash(), voter, by[v.Block], by[v.Source.Block]})
		f.ids[key] = id
	}
	return id
}

// expand checks a state and visits what may come next.
func (f *forum) expand(s speech) error {
	all := f.seen[s]
	holdings, err := f.holdings(s)
	if err != nil {
		return err
	}
	last := f.last(s)
	for _, h := range holdings {
		if y := f.node(f.votes(h).Settled()); !below(y, all) {
			return fmt.Errorf("who hears less settles %s, who hears all %s", f.scene.names[y], f.scene.names[all])
		}
		for _, i := range f.devices {
			if id := f.decide(choice{h, i, last[i]}); id >= 0 && !s.has(id) {
				if err := f.visit(s.with(id), all); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// last returns the last vote of each person, -1 for none.
func (f *forum) last(s speech) (last [scenePeople]int) {
	for i := range last {
		last[i] = -1
	}
	for _, id := range s.ids() {
		i := slices.IndexFunc(f.devices, func(i int) bool { return sceneDevice(i) == f.cast[id].Device })
		if at := &last[f.devices[i]]; *at < 0 || f.cast[*at].Seq < f.cast[id].Seq {
			*at = id
		}
	}
	return last
}

func (f *forum) node(hash [32]byte) *node { return f.scene.blocks.by[hash] }

// all returns what is settled for who hears everything, the liar too.
func (f *forum) all(s speech) (*node, error) {
	v := NewVotes(f.scene.blocks)
	v.off = f.off | ruleSignature
	if err := offer(v, f.list(s.and(f.lies))); err != nil {
		return nil, err
	}
	if c := v.Conflict(); c != nil {
		return nil, fmt.Errorf("%s and %s are both settled", f.scene.name(c.Blocks[0]), f.scene.name(c.Blocks[1]))
	}
	return f.node(v.Settled()), nil
}

func (f *forum) list(s speech) (list []*Vote) {
	for _, id := range s.ids() {
		list = append(list, f.cast[id].Vote)
	}
	return list
}

// A choice is what a device votes by.
type choice struct {
	holding
	device, last int
}

// decide returns what a device votes after it waited long, -1 for nothing.
func (f *forum) decide(c choice) int {
	id, ok := f.choices[c]
	if ok {
		return id
	}
	id = -1
	d := &Voter{Device: sceneDevice(c.device), off: f.off}
	if c.last >= 0 {
		d.Last = f.cast[c.last].Vote
	}
	if b, ok := f.votes(c.holding).booth(d); ok && b.round <= f.rounds {
		if vote := b.decide(d, 2*MaxDwell).Vote; vote != nil {
			id = f.id(vote)
		}
	}
	f.choices[c] = id
	return id
}

// votes returns the real set of what is held.
func (f *forum) votes(h holding) *Votes {
	v := f.held[h]
	if v != nil {
		return v
	}
	b := f.blocks[h.blocks]
	if b == nil {
		var names []string
		for k, name := range f.scene.order {
			if h.blocks>>k&1 == 1 {
				names = append(names, name)
			}
		}
		b = f.scene.only(names...)
		f.blocks[h.blocks] = b
	}
	v = NewVotes(b)
	v.off = f.off | ruleSignature
	if err := offer(v, f.list(h.votes)); err != nil {
		panic(err)
	}
	f.held[h] = v
	return v
}

// holdings returns what a device may hold in a state, of all that comes to the
// same one.
func (f *forum) holdings(s speech) (list []holding, err error) {
	ways := []rumour{{settled: f.eras[0].start}}
	var ends []rumour
	for len(ways) > 0 {
		way := ways[0]
		ways = ways[1:]
		e := f.eras[slices.IndexFunc(f.eras, func(e *era) bool { return e.start == way.settled })]
		heard, err := f.hear(e, s, f.rounds)
		if err != nil {
			return nil, err
		}
		for _, h := range heard {
			h.votes, h.named = h.votes.and(way.votes), h.named|way.named
			if h.settled != e.start && h.settled.eraStart() == h.settled {
				if !slices.ContainsFunc(ways, func(o rumour) bool { return o.settled == h.settled && o.named == h.named }) {
					ways = append(ways, h)
				}
			} else {
				ends = append(ends, h)
			}
		}
	}
	for _, h := range ends {
		for b := range uint16(1) << len(f.scene.order) {
			if b&1 == 1 && b&h.named == h.named && f.whole(b) {
				list = append(list, holding{b, h.votes})
			}
		}
	}
	return list, nil
}

// whole reports whether a set of blocks has the parents of each.
func (f *forum) whole(blocks uint16) bool {
	for k, name := range f.scene.order {
		if n := f.scene.by[name]; blocks>>k&1 == 1 && n.parent != nil && blocks>>f.index(n.parent)&1 == 0 {
			return false
		}
	}
	return true
}

func (f *forum) index(n *node) int { return slices.Index(f.scene.order, f.scene.names[n]) }

// story lists the votes of a state.
func (f *forum) story(s speech) string {
	var lines []string
	for _, id := range s.ids() {
		b := f.cast[id]
		who := slices.IndexFunc(f.devices, func(i int) bool { return sceneDevice(i) == b.Device })
		lines = append(lines, fmt.Sprintf("%d votes %s in %d from %s of %d era %s",
			f.devices[who], f.scene.names[b.block], b.Round, f.scene.names[b.source], b.Source.Round, f.scene.name(b.Era)))
	}
	return strings.Join(lines, "; ")
}
