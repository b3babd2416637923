package sim

import (
	"fmt"
	"math/rand/v2"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// A crew is the persons of a run who are hostile, and what their devices keep up
// their sleeves. Their own programs run like everybody's: a liar behaves, but for
// the acts below. What the oracles say, they say of the others.
type crew struct {
	persons map[wire.PersonID]bool
	old     map[*Node][]*Replica // copies of a home, oldest first
	silent  bool                 // they are off when the run comes to its rest
	lies    int                  // texts
}

// maxOld bounds the copies that one device keeps of its home.
const maxOld = 4

func (c *crew) has(n *Node) bool { return c.persons[n.Self.Person] }

func newCrew() *crew {
	return &crew{persons: make(map[wire.PersonID]bool), old: make(map[*Node][]*Replica)}
}

// recruit chooses the crew. One of it has a group of its own, too, whose frames it
// may send elsewhere.
func (r *run) recruit(c Config) {
	if c.Hostile <= 0 {
		return
	}
	for range c.Hostile {
		n := r.Nodes[r.Rand.IntN(c.Nodes)]
		r.crew.persons[n.Self.Person] = true
		r.tracef("%s is hostile", n.Name)
		if o := r.Nodes[r.Rand.IntN(c.Nodes)]; o != n && near(n, o) {
			n.Create(group.CreateParams{Title: "Elsewhere", Newcomers: []group.Newcomer{o.Newcomer()}})
		}
	}
	r.crew.silent = r.Rand.IntN(2) == 0
}

// honest reports whether what must hold must hold of n.
func (r *run) honest(n *Node) bool { return !r.crew.has(n) }

// hostile are the acts of the crew; each has the same weight.
var hostile = []func(*run, hand, action){
	(*run).twoBlocks, (*run).twoEntries, (*run).twoVotes, (*run).backDate, (*run).backDate, (*run).grind,
	(*run).flood, (*run).withhold, (*run).foreign, (*run).poison, (*run).accuse, (*run).keep, (*run).restore,
}

// mischief lets one of the crew do what no honest device does.
func (r *run) mischief(a action) {
	n := r.pick(a.a, func(n *Node) bool { return n.Online && n.Groups[r.g] != nil && r.crew.has(n) })
	if n == nil {
		return
	}
	h, ok := r.hand(n, n.Groups[r.g])
	if !ok {
		return
	}
	act := int(a.a >> 32 % uint64(len(hostile)))
	r.tracef("%s does act %d", n.Name, act)
	hostile[act](r, h, a)
}

// deed is something that a member signs: n chooses what.
func (h hand) deed(n uint64) group.Cause {
	s := h.m.Blocks().State(h.m.Head())
	var others []wire.PersonID
	for _, o := range h.r.Nodes {
		if o.Self.Person != h.n.Self.Person && o.linkedBy == nil && s.Belongs(o.Self.Device.ID()) {
			others = append(others, o.Self.Person)
		}
	}
	if len(others) == 0 || !s.IsAdmin(h.n.Self.Person) {
		return group.Rekey{}
	}
	whom := others[n>>8%uint64(len(others))]
	switch n % 5 {
	case 0:
		return group.Remove{Person: whom}
	case 1, 2:
		role := chain.RoleAdmin
		if s.IsAdmin(whom) {
			role = chain.RoleMember
		}
		return group.SetRole{Person: whom, Role: role}
	case 3:
		return group.SetTitle{Title: fmt.Sprintf("Mine %d", n%1000)}
	}
	return group.Rekey{}
}

// twoBlocks shows one block to some and another to the rest.
func (r *run) twoBlocks(h hand, a action) {
	twin, _ := r.hand(h.n, h.h)
	h.tell(a.b, h.make(h.deed(a.b>>16))...)
	h.tell(^a.b, twin.make(twin.deed(a.b>>40))...)
}

// twoEntries says one thing to some and another to the rest, at one place.
func (r *run) twoEntries(h hand, a action) {
	for _, who := range []uint64{a.b, ^a.b} {
		twin, _ := r.hand(h.n, h.h)
		r.crew.lies++
		c, err := group.Text(fmt.Sprintf("%s lies %d", h.n.Name, r.crew.lies))
		if err != nil {
			panic(err)
		}
		h.tell(who, twin.make(group.Compose{Client: "lie", Content: c})...)
	}
}

// mayLie reports whether a device is a voter among enough that the others bear all
// of the crew (property I2).
func (r *run) mayLie(m *group.Machine) bool {
	voters, lying := m.Finality().Voters, 0
	for _, p := range voters {
		if r.crew.persons[p] {
			lying++
		}
	}
	return lying > 0 && lying <= chain.Faults(len(voters))
}

// twoVotes casts votes that the rules do not cast: of one round, for other blocks
// to other voters.
func (r *run) twoVotes(h hand, a action) {
	if !speaks(h.m) || !r.mayLie(h.m) {
		return
	}
	blocks := h.m.Blocks().All()
	for i, who := range []uint64{a.b, ^a.b} {
		v := &chain.Vote{
			Group: r.g, Device: h.n.Self.Device.ID(), Seq: 1 + a.b%4, Era: h.m.Era(), Round: max(1, h.m.Finality().Voting+a.b>>8%3-1),
			Block: blocks[a.b>>(16+8*i)%uint64(len(blocks))], Source: chain.Source{Block: h.m.Era()},
		}
		if h.m.Blocks().IsAncestor(v.Era, v.Block) {
			v.Seal(h.n.Self.Device.Sign)
			h.tell(who, Pushed(v))
		}
	}
}

// backDate signs something on a block of the past, where the device had keys, and
// perhaps rights, that it lost since.
func (r *run) backDate(h hand, a action) {
	old := r.crew.old[h.n]
	if len(old) == 0 {
		return
	}
	past, ok := r.hand(h.n, old[a.b>>8%uint64(len(old))])
	if !ok {
		return
	}
	for i := range 1 + a.b>>56%3 { // a branch of up to three
		h.tell(a.b, past.make(past.deed(a.b>>(16+8*i)))...)
	}
}

// grind makes many variants of one block.
func (r *run) grind(h hand, a action) {
	for range 6 {
		twin, _ := r.hand(h.n, h.h)
		h.tell(a.b|a.b>>20, twin.make(group.Rekey{})...)
	}
}

// poison is a block that nobody can follow who was told it; in a quarter of the
// cases there are several.
func (r *run) poison(h hand, a action) {
	for _, p := range h.make(h.deed(a.b >> 16)) {
		for i := range byte(1 + 3*(a.b>>60/12)) {
			h.tell(a.b, h.reseal(p, func(b *chain.Header) { b.ExternalPub[0] ^= 1 + i }))
		}
	}
}

// accuse signs that it could not follow a block of somebody's, which it could.
func (r *run) accuse(h hand, a action) {
	blocks := h.m.Blocks().All()
	for i := range uint64(3) {
		block := blocks[(a.b>>16+i)%uint64(len(blocks))]
		h.tell(a.b, nackPayload(chain.SignNack(h.n.Self.Device.Sign, r.g, h.n.Self.Device.ID(), block, chain.NackPath)))
	}
}

// flood sends what is no frame, frames with a byte changed, votes of rounds far off
// and headers whose parents nobody has.
func (r *run) flood(h hand, a action) {
	rnd := rand.New(rand.NewPCG(a.a, a.b))
	for range 12 {
		junk := make([]byte, 1+rnd.IntN(60))
		for i := range junk {
			junk[i] = byte(rnd.Uint32())
		}
		junk[0] = byte(rnd.IntN(18))
		h.tell(rnd.Uint64(), junk)
		if len(r.History) > 0 {
			p := append([]byte(nil), r.History[rnd.IntN(len(r.History))].Bytes...)
			p[rnd.IntN(len(p))] ^= 1 << rnd.IntN(8)
			h.tell(rnd.Uint64(), p)
		}
	}
	for _, p := range h.make(group.Rekey{}) {
		for range 6 {
			h.tell(a.b, h.reseal(p, func(b *chain.Header) { b.Parent[rnd.IntN(32)] ^= 1; b.Height += rnd.Uint64N(3) }))
		}
	}
	if speaks(h.m) {
		v := &chain.Vote{Group: r.g, Device: h.n.Self.Device.ID(), Seq: 1 << 40, Era: h.m.Era(), Round: 1 << 40, Block: h.m.Era(), Source: chain.Source{Block: h.m.Era()}}
		v.Seal(h.n.Self.Device.Sign)
		h.tell(a.b, Pushed(v))
	}
}

// withhold keeps some kinds of frames from some of the others from now on, or, as
// often, no more.
func (r *run) withhold(h hand, a action) {
	h.n.withholds = nil
	if a.b%2 == 0 {
		h.n.withholds = func(to *Node, kind byte) bool { return a.b>>8>>to.index&1 == 1 && a.b>>24>>kind&1 == 1 }
	}
}

// foreign sends frames of another group, as if they were of this one.
func (r *run) foreign(h hand, a action) {
	for i, p := range r.History {
		if p.Group != r.g && uint64(i)%8 == a.b>>56%8 {
			h.tell(a.b, p.Bytes)
		}
	}
}

// keep puts a copy of the home aside.
func (r *run) keep(h hand, _ action) {
	if old := r.crew.old[h.n]; len(old) < maxOld {
		r.crew.old[h.n] = append(old, h.h.Copy())
	}
}

// restore puts an old copy of the home in its place. It may vote once more, so it
// is for those alone who may lie.
func (r *run) restore(h hand, a action) {
	old := r.crew.old[h.n]
	if len(old) == 0 || !r.mayLie(h.m) {
		return
	}
	copied := old[a.b%uint64(len(old))]
	if past, ok := r.hand(h.n, copied); !ok || !r.mayLie(past.m) {
		return
	}
	h.n.Stop()
	h.n.Groups[r.g] = copied.Copy()
	h.n.Start()
}
