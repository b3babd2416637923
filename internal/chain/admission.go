package chain

import (
	"slices"

	"kith/internal/wire"
)

// add admits a person, for the first time or again.
func (c *change) add(i int, op *Add) error {
	if (op.Person == wire.PersonID{}) || (op.PersonHead == wire.BlockHash{}) {
		return c.refuse("V4", ReasonPersonField)
	}
	if len(op.Cites) != 1+len(op.Devices) {
		return c.refuse("V6", ReasonAttachment)
	}
	at, known := c.find(op.Person)
	m := Member{Person: op.Person, Join: c.nextJoin(), Rank: NoRank}
	if known {
		old := c.records[at].Member
		if old.Status != StatusRemoved {
			return c.refuse("V5", ReasonMember)
		}
		m.Devices = slices.Clone(old.Devices)
	}
	m.Instance = instance(op.Person, c.h.Parent, c.nonce(), i)
	m.PersonHead = op.PersonHead
	if m.Role = op.Role; m.Role == RoleAdmin {
		m.Rank = c.nextRank()
	}
	for _, d := range op.Devices {
		if err := c.admit(&m, d); err != nil {
			return err
		}
	}
	c.put(m)
	return nil
}

// admit appends device d to m. A device that was removed with its person moves
// to the end; one that was revoked never comes back.
func (c *change) admit(m *Member, d DeviceEntry) error {
	id := d.ID()
	if c.ofPerson && id == c.recoveryID {
		return c.refuse("V5", ReasonDevice)
	}
	if a := c.devices.get(id); a == nil {
		c.devices = c.devices.put(&activity{device: id, person: m.Person}, 0)
	} else if a.person != m.Person {
		return c.refuse("V5", ReasonDevice)
	}
	if i := slices.IndexFunc(m.Devices, func(d Device) bool { return d.ID == id }); i >= 0 {
		if m.Devices[i].Status != StatusRemoved {
			return c.refuse("V5", ReasonDevice)
		}
		m.Devices = slices.Delete(m.Devices, i, i+1)
	}
	if !c.ofPerson && len(m.Devices) >= MaxDevicesEver {
		return c.refuse("V5", ReasonDevices)
	}
	m.Devices = append(m.Devices, Device{ID: id, Key: d.Key, KnockHash: d.KnockHash})
	return nil
}

// nextJoin and nextRank follow from the records alone.
func (c *change) nextJoin() (n uint32) {
	for _, r := range c.records {
		n = max(n, r.Join+1)
	}
	return n
}

func (c *change) nextRank() (n uint32) {
	for _, r := range c.records {
		if r.Rank != NoRank {
			n = max(n, r.Rank+1)
		}
	}
	return n
}

// nonce returns that of the Genesis op in a genesis block.
func (c *change) nonce() *[32]byte {
	if g, ok := c.h.Ops[0].(*Genesis); ok {
		return &g.Nonce
	}
	return nil
}

// instance is H("instance", person, hash of the admitting block's parent or in
// genesis the nonce, u16 op index).
func instance(person wire.PersonID, parent wire.BlockHash, nonce *[32]byte, op int) wire.Instance {
	from := [32]byte(parent)
	if nonce != nil {
		from = *nonce
	}
	return wire.Instance(wire.Hash(wire.HashInstance, person[:], from[:], []byte{byte(op >> 8), byte(op)}))
}
