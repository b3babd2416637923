package chain

import (
	"slices"

	"kith/internal/wire"
)

// genesis is V1 and starts the state; Adds that follow in the block are applied
// by apply.
func (c *change) genesis() error {
	g, ok := c.h.Ops[0].(*Genesis)
	if !ok {
		return c.refuse("V1", ReasonGenesis)
	}
	h := c.h
	switch {
	case !h.IsGenesis() || h.Parent != wire.BlockHash{} || h.Height != 0 || h.AuthorSeq != 1:
		return c.refuse("V1", ReasonZero)
	case g.Nonce == [32]byte{}:
		return c.refuse("V1", ReasonNonce)
	case h.CreatedAt >= MaxCreated:
		return c.refuse("V1", ReasonCreated)
	case g.Creator != h.Author.Person || g.Device.ID() != h.Author.Device:
		return c.refuse("V1", ReasonCreator)
	}
	if err := c.addFeatures(g.Features); err != nil {
		return err
	}
	c.ofPerson = g.Creator == wire.PersonID{}
	if err := c.genesisKind(g); err != nil {
		return err
	}
	c.suite, c.info, c.policy = h.Suite, g.Info, g.Policy
	return c.create(g)
}

// genesisKind checks the fields in which a group and a person's chain differ,
// and which ops may follow.
func (c *change) genesisKind(g *Genesis) error {
	rest := c.h.Ops[1:]
	for _, op := range rest {
		if op.Kind() != KindAdd || c.ofPerson {
			return c.refuse("V1", ReasonGenesis)
		}
	}
	cites := 2
	if c.ofPerson {
		cites = 1
		if g.Recovery == nil || (g.PersonHead != wire.BlockHash{}) || g.Policy != (Policy{}) {
			return c.refuse("V1", ReasonPersonField)
		}
	} else if g.Recovery != nil || (g.PersonHead == wire.BlockHash{}) {
		return c.refuse("V1", ReasonPersonField)
	}
	if len(g.Cites) != cites {
		return c.refuse("V6", ReasonAttachment)
	}
	if g.Policy.Direct {
		if add, ok := second(rest); !ok || add.Role != RoleAdmin {
			return c.refuse("V1", ReasonDirectShape)
		}
	}
	return nil
}

// second returns the one Add of a direct chat's genesis.
func second(rest []Op) (*Add, bool) {
	if len(rest) != 1 {
		return nil, false
	}
	add, ok := rest[0].(*Add)
	return add, ok
}

// create admits the creator: the most senior admin and the first voter. In a
// person's chain rank 0 is the recovery key's, so the first device gets rank 1.
func (c *change) create(g *Genesis) error {
	m := Member{Person: g.Creator, Role: RoleAdmin, PersonHead: g.PersonHead}
	m.Instance = instance(g.Creator, c.h.Parent, &g.Nonce, 0)
	if c.ofPerson {
		m.Rank = 1
		keys := *g.Recovery
		c.recovery, c.recoveryID = &keys, wire.Device(keys.Key[:])
		c.devices = c.devices.put(&activity{device: c.recoveryID}, 0)
	}
	if err := c.admit(&m, g.Device); err != nil {
		return err
	}
	c.put(m)
	c.electorate = slices.Clone([]wire.PersonID{g.Creator})
	a := c.devices.get(c.h.Author.Device)
	c.devices = c.devices.put(a.sign(c.h.AuthorSeq, 0, 0, 0), 0)
	return nil
}
