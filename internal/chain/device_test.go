package chain_test

import (
	"crypto/sha256"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// addOwn returns the op by which device i enters the person's own chain.
func (p *person) addOwn(i int) *chain.AddDevice {
	return &chain.AddDevice{Device: p.entry(i), Cites: []wire.Digest{chain.Cite(p.knock[i])}}
}

// second lets device 1 into the person's own chain.
func (p *person) second(t testing.TB) {
	t.Helper()
	p.extendWith(t, [][]byte{p.knock[1]}, p.addOwn(1))
}

// addDevice returns the op by which device i of the person enters the group;
// with external, it enters by itself.
func (g *group) addDevice(p *person, i int, external bool) (*chain.AddDevice, [][]byte) {
	op := &chain.AddDevice{
		Person: p.id, Instance: g.instance(p.name), PersonHead: p.head(), Device: p.entry(i),
		Cites: []wire.Digest{chain.Cite(p.proof()), chain.Cite(p.knock[i])},
	}
	if external {
		op.Device.KeyPackageRef = wire.Digest{}
	}
	return op, [][]byte{p.proof(), p.knock[i]}
}

func (g *group) removeDevice(p *person, i int) (*chain.RemoveDevice, [][]byte) {
	return &chain.RemoveDevice{
		Person: p.id, Instance: g.instance(p.name), PersonHead: p.head(), Device: p.device(i),
		Cites: []wire.Digest{chain.Cite(p.proof())},
	}, [][]byte{p.proof()}
}

// commitAs makes a block of p's device i on the head and takes it.
func (g *group) commitAs(p *person, i int, papers [][]byte, ops ...chain.Op) *chain.Header {
	g.t.Helper()
	h, body, err := g.try(p, i, papers, ops...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.take(h, body)
	return h
}

// try makes a block of p's device i on the head and checks it.
func (g *group) try(p *person, i int, papers [][]byte, ops ...chain.Op) (*chain.Header, *chain.Body, error) {
	d := g.params(p, ops...)
	p.seq[0]--
	p.seq[i]++
	d.Author, d.AuthorSeq = p.member(i), p.seq[i]
	h, _, err := chain.Draft(g.state(), d)
	if err != nil {
		return nil, nil, err
	}
	body := bodyOf(false, papers...)
	seal(h, body, p.keys[i])
	_, err = g.blocks.Check(h, body)
	return h, body, err
}

func (g *group) status(p *person, i int) chain.Status {
	_, d, ok := g.state().Device(p.device(i))
	if !ok {
		g.t.Fatalf("device %d of %s is not known", i, p.name)
	}
	return d.Status
}

func TestLifeOfADevice(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben", "cat")
	ben, cat := g.person("ben"), g.person("cat")
	ben.second(t)
	op, papers := g.addDevice(ben, 1, false)
	g.commitAs(cat, 0, papers, op) // any member may
	if m, _ := g.state().Person(ben.id); g.status(ben, 1) != chain.StatusActive || m.PersonHead != ben.head() {
		t.Error("the second device did not come in")
	}
	park := &chain.Park{Person: ben.id, Instance: g.instance("ben"), Device: ben.device(1)}
	g.commit("ann", nil, park)
	if g.state().Active(ben.device(1)) || !g.state().Belongs(ben.device(1)) || g.status(ben, 1) != chain.StatusParked {
		t.Error("not parked")
	}
	unpark := &chain.Unpark{Person: ben.id, Instance: g.instance("ben"), Device: ben.device(1)}
	if h := g.commitAs(ben, 1, nil, unpark); !h.External() || !g.state().Active(ben.device(1)) {
		t.Error("still parked")
	}
	root := g.state().Root()
	g.commitAs(ben, 1, nil, unpark) // it lost its secrets: nothing changes but its leaf
	if g.state().Root() != root {
		t.Error("a device that comes back changes the state")
	}
	ben.extend(t, &chain.RemoveDevice{Device: ben.device(1)})
	gone, papers := g.removeDevice(ben, 1)
	g.commitAs(cat, 0, papers, gone)
	if g.status(ben, 1) != chain.StatusRevoked || g.state().Belongs(ben.device(1)) || !g.state().Active(ben.device(0)) {
		t.Error("not revoked")
	}
	_, _, err := g.try(ben, 1, nil, unpark)
	if rule, reason := refused(err); rule != "V3" || reason != chain.ReasonAuthor {
		t.Errorf("a revoked device comes back: %v", err)
	}
}

// Somebody who lost everything comes in with a new device, by external commit.
func TestDeviceAddsItself(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	ben := g.person("ben")
	ben.second(t)
	op, papers := g.addDevice(ben, 1, true)
	h := g.commitAs(ben, 1, papers, op)
	if !h.External() || h.Class != chain.ClassOrdinary || !g.state().Active(ben.device(1)) || g.state().LastSeq(ben.device(1)) != 1 {
		t.Error("the device is not in")
	}
}

func TestLastResort(t *testing.T) {
	p := newPerson(t, "ann")
	name := func(suite uint16, n byte) *chain.Package {
		return &chain.Package{Suite: suite, KeyPackageRef: sha256.Sum256([]byte{n}), Cites: []wire.Digest{chain.Cite([]byte{n})}}
	}
	p.extendWith(t, [][]byte{{1}, {2}}, name(chain.SuiteXWing, 1), name(chain.SuiteAES, 2))
	p.extendWith(t, [][]byte{{3}}, name(chain.SuiteXWing, 3))
	s, err := chain.VerifyProof(p.headers)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		suite  uint16
		ref    wire.Digest
		height uint64
		ok     bool
	}{{chain.SuiteXWing, sha256.Sum256([]byte{3}), 2, true}, {chain.SuiteAES, sha256.Sum256([]byte{2}), 1, true}, {chain.SuiteChaCha, wire.Digest{}, 0, false}} {
		if ref, height, ok := s.LastResort(p.device(0), c.suite); ref != c.ref || height != c.height || ok != c.ok {
			t.Errorf("suite %x: %s at %d, %v", c.suite, ref, height, ok)
		}
	}
	before, err := chain.VerifyProof(p.headers[:1])
	if err != nil || before.Root() != s.Root() {
		t.Errorf("a package changes the root: %v", err)
	}
	if _, _, ok := s.LastResort(p.device(1), chain.SuiteXWing); ok {
		t.Error("another device has a package")
	}
	if !slices.Equal(s.Members()[0].Devices, before.Members()[0].Devices) {
		t.Error("a package changes the devices")
	}
}
