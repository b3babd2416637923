package chain_test

import (
	"encoding/binary"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A phones is a group of ann and ben by headers alone, in which ben's devices
// come and go. Proofs play no part in how many may.
type phones struct {
	*group
	s *chain.State
}

func newPhones(t *testing.T) *phones {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	return &phones{g, g.state()}
}

// try makes a block of ann's, which is there from then on if no rule refuses it.
func (p *phones) try(ops ...chain.Op) (string, chain.Reason) {
	d := p.params(p.person("ann"), ops...)
	d.AuthorSeq = p.s.Height() + 2
	_, s, err := chain.Draft(p.s, d)
	if err != nil {
		return refused(err)
	}
	p.s = s
	return "", ""
}

func phone(n int) (e chain.DeviceEntry) {
	binary.BigEndian.PutUint64(e.Key[:], uint64(n))
	e.KeyPackageRef[0] = 1
	return e
}

func (p *phones) add(n int) *chain.AddDevice {
	return &chain.AddDevice{
		Person: p.person("ben").id, Instance: p.instance("ben"), PersonHead: wire.BlockHash{1}, Device: phone(n),
		Cites: make([]wire.Digest, 2),
	}
}

func (p *phones) drop(id wire.DeviceID) *chain.RemoveDevice {
	return &chain.RemoveDevice{
		Person: p.person("ben").id, Instance: p.instance("ben"), PersonHead: wire.BlockHash{1}, Device: id,
		Cites: make([]wire.Digest, 1),
	}
}

// must makes a block that no rule may refuse.
func (p *phones) must(ops ...chain.Op) {
	p.t.Helper()
	if rule, reason := p.try(ops...); rule != "" || reason != "" {
		p.t.Fatalf("at height %d refused by %s %q", p.s.Height()+1, rule, reason)
	}
}

// swap lets phone n come in and go again.
func (p *phones) swap(n int) (string, chain.Reason) {
	rule, reason := p.try(p.add(n))
	if rule == "" {
		e := phone(n)
		p.must(p.drop(e.ID()))
	}
	return rule, reason
}

// pass lets n blocks go by.
func (p *phones) pass(n int) {
	for range n {
		p.must(&chain.SetInfo{Info: wire.Digest{1, byte(p.s.Height())}})
	}
}

func (p *phones) record() []byte {
	proof, _ := p.s.Prove(p.person("ben").id)
	return proof.Marshal()
}

// Nobody adds and removes devices for ever: 16 in 16n blocks.
func TestDevicesInTheWindow(t *testing.T) {
	p := newPhones(t)
	for n := range chain.MaxAddDevices {
		if rule, reason := p.swap(n); rule != "" {
			t.Fatalf("phone %d is refused by %s %q", n, rule, reason)
		}
	}
	// The first stands at height 1, and two people make a window of 32 blocks.
	if rule, reason := p.swap(99); rule != "" {
		t.Fatalf("at height %d: %s %q", p.s.Height()+1, rule, reason)
	}
	p = newPhones(t)
	for n := range chain.MaxAddDevices - 1 { // 15 devices beside the first, all at once
		p.must(p.add(n))
	}
	for n := range 2 {
		e := phone(n)
		p.must(p.drop(e.ID())) // never refused
	}
	p.must(p.add(50))
	for p.s.Height() < 2*chain.QuotaWindow {
		if rule, reason := p.try(p.add(51)); rule != "V7" || reason != chain.ReasonAdded {
			t.Fatalf("at height %d a 17th: %q %q", p.s.Height()+1, rule, reason)
		}
		p.pass(1)
	}
	p.must(p.add(51))
}

// In one block, too.
func TestDevicesInOneBlock(t *testing.T) {
	p := newPhones(t)
	var ops []chain.Op
	for n := range chain.MaxAddDevices + 1 {
		ops = append(ops, p.add(n))
	}
	if rule, reason := p.try(ops...); rule != "V5" || reason != chain.ReasonDevices {
		t.Errorf("17 devices at once: %q %q", rule, reason)
	}
	p.must(ops[:15]...)
}

// Who has none left comes back whatever was done in its name: the window does not
// hold for it, and the last places are kept.
func TestDevicesOfWhoHasNoneLeft(t *testing.T) {
	p := newPhones(t)
	for n := range chain.MaxAddDevices - 1 {
		p.must(p.add(n))
	}
	e := phone(0)
	p.must(p.drop(e.ID()))
	p.must(p.add(98))
	e = phone(1)
	p.must(p.drop(e.ID()))
	if rule, _ := p.try(p.add(99)); rule != "V7" {
		t.Fatalf("a thief's 17th: %q", rule)
	}
	m, _ := p.s.Person(p.person("ben").id)
	for _, d := range m.Devices {
		if p.s.Belongs(d.ID) {
			p.must(p.drop(d.ID))
		}
	}
	p.must(p.add(99))
}

func TestDevicesEver(t *testing.T) {
	p := newPhones(t)
	ever := 1
	for ; ever < chain.MaxDevicesEver-chain.MaxDevices; ever++ {
		if rule, reason := p.swap(ever); rule == "V7" {
			p.pass(2 * chain.QuotaWindow)
			ever--
		} else if rule != "" {
			t.Fatalf("phone %d is refused by %s %q", ever, rule, reason)
		}
	}
	p.pass(2 * chain.QuotaWindow)
	if rule, reason := p.try(p.add(1000)); rule != "V5" || reason != chain.ReasonDevices {
		t.Fatalf("with %d devices ever: %q %q", ever, rule, reason)
	}
	own := p.person("ben").device(0)
	for ; ever < chain.MaxDevicesEver; ever++ {
		p.must(p.drop(own)) // now it has none left
		e := phone(ever)
		p.must(p.add(ever))
		own = e.ID()
	}
	p.must(p.drop(own))
	if rule, reason := p.try(p.add(1000)); rule != "V5" || reason != chain.ReasonDevices {
		t.Errorf("with %d devices ever: %q %q", ever, rule, reason)
	}
	if m, _ := p.s.Person(p.person("ben").id); len(m.Devices) != chain.MaxDevicesEver {
		t.Errorf("%d devices ever", len(m.Devices))
	}
	proof, err := chain.ParseMemberProof(p.record())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(p.s.Root()); err != nil {
		t.Errorf("the proof of a full record: %v", err)
	}
	if rule, reason := p.try(&chain.Remove{Person: p.person("ben").id, Instance: p.instance("ben")}); rule != "" {
		t.Errorf("a removal: %q %q", rule, reason)
	}
	back := &chain.Add{
		Person: p.person("ben").id, PersonHead: wire.BlockHash{1}, Devices: []chain.DeviceEntry{phone(1000)}, Cites: make([]wire.Digest, 2),
	}
	if rule, reason := p.try(back); rule != "V5" || reason != chain.ReasonDevices {
		t.Errorf("an Add with one more: %q %q", rule, reason)
	}
}
