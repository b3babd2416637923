package chain_test

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// deviceGroup is ann, an admin, ben*, and cat; ben has two devices in it.
func deviceGroup(g *group) *group {
	d := ruleGroup(g.t)
	ben := d.person("ben")
	ben.second(g.t)
	op, papers := d.addDevice(ben, 1, false)
	d.commit("cat", papers, op)
	return d
}

// inGroup tries a block of by's in a deviceGroup; make returns the op and what
// it cites.
func inGroup(by string, make func(*group) (chain.Op, [][]byte)) func(*group) error {
	return func(g *group) error {
		d := deviceGroup(g)
		op, papers := make(d)
		_, _, err := d.try(d.person(by), 0, papers, op)
		return err
	}
}

// entering checks a block of by's that adds ben's second device to the group
// of every breach, after change of op and papers.
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

// byItself is entering by external commit of the device.
func byItself(change func(*group, *chain.AddDevice) []chain.Op) func(*group) error {
	return func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		op, papers := g.addDevice(ben, 1, true)
		_, _, err := g.try(ben, 1, papers, change(g, op)...)
		return err
	}
}

// revoking checks a block of cat's that takes ben's second device out of a
// deviceGroup, after ben's chain did and change.
func revoking(by string, change func(*group, *chain.RemoveDevice, [][]byte)) func(*group) error {
	return func(g *group) error {
		d := deviceGroup(g)
		ben := d.person("ben")
		ben.extend(g.t, &chain.RemoveDevice{Device: ben.device(1)})
		op, papers := d.removeDevice(ben, 1)
		change(d, op, papers)
		_, _, err := d.try(d.person(by), 0, papers, op)
		return err
	}
}

func parking(g *group, name string, i int) *chain.Park {
	return &chain.Park{Person: g.person(name).id, Instance: g.instance(name), Device: g.person(name).device(i)}
}

func unparking(g *group, name string, i int) *chain.Unpark {
	return (*chain.Unpark)(parking(g, name, i))
}

