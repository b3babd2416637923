package chain

import "kith/internal/wire"

// authority is V4 as far as the parent state decides it.
func (c *change) authority() error {
	for _, op := range c.h.Ops {
		if op.Kind() == KindGenesis {
			return c.refuse("V1", ReasonGenesis)
		}
		check := c.groupAuthority
		if c.ofPerson {
			check = c.personAuthority
		}
		if err := check(op); err != nil {
			return err
		}
	}
	return nil
}

// personAuthority: every device of a person may do what occurs in its chain.
func (c *change) personAuthority(op Op) error {
	switch op := op.(type) {
	case *SetInfo, *Rekey, *Package, *AddDevice, *Restart:
		return nil
	case *Leave:
		if len(op.Cuts) == 1 {
			return c.notMyself(op.Cuts[0].Device)
		}
		return nil
	case *RemoveDevice:
		return c.notMyself(op.Device)
	}
	return c.refuse("V4", ReasonPolicy)
}

func (c *change) groupAuthority(op Op) error {
	me := c.h.Author.Person
	admin := c.parent.IsAdmin(me)
	switch op := op.(type) {
	case *Rekey, *Unpark, *AddDevice:
		return nil
	case *RemoveDevice:
		return c.notMyself(op.Device)
	case *Carry:
		if (op.Device == wire.DeviceID{}) && op.Person == me {
			return c.refuse("V4", ReasonSelf)
		}
		return c.notMyself(op.Device)
	case *Slash:
		return c.notMyself(op.Device)
	case *Restart:
		return c.mayRestart(op)
	case *Package:
		return c.refuse("V4", ReasonPolicy)
	case *Leave:
		if op.Person == me {
			return c.refuse("V4", ReasonSelf)
		}
		return nil
	case *SetInfo, *SetPolicy:
	case *Park:
		if err := c.notMyself(op.Device); err != nil {
			return err
		}
	case *Add:
		admin = admin || c.parent.policy.MembersInvite && op.Role == RoleMember
		if c.parent.policy.Direct {
			return c.refuse("V4", ReasonDirect)
		}
	case *Remove:
		if c.parent.policy.Direct {
			return c.refuse("V4", ReasonDirect)
		}
		if op.Person == me {
			return c.refuse("V4", ReasonSelf)
		}
	case *SetRole:
		if c.parent.policy.Direct {
			return c.refuse("V4", ReasonDirect)
		}
	}
	if !admin {
		return c.refuse("V4", ReasonRole)
	}
	return nil
}

// notMyself: a commit cannot take its author's own leaf.
func (c *change) notMyself(d wire.DeviceID) error {
	if d == c.h.Author.Device {
		return c.refuse("V4", ReasonSelf)
	}
	return nil
}
