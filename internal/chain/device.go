package chain

import (
	"slices"

	"kith/internal/wire"
)

// External reports whether the commit in the body must be an external one (RFC
// 9420 section 12.4.3.2): a device comes back, or adds itself. Such a block has
// no other op.
func (h *Header) External() bool {
	if len(h.Ops) != 1 {
		return false
	}
	switch op := h.Ops[0].(type) {
	case *Unpark:
		return true
	case *AddDevice:
		return op.Device.ID() == h.Author.Device
	}
	return false
}

// joiner is V3 for the author of an external commit: a device of a member that
// names itself.
func (c *change) joiner() error {
	a := c.h.Author
	switch op := c.h.Ops[0].(type) {
	case *Unpark:
		if m, _, ok := c.parent.Device(a.Device); ok && m.Person == a.Person && c.parent.Belongs(a.Device) &&
			op.Device == a.Device && op.Person == a.Person {
			return nil
		}
	case *AddDevice:
		if op.Person == a.Person && !c.ofPerson {
			return nil
		}
	}
	return c.refuse("V3", ReasonAuthor)
}

// owner returns the member whose device an op names; it was one at the parent.
func (c *change) owner(person wire.PersonID, in wire.Instance) (Member, error) {
	if (person == wire.PersonID{}) != c.ofPerson {
		return Member{}, c.refuse("V4", ReasonPersonField)
	}
	if c.ofPerson {
		if (in != wire.Instance{}) {
			return Member{}, c.refuse("V4", ReasonPersonField)
		}
		return c.records[0].Member, nil
	}
	m, err := c.current(person, in)
	if err != nil {
		return Member{}, err
	}
	if before, ok := c.parent.Person(person); !ok || before.Instance != in {
		return Member{}, c.refuse("V5", ReasonNotMember)
	}
	return m, nil
}

// head checks the person_head of an op and how much it cites: in a person's
// own chain there is no proof.
func (c *change) head(head wire.BlockHash, cites, want int) error {
	if (head == wire.BlockHash{}) != c.ofPerson {
		return c.refuse("V4", ReasonPersonField)
	}
	if c.ofPerson {
		want--
	}
	if cites != want {
		return c.refuse("V6", ReasonAttachment)
	}
	return nil
}

func (c *change) addDevice(op *AddDevice) error {
	m, err := c.owner(op.Person, op.Instance)
	if err != nil {
		return err
	}
	if err := c.head(op.PersonHead, len(op.Cites), 2); err != nil {
		return err
	}
	itself := op.Device.ID() == c.h.Author.Device
	switch {
	case itself != (op.Device.KeyPackageRef == wire.Digest{}):
		return c.refuse("V5", ReasonPackage)
	case m.belonging() >= MaxDevices:
		return c.refuse("V5", ReasonDevices)
	}
	if err := c.room(&m); err != nil {
		return err
	}
	m.Devices = slices.Clone(m.Devices)
	if err := c.admit(&m, op.Device); err != nil {
		return err
	}
	a := *c.devices.get(op.Device.ID())
	a.added = c.h.Height
	c.devices = c.devices.put(&a, 0)
	m.PersonHead = op.PersonHead
	c.put(m)
	return nil
}

func (c *change) removeDevice(op *RemoveDevice) error {
	m, err := c.owner(op.Person, op.Instance)
	if err != nil {
		return err
	}
	if err := c.head(op.PersonHead, len(op.Cites), 1); err != nil {
		return err
	}
	if len(op.Cuts) > 0 && op.Cuts[0].Device != op.Device {
		return c.refuse("V5", ReasonCut)
	}
	m.PersonHead = op.PersonHead
	return c.setDevice(m, op.Device, StatusRevoked)
}

// park takes the leaf of a device that had one at the parent.
func (c *change) park(op *Park) error {
	m, err := c.owner(op.Person, op.Instance)
	if err != nil {
		return err
	}
	if !c.parent.Active(op.Device) || !c.Active(op.Device) {
		return c.refuse("V5", ReasonDevice)
	}
	return c.setDevice(m, op.Device, StatusParked)
}

func (c *change) unpark(op *Unpark) error {
	if len(c.h.Ops) > 1 {
		return c.refuse("V5", ReasonAlone)
	}
	m, err := c.owner(op.Person, op.Instance)
	if err != nil {
		return err
	}
	return c.setDevice(m, op.Device, StatusActive)
}

// setDevice writes m with another status of one of its devices, which belonged
// at the parent and still does.
func (c *change) setDevice(m Member, id wire.DeviceID, status Status) error {
	i := slices.IndexFunc(m.Devices, func(d Device) bool { return d.ID == id })
	if i < 0 || !c.parent.Belongs(id) || !c.Belongs(id) {
		return c.refuse("V5", ReasonDevice)
	}
	m.Devices = slices.Clone(m.Devices)
	m.Devices[i].Status = status
	c.put(m)
	return nil
}

// newPackage notes the last-resort package of the author's device.
func (c *change) newPackage(op *Package) error {
	if len(op.Cites) != 1 {
		return c.refuse("V6", ReasonAttachment)
	}
	a := *c.devices.get(c.h.Author.Device)
	i := slices.IndexFunc(a.packages, func(p lastResort) bool { return p.suite == op.Suite })
	switch {
	case (op.KeyPackageRef == wire.Digest{}) || i < 0 && len(a.packages) == MaxPackages:
		return c.refuse("V5", ReasonPackage)
	case i >= 0 && a.packages[i].ref == op.KeyPackageRef:
		return c.refuse("V5", ReasonNoChange)
	}
	a.packages = slices.Clone(a.packages)
	if i < 0 {
		i, a.packages = len(a.packages), append(a.packages, lastResort{})
	}
	a.packages[i] = lastResort{op.Suite, op.KeyPackageRef, c.h.Height}
	c.devices = c.devices.put(&a, 0)
	return nil
}

// belonging counts the devices that are active or parked.
func (m *Member) belonging() (n int) {
	for _, d := range m.Devices {
		if d.Status == StatusActive || d.Status == StatusParked {
			n++
		}
	}
	return n
}
