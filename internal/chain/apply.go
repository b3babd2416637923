package chain

import (
	"slices"

	"kith/internal/wire"
)

// A change is a state on its way from one block to the next. Its slices are
// those of the parent until they are copied.
type change struct {
	*State
	parent  *State // nil in genesis
	h       *Header
	copied  bool // records is our own
	changed bool // the root must be computed again
}

// next returns the state after h, by the rules V1 to V5, V7 and V8 that need
// neither body nor signature. The parent must be the state that h.Parent names.
// It leaves state_root to its callers: Draft writes it, Check compares it.
func next(parent *State, h *Header) (*State, error) {
	if err := readable(h); err != nil {
		return nil, err
	}
	c := &change{parent: parent, h: h}
	steps := []func() error{c.place, c.author, c.authority, c.apply, c.quota}
	if parent == nil {
		c.State = new(State)
		steps = []func() error{c.genesis, c.apply}
	} else {
		s := *parent
		c.State = &s
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return c.finish()
}

// refuse returns the refusal of the block.
func (c *change) refuse(rule string, reason Reason) error {
	return &RejectError{rule, reason, c.h.Height}
}

// readable is V8 for blocks: an op without a number is invalid until a feature
// brings it.
func readable(h *Header) error {
	for _, op := range h.Ops {
		if _, unread := op.(*Unread); unread {
			return &RejectError{"V8", ReasonFeature, h.Height}
		}
	}
	switch {
	case h.Suite != SuiteAES && h.Suite != SuiteChaCha && h.Suite != SuiteXWing:
		return ErrNewer
	case len(h.Ops) == 0:
		return &RejectError{"V5", ReasonEmpty, h.Height}
	case h.Class != computedClass(h.Ops):
		return &RejectError{"V4", ReasonClass, h.Height}
	}
	return nil
}

// place is V2, but for the parent being known.
func (c *change) place() error {
	switch {
	case c.h.IsGenesis():
		return c.refuse("V1", ReasonOther)
	case c.h.Height != c.parent.height+1:
		return c.refuse("V2", ReasonHeight)
	case c.h.Suite != c.parent.suite && c.h.restart() == nil:
		return c.refuse("V2", ReasonSuite)
	case c.h.AuthorSeq <= c.parent.LastSeq(c.h.Author.Device):
		return c.refuse("V2", ReasonSeq)
	}
	return nil
}

// author is V3, but for the signature.
func (c *change) author() error {
	a := c.h.Author
	if c.parent.byRecovery(c.h) {
		return c.recover()
	}
	if c.h.External() {
		return c.joiner()
	}
	m, _, ok := c.parent.Device(a.Device)
	if !ok || m.Person != a.Person || !c.parent.Active(a.Device) {
		return c.refuse("V3", ReasonAuthor)
	}
	return nil
}

// apply is V5: the ops, in order.
func (c *change) apply() error {
	for i, op := range c.h.Ops {
		if err := c.applyOp(i, op); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) applyOp(i int, op Op) error {
	switch op := op.(type) {
	case *Add:
		return c.add(i, op)
	case *Remove:
		return c.remove(op.Person, op.Instance, op.Cuts)
	case *SetRole:
		return c.setRole(op)
	case *SetPolicy:
		return c.setPolicy(op)
	case *SetInfo:
		if op.Info == c.info {
			return c.refuse("V5", ReasonNoChange)
		}
		c.info, c.changed = op.Info, true
	case *Leave:
		return c.leave(op)
	case *Park:
		return c.park(op)
	case *Unpark:
		return c.unpark(op)
	case *AddDevice:
		return c.addDevice(op)
	case *RemoveDevice:
		return c.removeDevice(op)
	case *Carry:
		return c.carry(op)
	case *Slash:
		return c.slash(op)
	case *Restart:
		return c.restart(i, op)
	case *Package:
		return c.newPackage(op)
	}
	return nil
}

// current returns the membership that an op names.
func (c *change) current(person wire.PersonID, in wire.Instance) (Member, error) {
	m, ok := c.Person(person)
	if !ok || m.Status == StatusRemoved || m.Instance != in {
		return Member{}, c.refuse("V5", ReasonNotMember)
	}
	return m, nil
}

// remove ends a membership that was there at the parent: the commit of a block
// cannot remove a leaf that it adds.
func (c *change) remove(person wire.PersonID, in wire.Instance, cuts []Cut) error {
	m, err := c.current(person, in)
	if err != nil {
		return err
	}
	if before, ok := c.parent.Person(person); !ok || before.Instance != in {
		return c.refuse("V5", ReasonNotMember)
	}
	if err := c.checkCuts(m, cuts); err != nil {
		return err
	}
	m.Status, m.Role, m.Rank = StatusRemoved, RoleMember, NoRank
	m.Devices = slices.Clone(m.Devices)
	for i := range m.Devices {
		if m.Devices[i].Status != StatusRevoked {
			m.Devices[i].Status = StatusRemoved
		}
	}
	c.put(m)
	return nil
}

// checkCuts: devices of m, ascending.
func (c *change) checkCuts(m Member, cuts []Cut) error {
	for i, cut := range cuts {
		if i > 0 && slices.Compare(cuts[i-1].Device[:], cut.Device[:]) >= 0 {
			return c.refuse("V5", ReasonCut)
		}
		if a := c.devices.get(cut.Device); a == nil || a.person != m.Person {
			return c.refuse("V5", ReasonCut)
		}
	}
	return nil
}

func (c *change) setRole(op *SetRole) error {
	m, err := c.current(op.Person, op.Instance)
	if err != nil {
		return err
	}
	if m.Role == op.Role {
		return c.refuse("V5", ReasonNoChange)
	}
	if m.Role, m.Rank = op.Role, NoRank; op.Role == RoleAdmin {
		m.Rank = c.nextRank()
	}
	c.put(m)
	return nil
}

// leave removes who signed; if that was the last admin, its successor takes over.
func (c *change) leave(op *Leave) error {
	if c.ofPerson {
		return c.leaveDevice(op)
	}
	if len(op.Cites) != 1 {
		return c.refuse("V6", ReasonAttachment)
	}
	if err := c.remove(op.Person, op.Instance, op.Cuts); err != nil {
		return err
	}
	if len(c.Admins()) > 0 {
		return nil
	}
	m, ok := c.Person(op.Successor)
	if !ok || m.Status == StatusRemoved {
		return c.refuse("V4", ReasonNoAdmin)
	}
	m.Role, m.Rank = RoleAdmin, c.nextRank()
	c.put(m)
	return nil
}

// quota is V7.
func (c *change) quota() error {
	var rekeys, unparks int
	for _, op := range c.h.Ops {
		switch op.(type) {
		case *Rekey:
			rekeys++
		case *Unpark:
			unparks++
		}
	}
	if rekeys > 0 && c.recent(func(a *activity) []uint64 { return a.rekeys })+rekeys > MaxRekeys {
		return c.refuse("V7", ReasonRekeys)
	}
	a := *c.devices.get(c.h.Author.Device)
	if unparks > 0 {
		if a.unparked = c.h.Height; c.calledFor() {
			unparks = 0
		}
	} else {
		c.traced()
	}
	if unparks > 0 && c.recent(func(a *activity) []uint64 { return a.unparks })+unparks > MaxUnparks {
		return c.refuse("V7", ReasonUnparks)
	}
	c.devices = c.devices.put(a.sign(c.h.AuthorSeq, c.h.Height, rekeys, unparks), 0)
	return nil
}

// calledFor reports whether another person signed a block, other than an Unpark,
// since the author's person came back last: that block may have shut it out. Who
// could park or poison it once more than it may come back would shut it out for ever.
func (c *change) calledFor() bool {
	person := c.h.Author.Person
	m, _ := c.parent.Person(person)
	var before uint64
	for _, d := range m.Devices {
		before = max(before, c.devices.get(d.ID).unparked)
	}
	block := c.parent.newest
	if block.person == person {
		block = c.parent.others
	}
	return before == 0 || block.height > before
}

// traced notes who signed a block that is no Unpark.
func (c *change) traced() {
	if person := c.h.Author.Person; c.newest.person != person {
		c.others, c.newest.person = c.newest, person
	}
	c.newest.height = c.h.Height
}

// recent counts the author's blocks within the window, over all its devices.
func (c *change) recent(heights func(*activity) []uint64) (n int) {
	m, _ := c.parent.Person(c.h.Author.Person)
	window := QuotaWindow * c.parent.count()
	for _, d := range m.Devices {
		for _, height := range heights(c.devices.get(d.ID)) {
			if height+window > c.h.Height {
				n++
			}
		}
	}
	return n
}

// finish checks what must hold after all ops and computes the root.
func (c *change) finish() (*State, error) {
	c.height = c.h.Height
	if !c.changed {
		return c.State, nil
	}
	admins := c.Admins()
	if len(admins) == 0 {
		return nil, c.refuse("V4", ReasonNoAdmin)
	}
	voters := slices.DeleteFunc(slices.Clone(c.electorate), func(id wire.PersonID) bool {
		m, _ := c.Person(id)
		return m.Status == StatusRemoved
	})
	if len(voters) == 0 {
		voters = admins[:1:1]
	}
	c.electorate = voters
	c.root = c.computeRoot()
	return c.State, nil
}

// put writes m into the records.
func (c *change) put(m Member) {
	at, known := c.find(m.Person)
	if !c.copied {
		c.records = slices.Clone(c.records)
	}
	c.copied, c.changed = true, true
	if known {
		c.records[at] = newRecord(m)
	} else {
		c.records = slices.Insert(c.records, at, newRecord(m))
	}
}
