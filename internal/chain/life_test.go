package chain_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A crowd tries ops at random, most of which some rule refuses.
type crowd struct {
	*group
	rng   *rand.Rand
	names []string
	done  map[chain.Kind]int // valid blocks, by the kind of their op
}

func gather(t testing.TB, seed uint64) *crowd {
	c := &crowd{
		newGroup(t, chain.Policy{}, "ann", "ben*", "cat"), rand.New(rand.NewPCG(seed, 9)),
		[]string{"ann", "ben", "cat", "dan", "eve"},
		map[chain.Kind]int{},
	}
	for _, name := range c.names {
		c.person(name).second(t)
	}
	return c
}

// any returns an op about somebody, and what it cites.
func (c *crowd) any() (chain.Op, [][]byte) {
	name, i := c.names[c.rng.IntN(len(c.names))], c.rng.IntN(2)
	p := c.person(name)
	switch c.rng.IntN(14) {
	case 0, 1:
		return p.add(chain.Role(i), 1+i), p.papers(1 + i)
	case 2:
		return remove(name)(c.group), nil
	case 3:
		return &chain.SetRole{Person: p.id, Instance: c.instance(name), Role: chain.Role(i)}, nil
	case 4:
		return parking(c.group, name, i), nil
	case 5, 6:
		return c.anyDevice(p, i)
	case 7:
		op, papers := c.removeDevice(p, i)
		return op, papers
	case 8:
		policy := chain.Policy{MembersInvite: i == 0, MaxEntries: c.rng.Uint32N(3)}
		return &chain.SetPolicy{Policy: &policy, Electorate: c.voters(name)}, nil
	case 9:
		s := signLeave(c.group, p, c.person("ann").id).Marshal()
		return &chain.Leave{Person: p.id, Instance: c.instance(name), Successor: c.person("ann").id, Cites: []wire.Digest{chain.Cite(s)}}, [][]byte{s}
	case 10:
		id := wire.GroupID(c.blocks.Genesis())
		ben := c.person("ben")
		return c.twice(chain.SlashEntries, entry(ben, id, 1, "a"), entry(ben, id, 1, "b"))
	case 11:
		op := anew(chain.SuiteAES)
		if c.state().Active(p.device(i)) {
			op = anew(chain.SuiteAES, p.device(i))
		}
		return op, nil
	case 12:
		return unparking(c.group, name, i), nil
	}
	return &chain.Rekey{}, nil
}

// anyDevice lets a device in, by itself half of the time. Now and then its own
// chain revokes it before, which removeDevice then shows.
func (c *crowd) anyDevice(p *person, i int) (chain.Op, [][]byte) {
	if c.rng.IntN(8) == 0 {
		if s, err := chain.VerifyProof(p.headers); err == nil && s.Belongs(p.device(1)) {
			p.extend(c.t, drop(p.device(1)))
		}
	}
	return c.addDevice(p, i, c.rng.IntN(2) == 0)
}

// step tries one block of any device; accepted ones are taken.
func (c *crowd) step() bool {
	p, i := c.person(c.names[c.rng.IntN(len(c.names))]), c.rng.IntN(2)
	op, papers := c.any()
	switch op := op.(type) { // let those who act for themselves do so
	case *chain.Unpark:
		p, i = c.whose(op.Device)
	case *chain.AddDevice:
		if op.Device.KeyPackageRef == (wire.Digest{}) {
			p, i = c.whose(op.Device.ID())
		}
	}
	d := c.params(p, op)
	p.seq[0]--
	d.Author, d.AuthorSeq = p.member(i), p.seq[i]+1
	before := c.state()
	root := before.Root()
	h, drafted, err := chain.Draft(before, d)
	if rootOf(before) != root {
		c.t.Fatalf("%T changed the state before it", op)
	}
	if err != nil {
		return false
	}
	body := bodyOf(h.Starts(), papers...)
	seal(h, body, p.keys[i])
	s, err := c.blocks.Check(h, body)
	if err != nil {
		return false // only the body can be wrong now
	}
	if s.Root() != drafted.Root() || rootOf(s) != s.Root() || rootOf(before) != root {
		c.t.Fatalf("%T: draft and check do not agree", op)
	}
	if err := c.blocks.Add(h, body, s); err != nil {
		c.t.Fatal(err)
	}
	p.seq[i]++
	c.done[op.Kind()]++
	return true
}

func (c *crowd) whose(d wire.DeviceID) (*person, int) {
	for _, name := range c.names {
		for i := range 2 {
			if c.person(name).device(i) == d {
				return c.person(name), i
			}
		}
	}
	return c.person("ann"), 0
}

// sound checks what holds of every state.
func (c *crowd) sound(before *chain.State) error {
	s := c.state()
	if len(s.Admins()) == 0 || len(s.Electorate()) == 0 {
		return fmt.Errorf("%d admins, %d voters", len(s.Admins()), len(s.Electorate()))
	}
	for _, id := range s.Electorate() {
		if m, ok := s.Person(id); !ok || m.Status == chain.StatusRemoved {
			return fmt.Errorf("%s votes and is no member", id)
		}
	}
	active := 0
	for _, m := range s.Everyone() {
		for _, d := range m.Devices {
			if s.Active(d.ID) {
				active++
			}
			if m.Status == chain.StatusRemoved && d.Status != chain.StatusRemoved && d.Status != chain.StatusRevoked {
				return fmt.Errorf("a device of %s, who is gone, belongs", m.Person)
			}
			if _, old, ok := before.Device(d.ID); ok && old.Status == chain.StatusRevoked && d.Status != chain.StatusRevoked {
				return fmt.Errorf("a device of %s came back", m.Person)
			}
		}
	}
	if active == 0 || s.Start() > s.Height() || s.Epoch() != 1+s.Height()-s.Start() {
		return fmt.Errorf("%d active devices, keys of block %d at %d", active, s.Start(), s.Height())
	}
	return nil
}

// Whatever is tried, in any order: what a rule lets through leaves a sound
// state, changes nothing that was, and follows from the headers alone.
func TestAnyOps(t *testing.T) {
	done := map[chain.Kind]int{}
	for seed := range uint64(20) {
		c := gather(t, seed)
		c.done = done
		for range 150 {
			before := c.state()
			if !c.step() {
				continue
			}
			if err := c.sound(before); err != nil {
				t.Fatalf("seed %d, height %d: %v", seed, c.state().Height(), err)
			}
		}
		var headers []*chain.Header
		for _, hash := range c.blocks.All() {
			headers = append(headers, c.blocks.Header(hash))
		}
		states, err := chain.CheckHeaders(headers)
		if err != nil || states[len(states)-1].Root() != c.state().Root() {
			t.Fatalf("seed %d: from headers alone: %v", seed, err)
		}
	}
	for _, k := range []chain.Kind{
		chain.KindAdd, chain.KindRemove, chain.KindSetRole, chain.KindSetPolicy, chain.KindRekey, chain.KindLeave, chain.KindPark,
		chain.KindUnpark, chain.KindAddDevice, chain.KindRemoveDevice, chain.KindRestart, chain.KindSlash,
	} {
		if done[k] == 0 {
			t.Errorf("no block with an op of kind %d was ever valid", k)
		}
	}
}
