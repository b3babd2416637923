package sim

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// Oracles of the properties of the chain that no step shows by itself
// (docs/assurance.md, "What the simulation looks at").

// ruled is property I18: somebody may change the group, and enough of the voters have a
// device at the settled block to settle something.
func (c *checker) ruled(n *Node, m *group.Machine) {
	if s := head(m); len(s.Admins()) == 0 && !s.OfPerson() && len(s.Members()) > 0 {
		fail("%s has a group without an admin", n.Name)
	}
	voters := m.Voters()
	able := len(slices.DeleteFunc(slices.Clone(voters), func(v wire.Member) bool { return v.Device == wire.DeviceID{} }))
	if able == 0 || able < chain.Quorum(len(voters)) {
		fail("%s has a group in which %d of %d voters have a device", n.Name, able, len(voters))
	}
}

// keyed is properties I4 and I10 of what a node has stored: keys of no block at which
// its device has no leaf, of no more blocks than the limits say, and message keys of
// no block whose epoch is gone.
func (c *checker) keyed(n *Node, g wire.GroupID) {
	r := n.Groups[g]
	blocks := r.Machine.Blocks()
	for key := range r.Records[group.KindEpoch] {
		if s := blocks.State(wire.BlockHash([]byte(key))); s == nil || !s.Active(n.Self.Device.ID()) {
			fail("%s has keys of a block at which it is not in the group", n.Name)
		}
	}
	for key := range r.Records[group.KindRatchet] {
		if r.Records[group.KindEpoch][key[:32]] == nil {
			fail("%s has message keys of a block whose epoch is gone", n.Name)
		}
	}
}

// outsider is properties I1, I3 and I17: who is given what a node holds, blocks and
// votes in another order, or headers and what they cite in place of blocks, has the
// same head, the same settled block, and so the same members.
func (r *run) outsider(n *Node) {
	m := r.there(n)
	if m == nil {
		return
	}
	if head(m).Root() != m.Blocks().Header(m.Head()).StateRoot {
		fail("at rest the head of %s is not the fold of its ops", n.Name)
	}
	rnd := rand.New(rand.NewPCG(uint64(m.Blocks().Len()), 3))
	whole, light := chain.NewBlocks(), chain.NewBlocks()
	for left := m.Blocks().All(); len(left) > 0; {
		rnd.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		left = slices.DeleteFunc(left, func(hash wire.BlockHash) bool {
			h, body := m.Blocks().Header(hash), m.Blocks().Body(hash)
			if !h.IsGenesis() && !whole.Has(h.Parent) {
				return false
			}
			if err := errors.Join(take(whole, h, body), take(light, h, body.Light())); err != nil {
				fail("at rest %s holds a block that another refuses: %v", n.Name, err)
			}
			return true
		})
	}
	for what, blocks := range map[string]*chain.Blocks{"blocks": whole, "headers": light} {
		if v := r.votesOf(n, blocks, rnd); v.Settled() != m.Settled() || v.Head() != m.Head() {
			fail("at rest %s has block %v settled and the head %v, and by the same %s and votes another has %v and %v",
				n.Name, m.Settled(), m.Head(), what, v.Settled(), v.Head())
		}
	}
	r.shown(n, m)
}

// take adds a block, of which the commit may be left out.
func take(blocks *chain.Blocks, h *chain.Header, body *chain.Body) error {
	var s *chain.State
	var err error
	if body.IsLight() {
		s, err = blocks.CheckLight(h, body.Attachments)
	} else {
		s, err = blocks.Check(h, body)
	}
	if err != nil {
		return err
	}
	return blocks.Add(h, body, s)
}

// votesOf counts the votes that a node has stored, in any order, over blocks.
func (r *run) votesOf(n *Node, blocks *chain.Blocks, rnd *rand.Rand) *chain.Votes {
	v := chain.NewVotes(blocks)
	stored := n.Groups[r.g].Records[group.KindVote]
	left := slices.Sorted(maps.Keys(stored))
	rnd.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	for progress := true; progress; {
		progress = false
		left = slices.DeleteFunc(left, func(key string) bool {
			vote, err := chain.ParseVote(stored[key])
			if err == nil {
				_, err = v.Add(vote)
			}
			progress = progress || err == nil
			return err == nil
		})
	}
	return v
}

// same is property I13: what was taken once changes nothing when it comes again. A device may
// have dropped then what it takes now, as when its block was not here yet; of honest
// people somebody has brought it since, and what a liar wrote twice nobody need bring.
func (r *run) same() {
	type standing struct {
		Head, Settled wire.BlockHash
		View          group.View
		Frontier      any
		Rows          int
	}
	of := func(n *Node) standing {
		m := r.machine(n)
		rows := 0
		for _, row := range n.Groups[r.g].Rows {
			if !r.crew.persons[row.Person] {
				rows++
			}
		}
		return standing{m.Head(), m.Settled(), m.View(), m.Frontier(), rows}
	}
	before := make(map[*Node]standing)
	for _, n := range r.Nodes {
		if r.there(n) != nil {
			before[n] = of(n)
		}
	}
	for i := range min(64, len(r.History)) {
		p := r.History[(i*2654435761)%len(r.History)]
		if _, ok := before[p.To]; ok && p.Taken && r.there(p.From) != nil {
			r.Deliver(p.From, p.To, p.Group, p.Bytes)
		}
	}
	r.Run(quietTime)
	for _, n := range r.Nodes {
		if b, ok := before[n]; ok {
			if a := of(n); !reflect.DeepEqual(a, b) {
				fail("at rest %s is changed by what it had before:\n%+v\n%+v", n.Name, b, a)
			}
		}
	}
}

// goesOn is property I19: whoever takes part and has keys is read by all the others
// who do. What is said while a removal is to be carried over, which nobody there can do
// (see carried), waits.
func (r *run) goesOn() {
	texts := make(map[*Node]string)
	for _, n := range r.Nodes {
		if m := r.there(n); m != nil && m.Status() == group.StatusActive && !m.View().NoKeys && len(m.View().Carrying) == 0 {
			texts[n] = fmt.Sprintf("%s goes on", n.Name)
			if err := n.Say(r.g, texts[n]); err != nil {
				fail("at rest %s cannot write: %v", n.Name, err)
			}
		}
	}
	r.Run(quietTime)
	for _, n := range slices.SortedFunc(maps.Keys(texts), func(a, b *Node) int { return a.index - b.index }) {
		for _, o := range r.Nodes {
			if texts[o] != "" && r.machine(o).View().Lifetime == 0 && !slices.Contains(n.Texts(r.g), texts[o]) { // else it may be over by now
				fail("at rest %s does not read what %s goes on to say", n.Name, o.Name)
			}
		}
	}
}
