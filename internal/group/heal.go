package group

import (
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What this device changed on a branch that lost, and what becomes of it: an Add
// is proposed again with a fresh key package, a title or a role is set again, if
// each still makes sense at the head (docs/spec/group.md, "What a fork undoes").
// Removals need nobody's memory, see carry.go.

// redoable reports whether somebody may want an op done again.
func redoable(op chain.Op) bool {
	switch op.Kind() {
	case chain.KindAdd, chain.KindSetRole, chain.KindSetInfo, chain.KindSetPolicy, chain.KindRemoveDevice:
		return true
	}
	return false
}

// noteUndone remembers the own blocks that a new head leaves out.
func (m *Machine) noteUndone(changed HeadChanged, eff *Effects) {
	for _, hash := range changed.Blocks {
		m.forgetUndone(hash, eff)
	}
	for _, hash := range changed.Lost {
		h := m.blocks.Header(hash)
		if h.Author == m.self.Member() && !m.state().OfPerson() && slices.ContainsFunc(h.Ops, redoable) {
			m.undone[hash] = true
			eff.put(KindUndone, hash[:], []byte{})
		}
	}
}

func (m *Machine) forgetUndone(hash wire.BlockHash, eff *Effects) {
	if m.undone[hash] {
		delete(m.undone, hash)
		eff.drop(KindUndone, hash[:])
	}
}

// redoErrands are the own blocks that were undone, once the fork is surely known.
func (m *Machine) redoErrands() (list []errand) {
	for hash := range m.undone {
		list = append(list, errand{
			name: errandName{kind: errandRedo, block: hash},
			wait: redoAfter + m.chance(redoAfter),
			do:   func(now uint64, eff *Effects) error { return m.redo(now, hash, eff) },
		})
	}
	return list
}

// errAsked: the node has been asked to add people again; whether it does shows at
// the next head.
var errAsked = errors.New("group: waits for a key package")

// redo does again what still makes sense of an own block that was undone.
func (m *Machine) redo(now uint64, hash wire.BlockHash, eff *Effects) error {
	if m.blocks.IsAncestor(hash, m.head) {
		m.forgetUndone(hash, eff)
		return nil
	}
	var c change
	var people []wire.PersonID
	cited := m.blocks.Body(hash).Attachments
	for _, op := range m.blocks.Header(hash).Ops {
		own := cited[:len(chain.Cites(op))]
		cited = cited[len(own):]
		switch op := op.(type) {
		case *chain.RemoveDevice:
			if again := m.revokeAgain(op); again != nil {
				c.ops, c.attachments = append(c.ops, again), append(c.attachments, own...)
			}
		case *chain.SetPolicy:
			again, err := m.policyAgain(hash, op)
			if err != nil {
				return err
			}
			c.ops = append(c.ops, again...)
		case *chain.Add:
			if m.stillAdds(hash, op) {
				people = append(people, op.Person)
			}
		case *chain.SetRole:
			if m.stillSetsRole(hash, op) {
				c.ops = append(c.ops, op)
			}
		case *chain.SetInfo:
			if info := m.infos[op.Info]; info != nil && m.stillSetsInfo(hash) {
				c.ops, c.infos = append(c.ops, op), append(c.infos, info)
			}
		}
	}
	if len(c.ops) > 0 {
		if err := m.commit(now, c, eff); err != nil {
			return err
		}
		eff.Notify = append(eff.Notify, Redone{hash, m.head})
	}
	if len(people) > 0 {
		eff.Notify = append(eff.Notify, Repropose{hash, people})
		return errAsked
	}
	m.forgetUndone(hash, eff)
	return nil
}

// forkOf returns the block at which the branch of an undone block left the head's
// chain.
func (m *Machine) forkOf(hash wire.BlockHash) wire.BlockHash {
	return m.blocks.Header(m.notOn(hash, m.head)[0]).Parent
}

// stillAdds reports whether somebody whose Add was undone is to be added again: not
// if anybody added or removed that person meanwhile, on either branch.
func (m *Machine) stillAdds(hash wire.BlockHash, op *chain.Add) bool {
	s := m.state()
	before, _ := m.stateAt(m.forkOf(hash)).Person(op.Person)
	now, _ := s.Person(op.Person)
	if m.isMember(op.Person) || now.Instance != before.Instance || now.Status != before.Status {
		return false
	}
	if !s.IsAdmin(m.self.Person) && !s.Policy().MembersInvite {
		return false
	}
	return !m.overtaken(hash, func(later chain.Op) bool { return endsPerson(later, op.Person) })
}

// overtaken reports whether a block that was built on one that lost holds such an op:
// then the one that lost was not the last word on its branch.
func (m *Machine) overtaken(hash wire.BlockHash, by func(chain.Op) bool) bool {
	return slices.ContainsFunc(m.blocks.All(), func(b wire.BlockHash) bool {
		return b != hash && m.blocks.IsAncestor(hash, b) && slices.ContainsFunc(m.blocks.Header(b).Ops, by)
	})
}

// stillSetsRole reports whether a role is as it was before the fork, and this
// device's person still the one to change it; not if it was changed once more, or
// taken back, on the branch that lost.
func (m *Machine) stillSetsRole(hash wire.BlockHash, op *chain.SetRole) bool {
	before, _ := m.stateAt(m.forkOf(hash)).Person(op.Person)
	now, _ := m.state().Person(op.Person)
	return m.state().IsAdmin(m.self.Person) && m.isMember(op.Person) && now.Instance == op.Instance &&
		now.Role != op.Role && (now.Role == before.Role || before.Instance != op.Instance) &&
		!m.overtaken(hash, func(later chain.Op) bool {
			role, ok := later.(*chain.SetRole)
			return ok && role.Person == op.Person || endsPerson(later, op.Person)
		})
}

func (m *Machine) stillSetsInfo(hash wire.BlockHash) bool {
	return m.state().IsAdmin(m.self.Person) && m.state().Info() == m.stateAt(m.forkOf(hash)).Info() &&
		!m.overtaken(hash, func(later chain.Op) bool { return later.Kind() == chain.KindSetInfo })
}
