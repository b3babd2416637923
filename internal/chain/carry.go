package chain

import (
	"slices"

	"kith/internal/wire"
)

// Carry does what a removal on a losing branch did, whose author was an admin
// where the branches part and was one ever since. It cites the headers of that branch
// from the fork point's child to Block, then, for a device, what the removal
// cited.
type Carry struct {
	Block    wire.BlockHash // that holds the losing Remove or RemoveDevice
	Person   wire.PersonID
	Instance wire.Instance // that ends now
	Device   wire.DeviceID // zero: the person
	Cuts     []Cut
	Cites    []wire.Digest
}

// Kind returns the number of the op.
func (*Carry) Kind() Kind { return KindCarry }

// The content of a Carry (docs/spec/chain.md):
//
//	block[32] person[32] instance[32] device[32] Cut cuts<V> cites[32]<V>
func (op *Carry) encode(w *wire.Writer) {
	w.Raw(op.Block[:])
	w.Raw(op.Person[:])
	w.Raw(op.Instance[:])
	w.Raw(op.Device[:])
	encodeCuts(w, op.Cuts)
	encodeCites(w, op.Cites)
}

func decodeCarry(r *wire.Reader) *Carry {
	op := new(Carry)
	r.Fixed(op.Block[:])
	r.Fixed(op.Person[:])
	r.Fixed(op.Instance[:])
	r.Fixed(op.Device[:])
	op.Cuts = decodeCuts(r, MaxCuts)
	op.Cites = decodeCites(r)
	return op
}

func (c *change) carry(op *Carry) error {
	if (op.Device == wire.DeviceID{}) {
		if len(op.Cites) != 1 {
			return c.refuse("V6", ReasonAttachment)
		}
		return c.remove(op.Person, op.Instance, op.Cuts)
	}
	if len(op.Cites) != 2 {
		return c.refuse("V6", ReasonAttachment)
	}
	return c.expel(op.Person, op.Instance, op.Device, op.Cuts)
}

// expel revokes a device in a group without a word of its person's chain.
func (c *change) expel(person wire.PersonID, in wire.Instance, device wire.DeviceID, cuts []Cut) error {
	m, err := c.owner(person, in)
	if err != nil {
		return err
	}
	if len(cuts) > 1 || len(cuts) == 1 && cuts[0].Device != device {
		return c.refuse("V5", ReasonCut)
	}
	return c.setDevice(m, device, StatusRevoked)
}

// carry checks the losing branch:
//
//	... ─ P ─ · ─ parent ─ Carry       P      the fork point
//	       └─ · ─ Block                Block  removes the target
func (c *bodyCheck) carry(op *Carry, cited [][]byte) error {
	headers, err := ParseProof(cited[0])
	if isNewer(err) {
		return ErrNewer
	}
	if err != nil {
		return c.refuse(ReasonCarry)
	}
	p := c.forkPoint(headers[0])
	if p == nil {
		return c.refuse(ReasonCarry)
	}
	state := p.State
	for i, h := range headers {
		if h.Group != c.group || i > 0 && h.Parent != headers[i-1].Hash() {
			return c.refuse(ReasonCarry)
		}
		if state, err = checkHeader(state, h); isNewer(err) {
			return ErrNewer
		} else if err != nil {
			return c.refuse(ReasonCarry)
		}
	}
	last := headers[len(headers)-1]
	author := last.Author.Person
	if last.Hash() != op.Block || !c.at.adminSince(p, author) {
		return c.refuse(ReasonCarry)
	}
	return c.sameRemoval(op, p, last.Ops, cited[1:])
}

// forkPoint returns the block that first's branch leaves the Carry's own at.
func (c *bodyCheck) forkPoint(first *Header) *node {
	if first.IsGenesis() || first.Height == 0 || first.Height-1 > c.parent.height {
		return nil
	}
	p := c.at.at(first.Height - 1)
	if p.Hash != first.Parent || p != c.at && c.at.at(first.Height).Hash == first.Hash() {
		return nil
	}
	return p
}

// sameRemoval looks for the removal among the ops of the losing block: of the
// membership that the Carry ends, or of one of the same person that only the
// losing branch began, if since P nobody has ended one on the Carry's own: who
// was let in again after that stays, else one Carry could be made for ever.
func (c *bodyCheck) sameRemoval(op *Carry, p *node, lost []Op, proof [][]byte) error {
	before, _ := p.State.Person(op.Person)
	for _, l := range lost {
		switch l := l.(type) {
		case *Remove:
			if (op.Device == wire.DeviceID{}) && l.Person == op.Person && (l.Instance == op.Instance || l.Instance != before.Instance && !c.at.parted(p, op.Person)) {
				return nil
			}
		case *RemoveDevice:
			if op.Device == l.Device && l.Person == op.Person && Cite(proof[0]) == l.Cites[0] {
				_, state, err := c.history(l.Person, l.PersonHead, proof[0])
				if err != nil {
					return err
				}
				return c.revoked(state, l.Device)
			}
		}
	}
	return c.refuse(ReasonCarry)
}

// parted reports whether a membership of person ended above p, on the way to n.
func (n *node) parted(p *node, person wire.PersonID) bool {
	for ; n != p; n = n.parent {
		if slices.ContainsFunc(n.Header.Ops, func(op Op) bool { return ends(op) == person }) {
			return true
		}
	}
	return false
}

// adminSince reports whether person is an admin at p, which lies below n, and
// was one without a break up to n. Who lost the role has lost what was removed
// with it: to give it back is not to do that again.
func (n *node) adminSince(p *node, person wire.PersonID) bool {
	for ; n != p; n = n.parent {
		if slices.ContainsFunc(n.Header.Ops, func(op Op) bool { return ends(op) == person || demotes(op) == person }) {
			return false
		}
	}
	return p.State.IsAdmin(person)
}

// demotes returns who is no admin any more by op, but a member; zero: nobody.
func demotes(op Op) wire.PersonID {
	if op, ok := op.(*SetRole); ok && op.Role == RoleMember {
		return op.Person
	}
	return wire.PersonID{}
}

// ends returns whose membership op ends; zero: nobody's.
func ends(op Op) wire.PersonID {
	switch op := op.(type) {
	case *Remove:
		return op.Person
	case *Leave:
		return op.Person
	case *Carry:
		if (op.Device == wire.DeviceID{}) {
			return op.Person
		}
	}
	return wire.PersonID{}
}