var addDeviceBreaches = []breach{
	{"of nobody", "V4", chain.ReasonPersonField, entering("cat", func(_ *group, op *chain.AddDevice, _ [][]byte) { op.Person = wire.PersonID{} })},
	{"of no head", "V4", chain.ReasonPersonField, entering("cat", func(_ *group, op *chain.AddDevice, _ [][]byte) { op.PersonHead = wire.BlockHash{} })},
	{"of another instance", "V5", chain.ReasonNotMember, entering("cat", func(g *group, op *chain.AddDevice, _ [][]byte) { op.Instance = g.instance("cat") })},
	{"of a stranger", "V5", chain.ReasonNotMember, entering("cat", func(g *group, op *chain.AddDevice, _ [][]byte) { op.Person = g.person("dan").id })},
	{"of who comes in the same block", "V5", chain.ReasonNotMember, ops("ann", func(g *group) []chain.Op {
		dan, head := g.person("dan"), g.blocks.Head()
		op, _ := g.addDevice(dan, 1, false)
		op.Instance = wire.Instance(wire.Hash(wire.HashInstance, dan.id[:], head[:], []byte{0, 0}))
		return []chain.Op{dan.add(chain.RoleMember, 1), op}
	})},
	{"without a package", "V5", chain.ReasonPackage, entering("cat", func(_ *group, op *chain.AddDevice, _ [][]byte) { op.Device.KeyPackageRef = wire.Digest{} })},
	{"by itself with a package", "V5", chain.ReasonPackage, byItself(func(_ *group, op *chain.AddDevice) []chain.Op {
		op.Device.KeyPackageRef[0]++
		return []chain.Op{op}
	})},
	{"by itself beside a Rekey", "V3", chain.ReasonAuthor, byItself(func(_ *group, op *chain.AddDevice) []chain.Op { return []chain.Op{op, &chain.Rekey{}} })},
	{"by itself to another person", "V3", chain.ReasonAuthor, byItself(func(g *group, op *chain.AddDevice) []chain.Op {
		op.Person, op.Instance = g.person("cat").id, g.instance("cat")
		return []chain.Op{op}
	})},
	{"by itself, signed by another", "V3", chain.ReasonSignature, func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		op, papers := g.addDevice(ben, 1, true)
		h, body, err := g.try(ben, 1, papers, op)
		if err != nil {
			return err
		}
		seal(h, body, ben.keys[0])
		_, err = g.blocks.Check(h, body)
		return err
	}},
	{"that is there", "V5", chain.ReasonDevice, entering("cat", func(g *group, op *chain.AddDevice, _ [][]byte) { op.Device = g.person("ben").entry(0) })},
	{"of another person", "V5", chain.ReasonDevice, entering("cat", func(g *group, op *chain.AddDevice, _ [][]byte) { op.Device = g.person("ann").entry(0) })},
	{"that was revoked", "V5", chain.ReasonDevice, func(g *group) error {
		d := deviceGroup(g)
		ben := d.person("ben")
		back, _ := d.addDevice(ben, 1, false)
		ben.extend(g.t, &chain.RemoveDevice{Device: ben.device(1)})
		op, papers := d.removeDevice(ben, 1)
		d.commit("cat", papers, op)
		_, _, err := d.try(d.person("cat"), 0, nil, back)
		return err
	}},
	{"the 17th", "V5", chain.ReasonDevices, func(g *group) error {
		other := newGroup(g.t, chain.Policy{}, "ann")
		ann, ben := other.person("ann"), other.person("ben")
		add := ben.add(chain.RoleMember, 1)
		for i := range 15 {
			add.Devices = append(add.Devices, chain.DeviceEntry{Key: [32]byte{byte(i)}})
			add.Cites = append(add.Cites, wire.Digest{})
		}
		_, s, err := chain.Draft(other.state(), other.params(ann, add))
		if err != nil {
			return err
		}
		m, _ := s.Person(ben.id)
		op, _ := other.addDevice(ben, 1, false)
		op.Instance = m.Instance
		_, _, err = chain.Draft(s, other.params(ann, op))
		return err
	}},
	{"a cite too few", "V6", chain.ReasonAttachment, entering("cat", func(_ *group, op *chain.AddDevice, _ [][]byte) { op.Cites = op.Cites[:1] })},
	{"that its chain does not show", "V6", chain.ReasonProof, func(g *group) error {
		op, papers := g.addDevice(g.person("ben"), 1, false)
		_, _, err := g.try(g.person("cat"), 0, papers, op)
		return err
	}},
	{"that its chain revoked", "V6", chain.ReasonProof, func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		ben.extend(g.t, &chain.RemoveDevice{Device: ben.device(1)})
		op, papers := g.addDevice(ben, 1, true)
		_, _, err := g.try(ben, 1, papers, op)
		return err
	}},
	{"by an older proof", "V6", chain.ReasonProof, func(g *group) error {
		other := newGroup(g.t, chain.Policy{}, "ann")
		ben := other.person("ben")
		ben.second(g.t)
		old := *ben
		ben.extend(g.t, &chain.Rekey{})
		other.commit("ann", ben.papers(1), ben.add(chain.RoleMember, 1))
		op, papers := other.addDevice(&old, 1, false)
		_, _, err := other.try(other.person("ann"), 0, papers, op)
		return err
	}},
	{"by a proof that leaves the one of an earlier op", "V6", chain.ReasonProof, func(g *group) error {
		other := newGroup(g.t, chain.Policy{}, "ann", "ben")
		ben := other.person("ben")
		ben.second(g.t)
		fork := *ben
		ben.extend(g.t, &chain.SetInfo{Info: wire.Digest{1}})
		fork.extend(g.t, &chain.SetInfo{Info: wire.Digest{2}}, &chain.RemoveDevice{Device: ben.device(1)})
		in, papers := other.addDevice(ben, 1, false)
		gone := &chain.RemoveDevice{
			Person: ben.id, Instance: in.Instance, PersonHead: fork.head(), Device: ben.device(0),
			Cites: []wire.Digest{chain.Cite(fork.proof())},
		}
		_, _, err := other.try(other.person("ann"), 0, append(papers, fork.proof()), in, gone)
		return err
	}},
	{"another knock key", "V6", chain.ReasonKnockKey, entering("cat", func(g *group, op *chain.AddDevice, papers [][]byte) {
		papers[1] = g.person("eve").knock[0]
		op.Cites[1] = chain.Cite(papers[1])
	})},
}

