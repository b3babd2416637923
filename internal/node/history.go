package node

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/wire"
)

// How the membership of a chat came about.

// Blocks returns how a group's membership came about, oldest first.
func (n *Node) Blocks(g wire.GroupID) ([]Block, error) {
	o, err := n.in(g)
	if err != nil {
		return nil, err
	}
	var list []Block
	err = o.ask(func() error {
		blocks := o.machine.Blocks()
		drawn := draw(blocks, o.machine.Head(), o.machine.InfoText, newLedger(o.machine))
		for _, hash := range blocks.All() {
			list = append(list, n.block(o.machine, hash, drawn[hash]))
		}
		o.openings(list)
		return nil
	})
	return list, err
}

func (n *Node) block(m *group.Machine, hash wire.BlockHash, drawn *Drawn) Block {
	h := m.Blocks().Header(hash)
	b := Block{
		Hash: hash, Header: h, HeaderBytes: h.Bytes(),
		Author: n.personIn(m, h.Author.Person), OnChain: drawn.Fate == FateStands, Epoch: m.MLSEpoch(hash), Drawn: *drawn,
	}
	if !m.Blocks().IsLight(hash) {
		b.BodyBytes = len(m.Blocks().Body(hash).Bytes())
	}
	for _, p := range drawn.Voters {
		b.SettledBy = append(b.SettledBy, n.personIn(m, p))
	}
	slices.SortFunc(b.SettledBy, meFirst)
	_, d, ok := m.Blocks().State(hash).Device(h.Author.Device)
	b.SignatureValid = ok && h.VerifySignature(d.Key[:])
	for _, op := range h.Ops {
		b.Changes = append(b.Changes, n.change(m, op))
	}
	return b
}

// Record returns a group's chain as a file that anybody can check, with titles
// and members' names if asked (docs/spec/chainfile.md).
func (n *Node) Record(g wire.GroupID, names bool) ([]byte, error) {
	o, err := n.in(g)
	if err != nil {
		return nil, err
	}
	known := make(map[wire.Digest][]byte)
	if names {
		err := n.db.Load(g, []group.Kind{group.KindInfo}, func(r group.Record) error {
			known[wire.Digest(r.Key)] = bytes.Clone(r.Value)
			return nil
		})
		if err != nil {
			return nil, storeError(err)
		}
	}
	var file []byte
	err = o.ask(func() error {
		r := chain.NewRecord(o.machine.Blocks())
		r.Settlement = o.machine.Settlement()
		if names {
			r.Name(o.machine.Blocks(), known)
		}
		file = r.Marshal()
		return nil
	})
	return file, err
}

func (n *Node) change(m *group.Machine, op chain.Op) Change {
	c := Change{Op: op}
	switch op := op.(type) {
	case *chain.Genesis:
		c.Title = m.InfoText(op.Info)
	case *chain.Add:
		c.Subject, c.Admin = n.personIn(m, op.Person), op.Role == chain.RoleAdmin
	case *chain.Remove:
		c.Subject = n.personIn(m, op.Person)
	case *chain.Leave:
		c.Subject = n.personIn(m, op.Person)
	case *chain.Park:
		c.Subject = n.personIn(m, op.Person)
	case *chain.Unpark:
		c.Subject = n.personIn(m, op.Person)
	case *chain.AddDevice:
		c.Subject = n.personIn(m, op.Person)
	case *chain.RemoveDevice:
		c.Subject = n.personIn(m, op.Person)
	case *chain.SetRole:
		c.Subject, c.Admin = n.personIn(m, op.Person), op.Role == chain.RoleAdmin
	case *chain.Carry:
		c.Subject = n.personIn(m, op.Person)
	case *chain.Slash:
		c.Subject = n.personIn(m, op.Person)
	case *chain.SetInfo:
		c.Title = m.InfoText(op.Info)
	case *chain.SetPolicy:
		for _, p := range op.Electorate {
			c.People = append(c.People, n.personIn(m, p))
		}
		slices.SortFunc(c.People, meFirst)
	}
	return c
}

// personIn is a person whose name a group's machine may know. It runs in the
// owner's goroutine.
func (n *Node) personIn(m *group.Machine, p wire.PersonID) Person {
	who := n.person(p)
	if who.Name == "" {
		who.Name = m.Name(p)
	}
	if o := n.owner(m.Group()); o != nil {
		who.Alike = !who.Me && o.picture.Load().alike.has(p)
	}
	return who
}
