package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// A home that was copied, or set back to a backup, has a device key that somebody
// else signs with as well. It heals by a new one (docs/spec/group.md, "Copies"):
// Renew turns what is stored of a group over to the new device, which stands
// outside then, asks for the GroupInfo of the head as one that comes back does
// (rejoin.go), or has it from its own old keys, and adds itself by external
// commit. Everything of before stays: blocks, entries, and the keys that read
// them. Only what the old device counted, promised or was about to sign again goes.
//
//	the old device ── Renew ──> outside ── AddDevice by external commit ──> member's device
//	member's device ── a head without that block ──> outside

// formerly returns this home's earlier device of that id, nil if there is none.
func (s Self) formerly(d wire.DeviceID) *identity.Device {
	i := slices.IndexFunc(s.Former, func(f *identity.Device) bool { return f.ID() == d })
	if i < 0 {
		return nil
	}
	return s.Former[i]
}

// Renew returns what is to be written so that the records of a group, which an
// earlier device of this home made, are those of self: in the transaction that
// stores the new device key. The machine is loaded anew after it.
func Renew(self Self, records Source) (Effects, error) {
	m, err := Load(self, records)
	if err != nil {
		return Effects{}, err
	}
	var eff Effects
	m.authorSeq, m.ackSeq, m.reachSeq, m.replaced = 0, 0, 0, wire.BlockHash{}
	eff.Write = append(eff.Write, m.selfRecord())
	eff.drop(KindVoter, nil)
	err = records(KindUndone, func(rec Record) error { // its blocks stay undone: nobody keeps them for it
		eff.drop(KindUndone, rec.Key)
		return nil
	})
	if err != nil {
		return Effects{}, err
	}
	if len(self.Former) > 0 {
		m.doubtUnsent(self.Former[0].ID(), &eff)
	}
	return eff, nil
}

// outside reports whether this device, which took the place of an earlier one of
// its home, is not in the group yet, though its person is.
func (m *Machine) outside() bool {
	if len(m.self.Former) == 0 || m.state().OfPerson() || !m.isMember(m.self.Person) {
		return false
	}
	_, _, known := m.state().Device(m.self.Device.ID())
	return !known
}

// mayEnter reports whether a peer gets the GroupInfo of the head: a member's device,
// or one that was taken out for what it signed twice, while its person is a member
// and has not revoked it. Its home may have another device by now, and sessions
// by the old one alone; only a block that shows the new one in the person's chain
// brings it in.
func (m *Machine) mayEnter(p *peer) bool {
	return p.rel == present || p.rel == former && m.isMember(p.member.Person) && m.wasSlashed(p.member.Device) && !m.wasRevoked(p.member)
}

// wasSlashed reports whether the head's chain has taken a device out for two things
// that it signed.
func (m *Machine) wasSlashed(d wire.DeviceID) bool { return m.register().two[d] }

// wasRevoked reports whether a device is none of its person's any more, as far as
// is known here.
func (m *Machine) wasRevoked(who wire.Member) bool {
	p := m.people[who.Person]
	if p == nil {
		return false
	}
	headers, err := chain.ParseProof(p.proof)
	if err != nil {
		return true
	}
	state, err := chain.VerifyProof(headers)
	return err != nil || !state.Active(who.Device)
}

// onAskEntrance answers a device that was taken out and may let in another of its
// home: with the blocks since, which nobody else tells it, and at the head with
// the keys.
func (m *Machine) onAskEntrance(p *peer, r *wire.Reader, eff *Effects) {
	block, err := parseHash[wire.BlockHash](r)
	if err != nil || !m.blocks.Has(block) || !m.mayEnter(p) {
		return
	}
	if block == m.head {
		p.asks = block
		m.giveKeys(p, eff)
		return
	}
	if m.chainShares.due(p.member.Device) <= m.now { // else it asks again
		m.giveBlocks(p, m.notOn(m.head, block), eff)
	}
}

// outsideAt reports whether this device has no say about a block: neither it nor
// the block's parent knows it.
func (m *Machine) outsideAt(hash wire.BlockHash) bool {
	s := m.stateAt(hash)
	return len(m.self.Former) > 0 && s != nil && !s.Belongs(m.self.Device.ID())
}

// standsOutside gives the status of a device outside: an earlier one of its home may
// have been taken out, of which it learns only now.
func (m *Machine) standsOutside(eff *Effects) {
	if m.status == StatusRemoved {
		m.setStatus(StatusActive, eff)
	}
}

