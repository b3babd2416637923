package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A device that its person's chain has revoked is taken out of the group by whoever learns
// of that: by another device of the person, or else by any member, so that one act of the
// person is enough, also where no other device of it is in the group or on.
//
//	active ── papers of its person show it as revoked ──> to be taken out
//	to be taken out ── another device of the person, at once; another member after revokeWait ──> revoked

// revoked returns the devices that the chain of a person revokes, as its headers say; they
// were checked when they were taken.
func (p *personPapers) revoked() []wire.DeviceID {
	if p.looked {
		return p.gone
	}
	p.looked = true
	for _, h := range p.history() {
		for _, op := range h.Ops {
			switch op := op.(type) {
			case *chain.RemoveDevice:
				p.gone = append(p.gone, op.Device)
			case *chain.Leave:
				for _, cut := range op.Cuts {
					p.gone = append(p.gone, cut.Device)
				}
			}
		}
	}
	return p.gone
}

// revokeErrands takes such devices out, one in each block.
func (m *Machine) revokeErrands() (list []errand) {
	if m.state().OfPerson() {
		return nil
	}
	for person, p := range m.people {
		gone := p.revoked()
		at := slices.IndexFunc(gone, m.state().Belongs)
		if at < 0 || slices.Contains(gone, m.self.Device.ID()) {
			continue
		}
		e := errand{
			name:   errandName{kind: errandRevoke, person: person},
			others: func(who chain.Member) bool { return who.Person == person },
			do: func(now uint64, eff *Effects) error {
				return m.removeDevice(now, RemoveDevice{Device: gone[at], Headers: m.provable(person)}, eff)
			},
		}
		if person != m.self.Person {
			e.others, e.wait = func(chain.Member) bool { return true }, revokeWait+m.chance(errandChance)
		}
		list = append(list, e)
	}
	return list
}

// provable returns of the papers of a member what the group takes as proof.
func (m *Machine) provable(person wire.PersonID) [][]byte {
	var headers [][]byte
	for _, h := range m.people[person].history() {
		headers = append(headers, h.Bytes())
	}
	who, _ := m.state().Person(person)
	return provable(headers, who.PersonHead)
}
