package group

import (
	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// What is done about single devices of members: set aside, added, revoked.

// parkDevice takes the leaf of a device that was silent for long: a stale leaf weakens
// everybody's keys. The device comes back by itself.
func (m *Machine) parkDevice(now uint64, device wire.DeviceID, eff *Effects) error {
	who, err := m.deviceOf(device)
	if err != nil {
		return err
	}
	if !m.state().IsAdmin(m.self.Person) {
		return refuse(ReasonRole, nil)
	}
	if !m.state().Active(device) {
		return refuse(ReasonNoMember, nil)
	}
	op := &chain.Park{Person: who.Person, Instance: who.Instance, Device: device}
	return m.commit(now, change{ops: []chain.Op{op}}, eff)
}

// deviceOf returns the member whose device this one acts upon.
func (m *Machine) deviceOf(device wire.DeviceID) (chain.Member, error) {
	if err := m.mayWrite(); err != nil {
		return chain.Member{}, err
	}
	if device == m.self.Device.ID() {
		return chain.Member{}, refuse(ReasonSelf, nil)
	}
	who, _, _ := m.state().Device(device)
	if !m.state().Belongs(device) {
		return chain.Member{}, refuse(ReasonNoMember, nil)
	}
	return who, nil
}

func (m *Machine) addDevice(now uint64, c AddDevice, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	if !m.isMember(c.Person) {
		return refuse(ReasonNoMember, nil)
	}
	kp, err := usablePackage(c.Person, c.KeyPackage, mls.Suite(m.state().Suite()), now)
	if err != nil {
		return err
	}
	if m.state().Belongs(wire.Device(kp.SignatureKey())) {
		return refuse(ReasonMember, nil)
	}
	who, _ := m.state().Person(c.Person)
	entry := deviceEntry(kp.SignatureKey(), c.KnockKey, kp)
	op, cited, err := m.addDeviceOp(who, c.Headers, entry, c.KnockKey)
	if err != nil {
		return err
	}
	return m.commit(now, change{
		ops: []chain.Op{op}, attachments: cited, add: []*mls.KeyPackage{kp},
		newcomers: []Newcomer{{Person: c.Person}},
	}, eff)
}

// addDeviceOp makes the op that adds a device, with what it cites.
func (m *Machine) addDeviceOp(who chain.Member, headers [][]byte, entry chain.DeviceEntry, knock []byte) (*chain.AddDevice, [][]byte, error) {
	op := &chain.AddDevice{Device: entry}
	var cited [][]byte
	if !m.state().OfPerson() { // a person's own chain is the proof itself
		head, err := personHead(headers)
		if err != nil {
			return nil, nil, err
		}
		op.Person, op.Instance, op.PersonHead = who.Person, who.Instance, head
		cited = append(cited, proof(headers))
	}
	cited = append(cited, knock)
	op.Cites = cites(cited)
	return op, cited, nil
}

func (m *Machine) removeDevice(now uint64, c RemoveDevice, eff *Effects) error {
	who, err := m.deviceOf(c.Device)
	if err != nil {
		return err
	}
	op := &chain.RemoveDevice{Device: c.Device}
	for _, cut := range m.cuts(who) {
		if cut.Device == c.Device {
			op.Cuts = append(op.Cuts, cut)
		}
	}
	var cited [][]byte
	if !m.state().OfPerson() {
		head, err := personHead(c.Headers)
		if err != nil {
			return err
		}
		op.Person, op.Instance, op.PersonHead = who.Person, who.Instance, head
		cited = [][]byte{proof(c.Headers)}
		op.Cites = cites(cited)
	}
	return m.commit(now, change{ops: []chain.Op{op}, attachments: cited}, eff)
}
