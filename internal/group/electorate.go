package group

import (
	"encoding/binary"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Who votes. The admins' nodes see to it by themselves (docs/spec/group.md,
// "Settlement"): a small group's voters are all who have accepted, a larger one's
// its admins and who votes already. Who owes a word for too long is replaced.

// silence says, of devices that owe a word, since when: somebody else wrote or
// changed something then, and nothing of theirs has come since. A quiet group is
// not silent.
type silence map[wire.DeviceID]owed

type owed struct {
	since  uint64 // ms, company time
	stored bool
	silent bool // for so long that the electorate was looked at again
}

// demand takes note that a device wrote something that every voter is to
// acknowledge.
func (m *Machine) demand(from wire.DeviceID, eff *Effects) {
	m.hear(from, eff)
	for _, v := range m.votes.Voters() {
		if _, owes := m.silence[v.Device]; !owes && v.Device != from && v.Device != m.self.Device.ID() {
			m.silence[v.Device] = owed{since: m.company.time}
		}
	}
}

// hear takes note of something new that a device signed.
func (m *Machine) hear(from wire.DeviceID, eff *Effects) {
	m.meetAgain(from, eff)
	if m.silence[from].stored {
		eff.drop(KindSilence, from[:])
		m.electLook = true
	}
	delete(m.silence, from)
}

// keepSilence stores what lasts: most is over within seconds.
func (m *Machine) keepSilence(eff *Effects) {
	now := m.company.time
	for _, d := range sortedDevices(m.silence) {
		switch o := m.silence[d]; {
		case o.stored && !o.silent && o.since+silentVoter <= now:
			m.silence[d] = owed{o.since, true, true}
			m.electLook = true
		case !o.stored && o.since+silenceStored <= now:
			m.silence[d] = owed{since: o.since, stored: true}
			eff.put(KindSilence, d[:], binary.BigEndian.AppendUint64(nil, o.since))
		}
	}
}

func (l *loading) silence(rec Record) error {
	if len(rec.Key) != 32 || len(rec.Value) != 8 {
		return errRecord
	}
	since := min(binary.BigEndian.Uint64(rec.Value), l.m.company.time) // before there was company time it was by the clock
	l.m.silence[wire.DeviceID(rec.Key)] = owed{since: since, stored: true}
	return nil
}

// elect changes the electorate once it has needed to be changed for a while, so
// that several changes become one, and the most senior admin's node does it.
func (m *Machine) elect(now uint64, eff *Effects) {
	m.keepSilence(eff)
	if !m.electLook && !isDue(m.electDue, now) {
		return
	}
	m.electLook = false
	list := m.electorate()
	hurry := m.status == StatusLeaving && m.leaves[m.self.Person] != nil && m.decidesStill(m.self.Person) // it may not be here for long
	switch {
	case list == nil:
		m.electDue = 0
	case m.electDue == 0 && !hurry:
		m.electDue = now + electAfter + m.adminTurn()*electStep
	case hurry || isDue(m.electDue, now):
		m.electDue = 0
		if m.commit(now, change{ops: votersOps(list, m.chosen())}, eff) != nil {
			m.electDue = now + electAgain
		}
	}
}

// adminTurn is this device's place among the admins.
func (m *Machine) adminTurn() (turn uint64) {
	for _, who := range m.byRank() {
		if who.Person == m.self.Person {
			break
		}
		if who.Role == chain.RoleAdmin {
			turn++
		}
	}
	return turn
}

// electorate returns who is to vote, sorted; nil if that is not to be changed
// now, or not by this device.
func (m *Machine) electorate() []wire.PersonID {
	s := m.state()
	if !m.speaks() || m.epochs[m.head] == nil || s.OfPerson() || s.DirectChat() || !s.IsAdmin(m.self.Person) || !m.votersStand() || !m.allRead(FeatureRepair) {
		return nil
	}
	list := m.entitled(m.chosen())
	if len(list) == 0 {
		list = m.heir()
	}
	if len(list) == 0 || slices.Equal(list, s.Electorate()) {
		return nil
	}
	return list
}

// entitled returns who is to vote where nobody is in the way, sorted. Where an
// admin has chosen the voters nobody joins them.
func (m *Machine) entitled(chosen bool) (list []wire.PersonID) {
	s := m.state()
	before := s.Electorate()
	small := len(s.Members()) <= maxAllVote
	for _, who := range m.byRank() {
		entitled := slices.Contains(before, who.Person) ||
			!chosen && m.hasVote(who) && (small || who.Role == chain.RoleAdmin)
		if device, ok := m.earliest(who); !entitled || !ok || m.leaves[who.Person] != nil || m.silent(device) || len(list) == chain.MaxVoters {
			continue
		}
		list = append(list, who.Person)
	}
	slices.SortFunc(list, comparePerson)
	return list
}

// heir is who is to vote when this device's person leaves and nobody else would: the
// successor, or the next by rank; before both, who has accepted, for the others do not
// vote yet. Who has no device never does.
func (m *Machine) heir() []wire.PersonID {
	own := m.leaves[m.self.Person]
	if own == nil {
		return nil
	}
	heirs := m.byRank()
	if who, ok := m.state().Person(own.statement.Successor); ok && m.isMember(who.Person) {
		heirs = slices.Insert(heirs, 0, who)
	}
	heirs = slices.DeleteFunc(heirs, func(who chain.Member) bool {
		_, ok := m.earliest(who)
		return !ok || m.leaves[who.Person] != nil
	})
	at := max(0, slices.IndexFunc(heirs, m.hasVote))
	if at == len(heirs) {
		return nil
	}
	return []wire.PersonID{heirs[at].Person}
}

// silent reports whether a device has owed a word for too long.
func (m *Machine) silent(d wire.DeviceID) bool {
	o, owes := m.silence[d]
	return owes && o.since+silentVoter <= m.company.time
}

// votersStand reports whether the voters at the head are those of the current
// era: the last change of them is settled, and nobody is asked to stop voting.
func (m *Machine) votersStand() bool {
	if c := m.votes.Conflict(); c != nil && c.Stopped {
		return false
	}
	return slices.Equal(m.votes.Voters(), m.state().Voters())
}

// earliest returns the device that votes for a member who has one with keys.
func (m *Machine) earliest(who chain.Member) (wire.DeviceID, bool) {
	for _, d := range who.Devices {
		if m.state().Active(d.ID) {
			return d.ID, true
		}
	}
	return wire.DeviceID{}, false
}

// hasVote reports whether the device that votes for a member has accepted. Another of
// the person's may have instead; its word does not count.
func (m *Machine) hasVote(who chain.Member) bool {
	d, ok := m.earliest(who)
	return ok && m.hasAccepted(d)
}

// hasAccepted reports whether a device has accepted the invitation to its membership: by an
// Ack, or a block that it signed.
func (m *Machine) hasAccepted(d wire.DeviceID) bool {
	if d == m.self.Device.ID() || m.self.formerly(d) != nil {
		return m.status != StatusInvited && m.status != StatusDeclined
	}
	return m.acks[d] != nil || m.signedSince(d)
}