// ownInfo makes the GroupInfo of the head with the keys of an earlier device of
// this home: nobody else may be there to be asked. That device signs it, and
// nothing else any more.
func (m *Machine) ownInfo() ([]byte, bool) {
	e := m.epochs[m.head]
	if e == nil {
		return nil, false
	}
	l, _ := e.secret.Public().Leaf(e.secret.OwnLeaf())
	who, ok := member(l.Identity)
	old := m.self.formerly(who.Device)
	if !ok || old == nil {
		return nil, false
	}
	info, err := m.signGroupInfo(old)
	return info, err == nil
}

// addDeviceItself makes the block by which this device comes in.
func (m *Machine) addDeviceItself(now uint64, info []byte, eff *Effects) error {
	hash, err := m.ownEntry(now, info, eff)
	if err != nil {
		return err
	}
	m.back = rejoin{}
	m.spread(hash, eff)
	m.addInfo(m.self.Info, eff)
	m.advance(now, eff)
	m.ackDue = now
	eff.Notify = append(eff.Notify, Entered{hash})
	return nil
}

// ownEntry makes and keeps the block that adds this device by external commit.
func (m *Machine) ownEntry(now uint64, info []byte, eff *Effects) (wire.BlockHash, error) {
	who, _ := m.state().Person(m.self.Person)
	knock := m.self.Device.KnockKey()
	entry := chain.DeviceEntry{Key: [32]byte(m.self.Device.PublicKey()), KnockHash: chain.KnockHash(knock)}
	op, cited, err := m.addDeviceOp(who, provable(m.self.Headers, who.PersonHead), entry, knock)
	if err != nil {
		return wire.BlockHash{}, err
	}
	b, err := m.external(now, op, cited, info)
	if err != nil {
		return wire.BlockHash{}, err
	}
	if err := m.keepOwn(b, eff); err != nil {
		return wire.BlockHash{}, err
	}
	return b.header.Hash(), nil
}

// provable returns of a person's headers what a group takes as proof that has seen
// onRecord of it: all that goes on from there; else all up to the newest block of
// the recovery key, which stands above every other history.
func provable(headers [][]byte, onRecord wire.BlockHash) [][]byte {
	for _, b := range headers {
		if h, err := chain.ParseHeader(b); err != nil || h.Hash() == onRecord {
			return headers
		}
	}
	if settled := settledPart(headers); settled > 0 {
		return headers[:settled]
	}
	return headers
}

// recoveryOf names the recovery key as the blocks of a person's chain do that
// begins with h.
func recoveryOf(h *chain.Header) (d wire.DeviceID) {
	if len(h.Ops) > 0 {
		if g, ok := h.Ops[0].(*chain.Genesis); ok && g.Recovery != nil {
			d = wire.Device(g.Recovery.Key[:])
		}
	}
	return d
}

// noteSigned takes note of a block from outside that a key of this home signed and
// this device did not: what it makes is here before anybody else has it. An
// earlier membership's that lost may come late, so only blocks above the one that
// let this device in are looked at, with a number that it has not come to, or
// that another block of its own has.
func (m *Machine) noteSigned(h *chain.Header, eff *Effects) {
	own := m.self.Device.ID()
	if h.Author.Device != own || h.External() || m.head == (wire.BlockHash{}) ||
		h.Parent != m.joined && !m.blocks.IsAncestor(m.joined, h.Parent) {
		return
	}
	if _, mine := m.signings[signing{own, h.AuthorSeq}]; mine || h.AuthorSeq > m.authorSeq {
		m.copied(eff)
	}
}

// noteOwnPerson tells of the chain that a block shows of this device's own person,
// where it is not the one that is known here: another device made it, which may be
// another copy of this home that has healed.
func (m *Machine) noteOwnPerson(h *chain.Header, body *chain.Body, eff *Effects) {
	if m.head == (wire.BlockHash{}) || m.state().OfPerson() || h.Author.Device == m.self.Device.ID() {
		return
	}
	cited := body.Attachments
	for _, op := range h.Ops {
		var person wire.PersonID
		switch op := op.(type) {
		case *chain.AddDevice:
			person = op.Person
		case *chain.RemoveDevice:
			person = op.Person
		}
		if person == m.self.Person && len(cited) > 0 {
			m.tellOwnPerson(cited[0], eff)
		}
		cited = cited[len(chain.Cites(op)):]
	}
}

func (m *Machine) tellOwnPerson(encoded []byte, eff *Effects) {
	headers, err := chain.ParseProof(encoded)
	if err != nil {
		return
	}
	list := make([][]byte, len(headers))
	for i, h := range headers {
		list[i] = h.Bytes()
	}
	if ComparePerson(m.self.Headers, list) != PersonKnown {
		eff.Notify = append(eff.Notify, OwnPerson{list})
	}
}
