package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A device that nobody heard of for long is set aside: its stale leaf weakens
// everybody's keys, since who finds the device reads on. Its person stays a member,
// and it comes back by itself (rejoin.go) and is given what it missed (handover.go).
//
//	heard ── silent for parkAfter, by the company of an admin's device ──> to be parked
//	to be parked ── anything of it is heard ──> heard
//	to be parked ── parkWait, and the turn of the admins ──> parked, all of them in one block
//	parked ── it is on again ──> unparks itself

// silent are the devices to be parked, as they were looked at last.
type silentDevices struct {
	head wire.BlockHash
	time uint64 // company, in units of companyStored
	list []wire.DeviceID
}

// toPark returns the devices to be parked, ascending.
func (m *Machine) toPark() []wire.DeviceID {
	if s, time := &m.silents, m.company.time/companyStored; s.head != m.head || s.time != time {
		*s = silentDevices{head: m.head, time: time}
		for _, d := range sortedDevices(m.company.heard) {
			if m.state().Active(d) && m.company.time >= m.company.heard[d]+parkAfter && len(s.list) < maxParked {
				s.list = append(s.list, d)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(m.silents.list), func(d wire.DeviceID) bool { return m.silentFor(d) < parkAfter })
}

// parkErrands is the block that parks them, by an admin's device. Who is to be
// parked needs no program that reads it: until it is a newer one it could only stop,
// as it has.
func (m *Machine) parkErrands() []errand {
	if !m.state().IsAdmin(m.self.Person) || len(m.toPark()) == 0 || !m.allReadBut(FeatureRepair, m.toPark()) {
		return nil
	}
	return []errand{{
		name:   errandName{kind: errandPark},
		others: func(who chain.Member) bool { return who.Role == chain.RoleAdmin },
		wait:   parkWait + m.chance(parkWait),
		do:     m.parkSilent,
	}}
}

func (m *Machine) parkSilent(now uint64, eff *Effects) error {
	var c change
	for _, d := range m.toPark() {
		who, _, _ := m.state().Device(d)
		c.ops = append(c.ops, &chain.Park{Person: who.Person, Instance: who.Instance, Device: d})
	}
	return m.commit(now, c, eff)
}

// allReadBut reports whether every device with keys at the head announces a
// feature, but for some.
func (m *Machine) allReadBut(feature uint16, some []wire.DeviceID) bool {
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if m.state().Active(d.ID) && !slices.Contains(some, d.ID) && !m.reads(d.ID, feature) {
				return false
			}
		}
	}
	return true
}
