package group

import (
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What was said before somebody came. The policy of the block that admitted a person
// says how much of it each member hands over (chain.Policy); who is admitted asks for it,
// a page at a time, the newest first, from whichever member has it.
//
//	floor ── names ──> wanted ── ask ──> header ── with what it says ──> shown
//	                     ^                 │   └── without ──> lacking ── ask others ──> shown
//	                     └───── names ─────┘
//
// A header is taken in because something above names it by hash, down to the first of
// its log, so nobody can add, change or leave out anything unseen; what it says is proved
// by content_commit. Only how far up it goes is the inviter's word, until enough members
// have signed an Ack of the same frontier.

// earlier is what this device has and lacks of the time before it came.
type earlier struct {
	past    *dag.Past                  // below the floor; nil: there is nothing, or none of it is given
	begun   wire.BlockHash             // that admitted this device's person, when it was last looked at; zero: never
	given   bool                       // what is wanted is given
	lacking map[dag.Ref]bool           // the header is here, or in the graph, and what it says is not
	sorted  []dag.Ref                  // lacking, ascending, and some that are lacking no more
	vouch   map[dag.Ref]wire.BlockHash // of wanted ones by who was removed: the block of who names it
	proved  bool                       // enough members have acknowledged what the floor led to
	looked  [2]uint64                  // Acks taken and entries held when that was last looked for
	ended   map[wire.PersonID]bool     // who says that what is wanted still is older than the policy gives

	from  wire.DeviceID // who is asked, or was last
	until uint64        // ms; 0: nobody is
	found bool          // the answer brought something new
	names dag.Ref       // the last that was asked for by name
	parts int           // frames of the answer so far

	told EarlierView // as last announced
}

// An admittance is what the block that made somebody a member gives of the time before.
type admittance struct {
	block wire.BlockHash
	gives bool
	least uint64 // ms; the lowest order that is given
}

// admittance returns what a member is given by the block that made it one. The days of
// the policy count back from the latest clock of that block and those before it: who
// invites with a clock that is behind does not give more by that.
func (m *Machine) admittance(person wire.PersonID) (a admittance, ok bool) {
	came, ok := m.register().came[person]
	if !ok {
		return a, false
	}
	a.block = came.block
	switch p := m.stateAt(came.block).Policy(); p.History {
	case chain.HistoryAll:
		a.gives = true
	case chain.HistorySince:
		a.gives = true
		a.least = came.latest - min(came.latest, uint64(p.HistoryDays)*dayMS)
	}
	return a, true
}

// isBefore reports whether a block is no successor of the one that admitted somebody.
func (m *Machine) isBefore(a admittance, block wire.BlockHash) bool {
	return block != a.block && !m.blocks.IsAncestor(a.block, block)
}

// grants says what a member that has asked is given of an entry of a block, by its order.
// Of the time since its person came it is given what another device of that person could
// read, and what was written for itself: it may have no keys of it, as who came back by an
// external commit past blocks of which nobody had the commits.
func (m *Machine) grants(who wire.Member, a admittance, block wire.BlockHash, order uint64) dag.Given {
	at := m.stateAt(block)
	switch {
	case m.isBefore(a, block) && (!a.gives || order < a.least):
		return dag.GivenNothing
	case at == nil: // of a branch that is not here
		return dag.GivenHeader
	case m.isBefore(a, block), at.Active(who.Device):
		return dag.GivenAll
	}
	if _, _, known := at.Device(who.Device); known || !m.inSince(who.Person, at) {
		return dag.GivenHeader
	}
	return dag.GivenAll
}

// beginEarlier begins to look for what was said before, once it is known that this device
// may have it, and anew when its person or the device itself is admitted anew. What is here
// stays. What is given follows from the head alone: the Welcome of the block that admits
// this device again may come later than the block.
func (m *Machine) beginEarlier() {
	e := &m.earlier
	a, ok := m.admittance(m.self.Person)
	given := a.gives || a.block != m.came(m.self.Device.ID())
	if !ok || e.begun == a.block && e.given == given || m.state().OfPerson() {
		return
	}
	e.begun, e.given = a.block, given
	if e.past == nil && e.given {
		e.past = dag.NewPast(m.graph)
	}
	if e.past != nil && !e.given && e.past.Len() == 0 {
		e.past = nil
	}
}

// noteLacking takes note of an entry that is in the graph and of which this device has no
// keys, or no ciphertext: true if others give what it says.
func (m *Machine) noteLacking(h *dag.Header, eff *Effects) bool {
	a, ok := m.admittance(m.self.Person)
	if !ok || m.isDeleted(h, m.authorOf(h)) || m.isOver(h) || m.grants(m.self.Member(), a, h.Block, h.Order) != dag.GivenAll {
		return false
	}
	m.keepLacking(h, eff)
	return true
}

func (m *Machine) keepLacking(h *dag.Header, eff *Effects) {
	if ref := h.Ref(); !m.earlier.lacking[ref] {
		m.earlier.lacking[ref], m.earlier.sorted = true, nil
		m.noteBlank(h)
		eff.put(KindLacking, EntryKey(ref), []byte{})
		m.askAllFor(ref)
	}
}

func (m *Machine) dropLacking(ref dag.Ref, eff *Effects) {
	if m.earlier.lacking[ref] {
		delete(m.earlier.lacking, ref)
		eff.drop(KindLacking, EntryKey(ref))
	}
}

// lowerEarlier follows what a newer entry takes back of the floor.
func (m *Machine) lowerEarlier(h *dag.Header) {
	if m.earlier.past != nil && m.graph.Overclaims(h) {
		m.earlier.past.Lower(h)
		m.askAllEarlier()
	}
}
