package group

import (
	"maps"
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// What the person of this device changes: chain rules first, then the MLS
// commit, then the block with the commit's hashes; all of it applied at once
// and written before anything is sent.

// A change is one block to be made.
type change struct {
	ops         []chain.Op
	attachments [][]byte
	add         []*mls.KeyPackage
	newcomers   []Newcomer
	infos       [][]byte
}

// commit makes the block of c on the head.
func (m *Machine) commit(now uint64, c change, eff *Effects) error {
	return m.commitOn(now, m.head, c, eff)
}

// commitOn makes the block of c on a block that is held.
func (m *Machine) commitOn(now uint64, base wire.BlockHash, c change, eff *Effects) error {
	e := m.epochs[base]
	if e == nil {
		return refuse(ReasonNoKeys, nil)
	}
	if base == m.head {
		var err error
		if c, err = m.withCarried(c); err != nil {
			return err
		}
	}
	if !chain.Pressing(c.ops) && m.restrained() {
		return refuse(ReasonUnsettled, nil)
	}
	h, state, err := m.draft(now, base, m.stateAt(base).Suite(), c.ops)
	if err != nil {
		return err
	}
	if err := m.canInvite(c.add); err != nil {
		return err
	}
	core := h.Core()
	staged, err := e.secret.Commit(mls.CommitParams{
		Add: c.add, Remove: m.leavesOf(c.ops, base, e.secret.Public()), AuthenticatedData: core[:], Signer: m.self.Device,
		LeafExtensions: m.self.announced(),
	})
	if err != nil {
		return refuse(ReasonRule, err)
	}
	body := &chain.Body{Commit: staged.Commit.Bytes(), Attachments: c.attachments}
	b, err := m.seal(h, body, state, staged, m.floorFor(c.newcomers), len(c.add) > 0)
	if err != nil {
		return err
	}
	if err := m.keepOwn(b, eff); err != nil {
		return err
	}
	for _, info := range c.infos {
		m.addInfo(info, eff)
	}
	m.spread(h.Hash(), eff)
	if len(c.infos) > 0 {
		payload := statementsFrame{infos: c.infos}.bytes()
		for _, d := range m.connected(false) {
			eff.send(d, payload)
		}
	}
	m.advance(now, eff)
	return nil
}

// draft begins a block of this device's own on a block that is held.
func (m *Machine) draft(now uint64, base wire.BlockHash, suite uint16, ops []chain.Op) (*chain.Header, *chain.State, error) {
	parent := m.stateAt(base)
	h, state, err := chain.Draft(parent, chain.DraftParams{
		Suite: suite, Parent: base, Group: m.group, Author: m.self.Member(),
		AuthorSeq: max(m.authorSeq, parent.LastSeq(m.self.Device.ID())) + 1, Ops: ops, CreatedAt: now,
	})
	if err != nil {
		return nil, nil, refuse(ReasonRule, err)
	}
	return h, state, nil
}

// keepOwn checks a block of this device's own as everybody will, and keeps it.
func (m *Machine) keepOwn(b *madeBlock, eff *Effects) error {
	if _, err := m.blocks.Check(b.header, b.body); err != nil {
		b.secret.Erase()
		return refuse(ReasonRule, err)
	}
	m.authorSeq = b.header.AuthorSeq
	return m.keepBlock(b, eff)
}

// leavesOf returns the leaves that ops on a block take out, ascending.
func (m *Machine) leavesOf(ops []chain.Op, base wire.BlockHash, public *mls.PublicGroup) []uint32 {
	return slices.Sorted(maps.Keys(leavesGone(ops, m.stateAt(base), public)))
}

func (m *Machine) invite(now uint64, newcomers []Newcomer, eff *Effects) error {
	if err := m.mayWrite(); err != nil {
		return err
	}
	if m.state().DirectChat() {
		return refuse(ReasonDirect, nil)
	}
	if !m.state().IsAdmin(m.self.Person) && !m.state().Policy().MembersInvite {
		return refuse(ReasonRole, nil)
	}
	c := change{newcomers: newcomers}
	for _, n := range newcomers {
		if m.isMember(n.Person) {
			return refuse(ReasonMember, nil)
		}
		before, _ := m.state().Person(n.Person)
		op, kps, cited, err := admit(n, mls.Suite(m.state().Suite()), before.PersonHead, chain.RoleMember, now)
		if err != nil {
			return err
		}
		c.ops, c.add = append(c.ops, op), append(c.add, kps...)
		c.attachments = append(c.attachments, cited...)
		c.infos = append(c.infos, n.Info)
	}
	return m.commit(now, c, eff)
}

func (m *Machine) isMember(person wire.PersonID) bool {
	who, ok := m.state().Person(person)
	return ok && who.Status != chain.StatusRemoved
}

// target returns a member that an admin acts upon.
func (m *Machine) target(person wire.PersonID) (chain.Member, error) {
	if err := m.mayWrite(); err != nil {
		return chain.Member{}, err
	}
	if m.state().DirectChat() {
		return chain.Member{}, refuse(ReasonDirect, nil)
	}
	if !m.state().IsAdmin(m.self.Person) {
		return chain.Member{}, refuse(ReasonRole, nil)
	}
	if !m.isMember(person) {
		return chain.Member{}, refuse(ReasonNoMember, nil)
	}
	who, _ := m.state().Person(person)
	return who, nil
}

func (m *Machine) remove(now uint64, person wire.PersonID, eff *Effects) error {
	if person == m.self.Person {
		return refuse(ReasonSelf, nil)
	}
	who, err := m.target(person)
	if err != nil {
		return err
	}
	op := &chain.Remove{Person: person, Instance: who.Instance, Cuts: m.cuts(who)}
	return m.commit(now, change{ops: []chain.Op{op}}, eff)
}

// cuts says how far this device has seen a leaving person's logs.
func (m *Machine) cuts(who chain.Member) (list []chain.Cut) {
	frontier := m.graph.Frontier()
	for _, d := range who.Devices {
		if r, ok := frontier[d.ID]; ok && r.Seq > 0 {
			list = append(list, chain.Cut{Device: d.ID, Seq: r.Seq, Hash: r.Hash})
		}
	}
	slices.SortFunc(list, func(a, b chain.Cut) int { return compareID(a.Device, b.Device) })
	return list
}

func (m *Machine) setRole(now uint64, c SetRole, eff *Effects) error {
	who, err := m.target(c.Person)
	if err != nil {
		return err
	}
	if who.Role == c.Role {
		return refuse(ReasonHasRole, nil)
	}
	if c.Role == chain.RoleMember && len(m.state().Admins()) == 1 {
		return refuse(ReasonSuccessor, nil)
	}
	op := &chain.SetRole{Person: c.Person, Instance: who.Instance, Role: c.Role}
	return m.commit(now, change{ops: []chain.Op{op}}, eff)
}

func (m *Machine) setTitle(now uint64, title string, eff *Effects) error {
	if _, err := m.target(m.self.Person); err != nil {
		return err
	}
	info, err := identity.NewInfo(title)
	if err != nil {
		return refuse(ReasonTitle, err)
	}
	op := &chain.SetInfo{Info: info.Commit()}
	return m.commit(now, change{ops: []chain.Op{op}, infos: [][]byte{info.Marshal()}}, eff)
}

// accept accepts the invitation: the first Ack, which is made at once, tells it.
func (m *Machine) accept(now uint64, eff *Effects) error {
	if m.status != StatusInvited {
		return refuse(ReasonNotActive, nil)
	}
	m.setStatus(StatusActive, eff)
	m.electLook = true
	m.ackDue = now
	eff.Write = append(eff.Write, m.selfRecord())
	m.greetAll(now, eff)
	m.askInfos(eff)
	return nil
}

// leave signs a Leave and hands it to whoever is connected; it stays until a
// block ends the membership.
func (m *Machine) leave(now uint64, successor wire.PersonID, eff *Effects) error {
	s := m.state()
	switch {
	case m.status != StatusActive && m.status != StatusInvited:
		return refuse(ReasonNotActive, nil)
	case len(s.Members()) == 1:
		return refuse(ReasonAlone, nil)
	}
	if successor == m.self.Person {
		return refuse(ReasonHeir, nil)
	}
	if successor != (wire.PersonID{}) && !m.isMember(successor) {
		return refuse(ReasonNoMember, nil)
	}
	admins := s.Admins()
	if len(admins) == 1 && admins[0] == m.self.Person && successor == (wire.PersonID{}) {
		return refuse(ReasonSuccessor, nil)
	}
	if m.status == StatusInvited {
		m.setStatus(StatusDeclined, eff)
	} else {
		m.setStatus(StatusLeaving, eff)
	}
	eff.Write = append(eff.Write, m.selfRecord())
	m.signLeave(successor, eff)
	return nil
}
