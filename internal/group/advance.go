package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// start makes the log graph, which begins at genesis.
func (m *Machine) start(createdAt uint64) {
	m.graph = dag.NewGraph(createdAt)
	m.final.block = m.blocks.Genesis()
	m.graph.Older = func(a, b wire.BlockHash) bool { return a != b && m.blocks.IsAncestor(a, b) }
}

// stateAt is the membership at a block that is held.
func (m *Machine) stateAt(hash wire.BlockHash) *chain.State { return m.blocks.State(hash) }

// advance takes the head that fork choice gives now, and everything that
// follows from another one.
func (m *Machine) advance(now uint64, eff *Effects) {
	old, head := m.head, m.shed(eff)
	if head == old {
		eff.Write = append(eff.Write, m.selfRecord())
		eff.Notify = append(eff.Notify, BranchChanged{})
		return
	}
	m.head = head
	if m.publics[head] == nil { // it lost long ago, and wins now
		_, _ = m.remember(head)
	}
	m.electLook = true
	changed := HeadChanged{Head: head, Blocks: m.notOn(head, old), Lost: m.notOn(old, head)}
	eff.Notify = append(eff.Notify, changed)
	spoke := m.speaks()
	resumed := m.readStatus(eff)
	for _, hash := range changed.Blocks {
		for _, op := range m.blocks.Header(hash).Ops {
			m.forget(op, eff)
			if u, ok := op.(*chain.Unpark); ok {
				eff.Notify = append(eff.Notify, Rejoined{u.Device, hash})
			}
		}
	}
	m.noteUndone(changed, eff)
	m.leavesAgain(changed, eff)
	m.dropAcks(eff)
	m.dropNacks(eff)
	m.dropPeople(eff)
	m.dropEvidence(eff)
	m.noteDoubles(changed, eff)
	m.meet(now, spoke, len(changed.Blocks), eff)
	if spoke {
		m.sayEnded(eff)
	}
	if resumed {
		m.greetAll(now, eff)
		m.contradictAll(eff)
	}
	m.reconsider(eff)
	m.renewLeave(eff)
	m.prune(now, eff)
	m.handOwed(eff)
	m.clearShelf(now, eff)
	m.giveUpMissed(now, eff)
	m.ackDue = m.soon(m.ackDue, now)
	m.askAccepted(now)
	m.allTold(now + digestAfter)
	m.askInfos(eff)
	eff.Write = append(eff.Write, m.selfRecord())
	if m.shed(eff) != head { // what led to the old head is surplus, and spoke
		m.advance(now, eff)
	}
}

func (m *Machine) soon(due, at uint64) uint64 {
	if due == 0 {
		return at
	}
	return min(due, at)
}

// notOn returns the blocks on the way to a that are not on the way to b, oldest
// first.
func (m *Machine) notOn(a, b wire.BlockHash) (list []wire.BlockHash) {
	if a == (wire.BlockHash{}) {
		return nil
	}
	for h := a; ; {
		if b != (wire.BlockHash{}) && m.blocks.IsAncestor(h, b) {
			break
		}
		list = append(list, h)
		header := m.blocks.Header(h)
		if header.IsGenesis() {
			break
		}
		h = header.Parent
	}
	slices.Reverse(list)
	return list
}

// readStatus takes the status that the head gives this device. It reports whether a membership
// goes on that had ended.
func (m *Machine) readStatus(eff *Effects) (resumed bool) {
	if m.outside() {
		m.standsOutside(eff)
		return false
	}
	if !m.state().Belongs(m.self.Device.ID()) {
		status := StatusRemoved
		if by, ok := m.removal(m.self.Member()); ok && by.left {
			status = StatusLeft
		}
		if m.status == StatusDeclined {
			status = StatusDeclined
		}
		m.setStatus(status, eff)
		return false
	}
	came := m.came(m.self.Device.ID())
	if came != m.joined && m.epochs[came] == nil && m.epochs[m.head] == nil && !m.blocks.IsLight(came) {
		return false // admitted by another block, whose Welcome is still to come; that of a light one opens nothing
	}
	accepted := m.ackSeq != 0 && m.ackSeq&^ackCount == ackBase(m.joined)
	same := m.instance(came) == m.instance(m.joined)
	healed := accepted && m.proposedAgain(came)
	m.joined = came
	switch {
	case same && m.status.gone(): // fork choice took the removal back
		m.resume(accepted, eff)
		return true
	case healed && m.status == StatusRemoved:
		m.setStatus(StatusActive, eff)
		return true
	case !same:
		delete(m.leaves, m.self.Person)
		eff.drop(KindLeave, m.self.Person[:])
		m.dropDoubts(eff)
		if m.status.gone() || m.status == StatusLeaving || !healed { // it is asked anew
			m.dropHeld(eff)
			m.setStatus(m.welcomed(came), eff)
		}
	}
	return false
}