var removeDeviceBreaches = []breach{
	{"of the author's own", "V4", chain.ReasonSelf, inGroup("ben", func(d *group) (chain.Op, [][]byte) { return d.removeDevice(d.person("ben"), 0) })},
	{"of nobody", "V4", chain.ReasonPersonField, revoking("cat", func(_ *group, op *chain.RemoveDevice, _ [][]byte) { op.Person = wire.PersonID{} })},
	{"of another instance", "V5", chain.ReasonNotMember, revoking("cat", func(d *group, op *chain.RemoveDevice, _ [][]byte) { op.Instance = d.instance("ann") })},
	{"of an unknown device", "V5", chain.ReasonDevice, revoking("cat", func(_ *group, op *chain.RemoveDevice, _ [][]byte) { op.Device[0]++ })},
	{"of another person's device", "V5", chain.ReasonDevice, revoking("cat", func(d *group, op *chain.RemoveDevice, _ [][]byte) { op.Device = d.person("ann").device(0) })},
	{"of a device that comes in the same block", "V5", chain.ReasonDevice, func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		in, papers := g.addDevice(ben, 1, false)
		ben.extend(g.t, &chain.RemoveDevice{Device: ben.device(1)})
		out, proof := g.removeDevice(ben, 1)
		_, _, err := g.try(g.person("cat"), 0, append(papers, proof...), in, out)
		return err
	}},
	{"twice", "V5", chain.ReasonDevice, func(g *group) error {
		d := deviceGroup(g)
		op, papers := d.removeDevice(d.person("ben"), 1)
		_, _, err := d.try(d.person("cat"), 0, slices.Repeat(papers, 2), op, op)
		return err
	}},
	{"with another's cut", "V5", chain.ReasonCut, revoking("cat", func(d *group, op *chain.RemoveDevice, _ [][]byte) {
		op.Cuts = []chain.Cut{{Device: d.person("ben").device(0)}}
	})},
	{"without a proof", "V6", chain.ReasonAttachment, revoking("cat", func(_ *group, op *chain.RemoveDevice, _ [][]byte) { op.Cites = nil })},
	{"that its chain still has", "V6", chain.ReasonProof, inGroup("cat", func(d *group) (chain.Op, [][]byte) { return d.removeDevice(d.person("ben"), 1) })},
	{"by another's proof", "V6", chain.ReasonProof, revoking("cat", func(d *group, op *chain.RemoveDevice, papers [][]byte) {
		eve := d.person("eve")
		eve.second(d.t)
		eve.extend(d.t, &chain.RemoveDevice{Device: eve.device(1)})
		papers[0], op.PersonHead = eve.proof(), eve.head()
		op.Cites[0] = chain.Cite(papers[0])
	})},
}

