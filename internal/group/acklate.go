package group

import (
	"slices"

	"kith/internal/wire"
)

// When Acks go along the tree that who waits for them got already (ackprompt.go): once they
// are a small part of what was said, or after a while, at the same time everywhere, so that many go
// together. Times are of the clock, and each group has its own.

// passAt returns when an Ack goes on along the tree; false if it need not.
func (m *Machine) passAt(d, from wire.DeviceID, first bool) (at uint64, passes bool) {
	f := &m.ackWay
	follows := func(of func(wire.DeviceID) bool) bool {
		return m.anyPeer(func(p *peer) bool { return p.follows && of(p.member.Device) })
	}
	switch seq := m.acks[d].Seq; {
	case m.prompt.direct && !first, m.prompt.direct && !follows(func(wire.DeviceID) bool { return true }):
		f.calm = m.soon(f.calm, m.passLate()+ackSlowly) // its author passes it on, if it stays
		return 0, false
	case f.passed[d] == seq:
		return 0, false
	case from == f.device && !follows(func(of wire.DeviceID) bool { return of != from }):
		return 0, false // nobody is beyond
	default:
		if f.passed == nil {
			f.passed = make(map[wire.DeviceID]uint64)
		}
		f.passed[d] = seq
	}
	if from == f.device && lessID(from, m.self.Device.ID()) { // the first of all follows one below it
		return m.now + ackPassAfter, true
	}
	return m.passLate(), true
}

// passLate returns when Acks go on next that nobody waits for: first from those below.
func (m *Machine) passLate() uint64 {
	every := max(ackSlowly, uint64(len(m.ackWay.list))*ackTravels*hour/ackLateIdle)
	shift := uint64(ackChance(wire.DeviceID(m.group), 0)) % every
	return m.now - (m.now+shift)%every + every + m.ackHeight()*ackPassAfter
}

// passSoon has Acks passed on once entries have come of so many bytes that theirs are few beside them.
func (m *Machine) passSoon(now uint64) {
	f := &m.ackWay
	if len(f.news) > 0 && f.bytes >= ackLateShare*uint64(len(f.list))*ackTravels {
		f.bytes = 0
		f.pass = m.soon(f.pass, now+m.ackHeight()*ackPassAfter)
	}
}

// ackHeight is how many follow each other below this device.
func (m *Machine) ackHeight() (height uint64) {
	list := m.ackWay.list
	at, _ := slices.BinarySearchFunc(list, m.self.Device.ID(), compareID)
	for at = at*ackBranches + 1; at < len(list); at = at*ackBranches + 1 {
		height++
	}
	return height
}
