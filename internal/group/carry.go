package group

import (
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A removal that lost at a fork holds nevertheless while its author is an admin
// (docs/spec/chain.md, "Losing removals"). Until somebody has carried it over,
// a device that knows of it writes nothing under the head, which its target could
// read: the next block of whoever signs one begins with it, and messages wait.

// A carrying is what is still to be carried over at one head, by what is held.
type carrying struct {
	head wire.BlockHash
	held int
	list []chain.PendingRemoval // one for each person, ascending
}

// pending returns the removals that are to be carried over.
func (m *Machine) pending() []chain.PendingRemoval {
	n := m.blocks.Len()
	if uint64(n) == m.state().Height()+1 || m.state().OfPerson() {
		return nil // there is no fork
	}
	if m.carrying.head != m.head || m.carrying.held != n {
		m.carrying = carrying{head: m.head, held: n, list: m.pendingOf()}
	}
	return m.carrying.list
}

// pendingOf returns one removal for each person. Of those that exclude each other
// the one of the senior author goes first, and counts no more whose author goes by
// it: two admins who removed each other on branches that lost could else never be
// carried over together, and without that nobody would write again.
func (m *Machine) pendingOf() (list []chain.PendingRemoval) {
	all := slices.DeleteFunc(m.blocks.PendingAt(m.head), func(p chain.PendingRemoval) bool { return !m.carriable(p) })
	slices.SortStableFunc(all, func(a, b chain.PendingRemoval) int { return cmp.Compare(m.rank(a.Author), m.rank(b.Author)) })
	for _, p := range all {
		if !slices.ContainsFunc(list, func(o chain.PendingRemoval) bool { return o.Person == p.Person || o.Person == p.Author }) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b chain.PendingRemoval) int { return comparePerson(a.Person, b.Person) })
	return list
}

func (m *Machine) rank(person wire.PersonID) uint32 {
	who, _ := m.state().Person(person)
	return who.Rank
}

// carriable reports whether a Carry can cite the branch of a removal. One that is
// longer nobody waits for: its author could hold everybody mute by it.
func (m *Machine) carriable(p chain.PendingRemoval) bool {
	list, size := m.notOn(p.Block, m.head), 0
	for _, hash := range list {
		size += len(m.blocks.Header(hash).Bytes())
	}
	return len(list) <= chain.MaxProofHeaders && size <= maxCarryProof
}

// carryErrands is the block that carries over what is pending, if this device can
// sign it.
func (m *Machine) carryErrands() []errand {
	list := m.pending()
	if len(list) == 0 || !m.mayCarry(m.self.Member(), list) {
		return nil
	}
	return []errand{{
		name: errandName{kind: errandCarry},
		others: func(who chain.Member) bool {
			return slices.ContainsFunc(who.Devices, func(d chain.Device) bool {
				return m.online(d.ID) && m.mayCarry(wire.Member{Person: who.Person, Device: d.ID}, list)
			})
		},
		wait: 1 + m.chance(errandChance),
		do:   func(now uint64, eff *Effects) error { return m.commit(now, change{}, eff) },
	}}
}

// mayCarry reports whether a device can sign the block that carries over list.
func (m *Machine) mayCarry(who wire.Member, list []chain.PendingRemoval) bool {
	if slices.ContainsFunc(list, func(p chain.PendingRemoval) bool { return p.Person == who.Person }) {
		return false
	}
	return m.allRead(FeatureRepair) || m.state().IsAdmin(who.Person)
}

// allRead reports whether every device with keys at the head announces a feature.
func (m *Machine) allRead(feature uint16) bool {
	return m.allReadBut(feature, nil)
}

// withCarried puts what is pending in front of a change: nothing else may come
// under the head before it. What the change ends itself is not carried over. What is
// too much for one block goes into several, before the change.
func (m *Machine) withCarried(c change) (change, error) {
	list := slices.DeleteFunc(slices.Clone(m.pending()), func(p chain.PendingRemoval) bool {
		return slices.ContainsFunc(c.ops, func(op chain.Op) bool { return endsPerson(op, p.Person) || m.overrules(op, p.Author) })
	})
	if len(list) == 0 {
		return c, nil
	}
	if !m.mayCarry(m.self.Member(), list) {
		return c, refuse(ReasonPending, nil)
	}
	var ops []chain.Op
	var attachments [][]byte
	cuts, size := 0, 0
	for _, p := range list {
		op, cited := m.carryOp(p)
		_, ended, _ := ends(op)
		cuts += len(ended)
		for _, a := range cited {
			size += len(a)
		}
		if len(ops) > 0 && (len(ops) == maxCarries || cuts > maxCarryCuts || size > maxCarryProof) {
			if len(c.ops) > 0 {
				return c, refuse(ReasonPending, nil)
			}
			break
		}
		ops, attachments = append(ops, op), append(attachments, cited...)
	}
	c.ops, c.attachments = append(ops, c.ops...), append(attachments, c.attachments...)
	return c, nil
}

func endsPerson(op chain.Op, person wire.PersonID) bool {
	gone, _, ok := ends(op)
	return ok && gone == wire.Member{Person: person}
}

// overrules reports whether an op of this device's takes the author of a removal, to
// whom its person is senior, out of the admins: then the removal holds no more. By
// this the target of a junior's removal goes on, and everybody with it.
func (m *Machine) overrules(op chain.Op, author wire.PersonID) bool {
	if !m.state().IsAdmin(m.self.Person) || m.rank(m.self.Person) >= m.rank(author) {
		return false
	}
	role, ok := op.(*chain.SetRole)
	return endsPerson(op, author) || ok && role.Person == author && role.Role == chain.RoleMember
}

// carryOp makes the op that carries a removal over. Where somebody's program does
// not know it, an admin removes the person once more.
func (m *Machine) carryOp(p chain.PendingRemoval) (chain.Op, [][]byte) {
	who, _ := m.state().Person(p.Person)
	if !m.allRead(FeatureRepair) {
		return &chain.Remove{Person: p.Person, Instance: p.Instance, Cuts: m.cuts(who)}, nil
	}
	var headers [][]byte
	for _, hash := range m.notOn(p.Block, m.head) {
		headers = append(headers, m.blocks.Header(hash).Bytes())
	}
	cited := [][]byte{proof(headers)}
	return &chain.Carry{Block: p.Block, Person: p.Person, Instance: p.Instance, Cuts: m.cuts(who), Cites: cites(cited)}, cited
}
