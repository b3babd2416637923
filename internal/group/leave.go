package group

import (
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A pendingLeave is a signed Leave that no block has committed yet.
type pendingLeave struct {
	statement *chain.LeaveStatement
	due       uint64 // ms; when this device commits it; 0: it is our own, or the head's rules refuse it
}

func (m *Machine) keepLeave(s *chain.LeaveStatement, due uint64, eff *Effects) {
	m.leaves[s.Person] = &pendingLeave{s, due}
	eff.put(KindLeave, s.Person[:], s.Marshal())
}

// takeLeave takes a Leave from a peer: true if it is new and holds.
func (m *Machine) takeLeave(now uint64, b []byte, eff *Effects) bool {
	s, err := chain.ParseLeaveStatement(b)
	if err != nil || !m.leaveHolds(s) {
		return false
	}
	if old := m.leaves[s.Person]; old != nil && (s.Person == m.self.Person || !m.replaces(s, old.statement)) {
		return false
	}
	if s.Person == m.self.Person { // this person said so on another device
		m.keepLeave(s, 0, eff)
		m.setStatus(StatusLeaving, eff)
		eff.Write = append(eff.Write, m.selfRecord())
		return true
	}
	m.keepLeave(s, m.leaveDue(now, s.Person), eff)
	return true
}

// leaveHolds reports whether a Leave is signed by a device of a member
// and ends the membership that the head knows.
func (m *Machine) leaveHolds(s *chain.LeaveStatement) bool {
	who, ok := m.state().Person(s.Person)
	if !ok || who.Status == chain.StatusRemoved || who.Instance != s.Instance || s.Group != m.group {
		return false
	}
	owner, d, ok := m.state().Device(s.Device)
	return ok && owner.Person == s.Person && m.state().Belongs(s.Device) && s.Verify(d.Key[:])
}

// replaces reports whether a Leave says who follows, and an older one names
// nobody who could.
func (m *Machine) replaces(s, old *chain.LeaveStatement) bool {
	return m.isMember(s.Successor) && !m.isMember(old.Successor)
}

// renewLeaves looks at the Leaves that wait, at a new head: one that was refused
// may hold now, and our own needs a successor if we became the last admin.
func (m *Machine) renewLeaves(now uint64, eff *Effects) {
	for _, person := range m.leavers() {
		if l := m.leaves[person]; person != m.self.Person && l.due == 0 {
			l.due = m.leaveDue(now, person)
		}
	}
	own := m.leaves[m.self.Person]
	if own == nil || m.status != StatusLeaving && m.status != StatusDeclined {
		return
	}
	if mine := m.self.Device.ID(); !m.state().Belongs(own.statement.Device) && m.state().Belongs(mine) {
		m.signLeave(own.statement.Successor, eff) // said on a device that is none of the person's at this head
		own = m.leaves[m.self.Person]
	}
	if m.isMember(own.statement.Successor) {
		return
	}
	s := m.state()
	if admins := s.Admins(); len(admins) != 1 || admins[0] != m.self.Person || len(s.Members()) == 1 {
		return
	}
	for _, who := range m.byRank() {
		if who.Person != m.self.Person {
			m.signLeave(who.Person, eff)
			return
		}
	}
}

// signLeave signs a Leave of our own and hands it to whoever is connected.
func (m *Machine) signLeave(successor wire.PersonID, eff *Effects) {
	instance := m.instance(m.head)
	m.keepLeave(chain.SignLeave(m.self.Device.Sign, m.group, m.self.Member(), instance, successor), 0, eff)
	m.sendLeave(eff)
}

// sendLeave hands our own Leave to whoever is connected.
func (m *Machine) sendLeave(eff *Effects) {
	payload := statementsFrame{leaves: [][]byte{m.leaves[m.self.Person].statement.Marshal()}}.bytes()
	for _, d := range m.connected(false) {
		eff.send(d, payload)
	}
}

// byRank returns the members, admins by seniority first, then by admission.
func (m *Machine) byRank() []chain.Member {
	members := m.state().Members()
	slices.SortFunc(members, func(a, b chain.Member) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Join, b.Join))
	})
	return members
}

// leaveDue is when this device commits a Leave: members by join order, one
// after the other, so that two rarely do it at once.
func (m *Machine) leaveDue(now uint64, leaver wire.PersonID) uint64 {
	turn := uint64(0)
	for _, who := range m.byRank() {
		if who.Person == m.self.Person {
			break
		}
		if who.Person != leaver && m.acceptedBy(who) {
			turn++
		}
	}
	return now + turn*leaveStep + 1
}

// commitLeaves commits the Leaves whose time has come.
func (m *Machine) commitLeaves(now uint64, eff *Effects) {
	if m.mayWrite() != nil {
		return
	}
	var due []wire.PersonID
	for person, l := range m.leaves {
		if l.due != 0 && l.due <= now {
			due = append(due, person)
		}
	}
	slices.SortFunc(due, comparePerson)
	for _, person := range due {
		l := m.leaves[person]
		who, _ := m.state().Person(person)
		if !m.leaveHolds(l.statement) {
			delete(m.leaves, person)
			eff.drop(KindLeave, person[:])
			continue
		}
		cited := l.statement.Marshal()
		op := &chain.Leave{
			Person: person, Instance: who.Instance, Cuts: m.cuts(who),
			Successor: l.statement.Successor, Cites: cites([][]byte{cited}),
		}
		err := m.commit(now, change{ops: []chain.Op{op}, attachments: [][]byte{cited}}, eff)
		if err != nil { // a rule refuses it at this head; it may hold at a later one
			l.due = 0
		}
	}
}

func (m *Machine) acceptedBy(who chain.Member) bool {
	return slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.acks[d.ID] != nil })
}