var parkBreaches = []breach{
	{"by a member", "V4", chain.ReasonRole, inGroup("cat", func(d *group) (chain.Op, [][]byte) { return parking(d, "ben", 1), nil })},
	{"of the author's own", "V4", chain.ReasonSelf, inGroup("ben", func(d *group) (chain.Op, [][]byte) { return parking(d, "ben", 0), nil })},
	{"of nobody", "V4", chain.ReasonPersonField, inGroup("ann", func(d *group) (chain.Op, [][]byte) { return &chain.Park{Device: d.person("ben").device(1)}, nil })},
	{"of another instance", "V5", chain.ReasonNotMember, inGroup("ann", func(d *group) (chain.Op, [][]byte) {
		op := parking(d, "ben", 1)
		op.Instance = d.instance("cat")
		return op, nil
	})},
	{"of another's device", "V5", chain.ReasonDevice, inGroup("ann", func(d *group) (chain.Op, [][]byte) {
		op := parking(d, "ben", 1)
		op.Device = d.person("cat").device(0)
		return op, nil
	})},
	{"of a parked device", "V5", chain.ReasonDevice, func(g *group) error {
		d := deviceGroup(g)
		d.commit("ann", nil, parking(d, "ben", 1))
		_, _, err := d.try(d.person("ann"), 0, nil, parking(d, "ben", 1))
		return err
	}},
	{"of a device that comes in the same block", "V5", chain.ReasonDevice, func(g *group) error {
		ben := g.person("ben")
		ben.second(g.t)
		in, papers := g.addDevice(ben, 1, false)
		_, _, err := g.try(g.person("ann"), 0, papers, in, parking(g, "ben", 1))
		return err
	}},
	{"a parked author", "V3", chain.ReasonAuthor, func(g *group) error {
		d := deviceGroup(g)
		d.commit("ann", nil, parking(d, "ben", 1))
		_, _, err := d.try(d.person("ben"), 1, nil, &chain.Rekey{})
		return err
	}},
	{"Unpark of another's device", "V3", chain.ReasonAuthor, inGroup("cat", func(d *group) (chain.Op, [][]byte) { return unparking(d, "ben", 1), nil })},
	{"Unpark of another instance", "V5", chain.ReasonNotMember, inGroup("cat", func(d *group) (chain.Op, [][]byte) {
		op := unparking(d, "cat", 0)
		op.Instance = d.instance("ben")
		return op, nil
	})},
	{"Unpark of a stranger", "V3", chain.ReasonAuthor, inGroup("dan", func(d *group) (chain.Op, [][]byte) { return unparking(d, "dan", 0), nil })},
	{"Unpark after a removal", "V3", chain.ReasonAuthor, func(g *group) error {
		d := deviceGroup(g)
		op := unparking(d, "cat", 0)
		d.commit("ann", nil, remove("cat")(d))
		_, _, err := d.try(d.person("cat"), 0, nil, op)
		return err
	}},
	{"Unpark signed by another", "V3", chain.ReasonSignature, func(g *group) error {
		d := deviceGroup(g)
		d.commit("ann", nil, parking(d, "ben", 1))
		h, body, err := d.try(d.person("ben"), 1, nil, unparking(d, "ben", 1))
		if err != nil {
			return err
		}
		seal(h, body, d.person("ben").keys[0])
		_, err = d.blocks.Check(h, body)
		return err
	}},
	{"Unpark beside a Rekey", "V5", chain.ReasonAlone, ops("ben", func(g *group) []chain.Op { return []chain.Op{unparking(g, "ben", 0), &chain.Rekey{}} })},
	{"a fifth Unpark by two devices that nobody called for", "V7", chain.ReasonUnparks, func(g *group) error {
		d := deviceGroup(g)
		for i := range 5 { // the first is called for: others have signed blocks
			d.commitAs(d.person("ben"), i%2, nil, unparking(d, "ben", i%2))
		}
		_, _, err := d.try(d.person("ben"), 0, nil, unparking(d, "ben", 0))
		return err
	}},
	{"a 17th device in the window", "V7", chain.ReasonAdded, func(g *group) error {
		p := &phones{g, g.state()}
		var list []chain.Op
		for n := range 16 {
			if n > 0 {
				e := phone(n - 1)
				list = append(list, p.drop(e.ID()))
			}
			p.must(append(list, p.add(n))...)
			list = nil
		}
		d := p.params(p.person("ann"), p.drop(p.person("ben").device(0)), p.add(99))
		d.AuthorSeq = p.s.Height() + 2
		_, _, err := chain.Draft(p.s, d)
		return err
	}},
	{"a Package in a group", "V4", chain.ReasonPolicy, ops("ann", one(func(*group) chain.Op { return &chain.Package{} }))},
}
