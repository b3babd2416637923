package group

import (
	"crypto/ed25519"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A pendingLeave is a signed Leave that no block has committed yet.
type pendingLeave struct {
	statement *chain.LeaveStatement
	since     uint64 // ms that had gone by when it was here first, see Machine.elapsed; 0: not looked at since a start
}

func (m *Machine) keepLeave(s *chain.LeaveStatement, eff *Effects) {
	m.leaves[s.Person] = &pendingLeave{s, m.elapsed}
	m.electLook = true
	delete(m.turns, errandName{kind: errandLeave, person: s.Person}) // another one may have been refused
	eff.put(KindLeave, s.Person[:], s.Marshal())
}

// takeLeave takes a Leave from a device: true if it is new and holds.
func (m *Machine) takeLeave(b []byte, from wire.DeviceID, eff *Effects) bool {
	s, err := chain.ParseLeaveStatement(b)
	if err != nil {
		return false
	}
	if old := m.leaves[s.Person]; old != nil && (s.Person == m.self.Person || !m.replaces(s, old.statement)) {
		return false
	}
	if key := m.leaveKey(s); key == nil || !m.falseShares.hold(m.now, from, s.Verify, key) {
		return false
	}
	if s.Person == m.self.Person { // this person said so on another device
		m.keepLeave(s, eff)
		m.setStatus(StatusLeaving, eff)
		eff.Write = append(eff.Write, m.selfRecord())
		return true
	}
	m.keepLeave(s, eff)
	return true
}

// leaveHolds reports whether a Leave is signed by a device of a member
// and ends the membership that the head knows.
func (m *Machine) leaveHolds(s *chain.LeaveStatement) bool {
	key := m.leaveKey(s)
	return key != nil && s.Verify(key)
}

// leaveKey is what a Leave has to be signed with; nil: it ends no membership that the head knows.
func (m *Machine) leaveKey(s *chain.LeaveStatement) ed25519.PublicKey {
	who, ok := m.state().Person(s.Person)
	if !ok || who.Status == chain.StatusRemoved || who.Instance != s.Instance || s.Group != m.group {
		return nil
	}
	owner, d, ok := m.state().Device(s.Device)
	if !ok || owner.Person != s.Person || !m.state().Belongs(s.Device) {
		return nil
	}
	return d.Key[:]
}

// replaces reports whether a Leave says who follows, and an older one names
// nobody who could.
func (m *Machine) replaces(s, old *chain.LeaveStatement) bool {
	return m.isMember(s.Successor) && !m.isMember(old.Successor)
}

// renewLeave looks at our own Leave that waits, at a new head: it needs a
// successor if we became the last admin.
func (m *Machine) renewLeave(eff *Effects) {
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
	m.keepLeave(chain.SignLeave(m.self.Device.Sign, m.group, m.self.Member(), instance, successor), eff)
	m.sendLeave(eff)
}

// sendLeave hands our own Leave to whoever is connected.
func (m *Machine) sendLeave(eff *Effects) {
	payload := statementsFrame{leaves: [][]byte{m.leaves[m.self.Person].statement.Marshal()}}.bytes()
	for _, d := range m.connected(false) {
		eff.send(d, payload)
	}
}

// leaveErrands are the Leaves of others that wait.
func (m *Machine) leaveErrands() (list []errand) {
	for person := range m.leaves {
		if person != m.self.Person {
			list = append(list, errand{
				name:   errandName{kind: errandLeave, person: person},
				others: func(who chain.Member) bool { return who.Person != person },
				wait:   1 + m.chance(errandChance),
				do:     func(now uint64, eff *Effects) error { return m.commitLeave(now, person, eff) },
			})
		}
	}
	return list
}

// decidesStill reports whether a Leave waits: the vote of who leaves is needed, and has
// been waited for less than leaveWait.
func (m *Machine) decidesStill(person wire.PersonID) bool {
	l := m.leaves[person]
	if l.since == 0 {
		l.since = m.elapsed
	}
	return m.elapsed-l.since < leaveWait && m.voteNeeded(person)
}

// voteNeeded reports whether nothing could be settled any more without somebody who
// leaves, and something can with it. A device that was taken out never votes, nor does a
// leaver that has not accepted. That another voter has accepted may not be known here yet:
// it counts, for waiting in vain ends after a day and what is lost stays lost.
func (m *Machine) voteNeeded(person wire.PersonID) bool {
	return m.neededOf(func(v wire.Member) bool { return v.Person == person })
}

// neededOf is voteNeeded of a voter.
func (m *Machine) neededOf(is func(wire.Member) bool) bool {
	if m.state().DirectChat() {
		return false
	}
	voters := m.votes.Voters()
	votes, others := false, 0
	for _, v := range voters {
		switch belongs := m.state().Belongs(v.Device); {
		case is(v):
			votes = belongs && m.hasAccepted(v.Device)
		case belongs:
			others++
		}
	}
	return votes && others+1 == chain.Quorum(len(voters))
}

// leaveAwaits returns whose votes the own Leave waits for, by person; nobody if no
// change of voters has been proposed yet. It is false if it does not wait for votes.
func (m *Machine) leaveAwaits() (list []wire.PersonID, waits bool) {
	if m.status != StatusLeaving || m.leaves[m.self.Person] == nil || !m.voteNeeded(m.self.Person) {
		return nil, false
	}
	f := m.Finality()
	for _, v := range m.votes.Voters() {
		if f.Voting > 0 && v.Device != m.self.Device.ID() && m.state().Belongs(v.Device) && !slices.Contains(f.Voted, v.Person) {
			list = append(list, v.Person)
		}
	}
	return list, true
}

// commitLeave makes the block that a Leave asks for.
func (m *Machine) commitLeave(now uint64, person wire.PersonID, eff *Effects) error {
	l := m.leaves[person]
	if !m.leaveHolds(l.statement) {
		delete(m.leaves, person)
		eff.drop(KindLeave, person[:])
		return nil
	}
	if m.decidesStill(person) {
		return refuse(ReasonUnsettled, nil)
	}
	who, _ := m.state().Person(person)
	cited := l.statement.Marshal()
	op := &chain.Leave{
		Person: person, Instance: who.Instance, Cuts: m.cuts(who),
		Successor: l.statement.Successor, Cites: cites([][]byte{cited}),
	}
	return m.commit(now, change{ops: []chain.Op{op}, attachments: [][]byte{cited}}, eff)
}

func (m *Machine) acceptedBy(who chain.Member) bool {
	return slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.acks[d.ID] != nil })
}
