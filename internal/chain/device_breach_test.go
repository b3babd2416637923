package chain_test

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// entering checks a block of by's that adds ben's second device, after change of
// op and papers.
func entering(by string, change func(*group, *chain.AddDevice, [][]byte)) func(*group) error {
	return func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		op, papers := g.addDevice(ben, 1, false)
		change(g, op, papers)
		_, _, err := g.try(g.person(by), 0, papers, op)
		return err
	}
}

var deviceBreaches = []breach{
	{"a device that is added without a package", "V5", chain.ReasonPackage, entering("cat", func(_ *group, op *chain.AddDevice, _ [][]byte) { op.Device.KeyPackageRef = wire.Digest{} })},
	{"a device adds itself with a package", "V5", chain.ReasonPackage, func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		op, papers := g.addDevice(ben, 1, false)
		_, _, err := g.try(ben, 1, papers, op)
		return err
	}},
	{"Unpark beside a Rekey", "V5", chain.ReasonAlone, ops("ben", func(g *group) []chain.Op {
		ben := g.person("ben")
		return []chain.Op{&chain.Unpark{Person: ben.id, Instance: g.instance("ben"), Device: ben.device(0)}, &chain.Rekey{}}
	})},
	{"a 17th device", "V5", chain.ReasonDevices, func(g *group) error {
		other := newGroup(g.t, chain.Policy{}, "ann")
		ben := other.person("ben")
		add := ben.add(chain.RoleMember, 1)
		for i := range 15 {
			add.Devices = append(add.Devices, chain.DeviceEntry{Key: [32]byte{byte(i)}})
			add.Cites = append(add.Cites, wire.Digest{})
		}
		_, s, err := chain.Draft(other.state(), other.params(other.person("ann"), add))
		if err != nil {
			return err
		}
		m, _ := s.Person(ben.id)
		ben.second(g.t)
		op, _ := other.addDevice(ben, 1, false)
		op.Instance = m.Instance
		_, _, err = chain.Draft(s, other.params(other.person("ann"), op))
		return err
	}},
}