// proposedAgain reports whether the block that this device came in by was undone by
// a fork and its author has added it once more: what was accepted stays so.
func (m *Machine) proposedAgain(came wire.BlockHash) bool {
	before := m.blocks.Header(m.joined)
	return !m.blocks.IsAncestor(m.joined, m.head) && before.Author.Person == m.blocks.Header(came).Author.Person
}

// welcomed is the status of a device that a block admitted: whoever adds a
// device of its own is not asked whether it wants to be in the group.
func (m *Machine) welcomed(by wire.BlockHash) Status {
	if m.blocks.Header(by).Author.Person == m.self.Person {
		return StatusActive
	}
	return StatusInvited
}

// instance names the membership that this device's person has at a block.
func (m *Machine) instance(at wire.BlockHash) (i wire.Instance) {
	if s := m.stateAt(at); s != nil {
		who, _ := s.Person(m.self.Person)
		i = who.Instance
	}
	return i
}

// gone reports whether the device takes no part any more.
func (s Status) gone() bool {
	return s == StatusLeft || s == StatusRemoved || s == StatusDeclined
}

// resume goes on with a membership whose end was taken back: with its leaving,
// if that was what ended it.
func (m *Machine) resume(accepted bool, eff *Effects) {
	own := m.leaves[m.self.Person]
	switch {
	case own != nil && accepted:
		m.setStatus(StatusLeaving, eff)
	case own != nil:
		m.setStatus(StatusDeclined, eff)
	case accepted:
		m.setStatus(StatusActive, eff)
	default:
		m.setStatus(StatusInvited, eff)
	}
}

func (m *Machine) setStatus(s Status, eff *Effects) {
	if s != m.status {
		m.status = s
		if s.gone() {
			m.dropHeld(eff)
			if !m.isMember(m.self.Person) { // else a device alone is out, which heals
				m.dropDoubts(eff)
			}
		}
		eff.Notify = append(eff.Notify, StatusChanged{s})
	}
}

// forget drops what was kept for a person or device that an op removes.
func (m *Machine) forget(op chain.Op, eff *Effects) {
	gone, _, ok := ends(op)
	if !ok {
		return
	}
	person := gone.Person
	if gone.Device == (wire.DeviceID{}) && m.leaves[person] != nil && person != m.self.Person {
		delete(m.leaves, person)
		eff.drop(KindLeave, person[:])
	}
	who, _ := m.state().Person(person)
	for _, d := range who.Devices {
		if m.reaches[d.ID] != nil && !m.state().Belongs(d.ID) {
			delete(m.reaches, d.ID)
			eff.drop(KindReach, d.ID[:])
		}
	}
}

func (e *Effects) send(to wire.DeviceID, payload []byte) {
	e.Send = append(e.Send, Frame{to, payload})
}

func (m *Machine) blockFrame(hash wire.BlockHash) blockFrame {
	b := blockFrame{header: m.blocks.Header(hash).Bytes(), body: m.blocks.Body(hash).Bytes()}
	if w, ok := m.welcomes[hash]; ok {
		b.welcome = w.bytes()
	}
	return b
}

func sortedBlocks[V any](m map[wire.BlockHash]V) []wire.BlockHash {
	list := make([]wire.BlockHash, 0, len(m))
	for h := range m {
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b wire.BlockHash) int { return bytes.Compare(a[:], b[:]) })
	return list
}
