package group

import (
	"kith/internal/chain"
	"kith/internal/wire"
)

// How a group goes on after a poisoned block, whoever signed it.
//
//	poisoned for this device, an admin, and for another ── outvoteAfter, a turn ──> sibling that removes the author
//	poisoned for an admin alone ── nobody gives it keys in outvoteAlone ──> likewise
//	poisoned for anybody ── a member gives keys ──> comes back (rejoin.go)
//	most devices, of most people, could not follow ── restartAfter, a turn ──> Restart, by anybody (restart.go)
//
// The sibling is a removal, so that it outweighs the poisoned block while that
// one is not settled; what was built on top of it goes with it.

// A repair is what this device is about to sign so that the group can go on. It
// is not stored.
type repair struct {
	head                    wire.BlockHash // what the rest is about
	outvote, restart, slash task
	unproved                map[wire.DeviceID]bool // whom no Slash takes out at this head
}

// A task is one of the things to be signed.
type task struct {
	due     uint64 // ms; 0: not needed
	refused bool   // by a rule, at this head
}

// plan lets a task be due after a wait that began when it was first needed.
func (t *task) plan(now, wait uint64, needed bool) {
	switch {
	case !needed || t.refused:
		t.due = 0
	case t.due == 0:
		t.due = now + wait
	default:
		t.due = min(t.due, now+wait)
	}
}

// poison returns the block on the way to the head that this device could not
// follow.
func (m *Machine) poison() (wire.BlockHash, bool) {
	own := m.self.Device.ID()
	for at := m.head; m.epochs[at] == nil; {
		h := m.blocks.Header(at)
		if h.Starts() {
			break
		}
		if m.epochs[h.Parent] != nil {
			return at, m.nacks[at][own] != nil
		}
		at = h.Parent
	}
	return wire.BlockHash{}, false
}

// repairKeys does what the head needs, once it is this device's turn.
func (m *Machine) repairKeys(now uint64, eff *Effects) {
	if m.mend.head != m.head {
		m.mend = repair{head: m.head}
	}
	if m.status != StatusActive || len(m.nacks)+len(m.evidence)+len(m.ballots.evidence) == 0 {
		m.mend = repair{head: m.head}
		return
	}
	wait, needed := m.outvoteWait()
	m.mend.outvote.plan(now, wait, needed)
	wait, needed = m.restartWait()
	m.mend.restart.plan(now, wait, needed)
	liar, wait, needed := m.slashWait()
	m.mend.slash.plan(now, wait, needed)
	mend := m.mend
	switch {
	case isDue(mend.outvote.due, now):
		m.mend.outvote.refused = m.outvote(now, eff) != nil
	case isDue(mend.restart.due, now):
		m.mend.restart.refused = m.restartByNacks(now, eff) != nil
	case isDue(mend.slash.due, now):
		if m.slash(now, liar, eff) != nil {
			m.mend.slash.due = 0
			if m.mend.unproved == nil {
				m.mend.unproved = make(map[wire.DeviceID]bool)
			}
			m.mend.unproved[liar] = true // another's turn
		}
	}
}

// outvoteWait returns how long this device waits before it signs a sibling of the
// block that it could not follow; false: it signs none.
func (m *Machine) outvoteWait() (wait uint64, needed bool) {
	at, ok := m.poison()
	if !ok {
		return 0, false
	}
	h := m.blocks.Header(at)
	parent := m.stateAt(h.Parent)
	author, member := parent.Person(h.Author.Person)
	if !parent.IsAdmin(m.self.Person) || parent.DirectChat() || h.Author.Person == m.self.Person ||
		!member || author.Status == chain.StatusRemoved {
		return 0, false
	}
	if len(m.nacks[at]) < 2 {
		return outvoteAlone, m.anyPeer(func(p *peer) bool { return p.named && p.rel == present })
	}
	return outvoteAfter + m.turn(parent.Admins())*outvoteStep, true
}

// turn counts the people of a list who come before this device's, and are here.
func (m *Machine) turn(list []wire.PersonID) (n uint64) {
	for _, person := range list {
		if person == m.self.Person {
			break
		}
		if m.anyPeer(func(p *peer) bool { return p.named && p.rel == present && p.member.Person == person }) {
			n++
		}
	}
	return n
}

// outvote signs the sibling that removes the author of a poisoned block. A device
// that has signed a child of the same parent already goes on from that: two
// siblings of one device are evidence against it.
func (m *Machine) outvote(now uint64, eff *Effects) error {
	at, _ := m.poison()
	h := m.blocks.Header(at)
	base := h.Parent
	for again := true; again; {
		again = false
		for _, c := range m.blocks.Children(base) {
			if m.blocks.Header(c).Author.Device == m.self.Device.ID() && m.epochs[c] != nil {
				base, again = c, true
				break
			}
		}
	}
	who, ok := m.stateAt(base).Person(h.Author.Person)
	if !ok || who.Status == chain.StatusRemoved {
		return refuse(ReasonNoMember, nil)
	}
	op := &chain.Remove{Person: who.Person, Instance: who.Instance, Cuts: m.cuts(who)}
	return m.commitOn(now, base, change{ops: []chain.Op{op}}, eff)
}

// restartWait returns how long this device waits before it restarts the keys
// because most devices could not follow (chain, Most); false: they could, or
// it cannot.
func (m *Machine) restartWait() (wait uint64, needed bool) {
	if !m.state().Active(m.self.Device.ID()) || !m.state().Most(sortedDevices(m.liveNacks())) {
		return 0, false
	}
	return restartAfter + m.turn(m.order())*restartStep, true
}

// order returns the members as they take turns.
func (m *Machine) order() (list []wire.PersonID) {
	for _, who := range m.byRank() {
		list = append(list, who.Person)
	}
	return list
}

func (m *Machine) restartByNacks(now uint64, eff *Effects) error {
	live := m.liveNacks()
	var nacks []*chain.Nack
	for _, d := range sortedDevices(live) {
		nacks = append(nacks, live[d])
	}
	return m.startAnew(now, m.state().Suite(), chain.RestartPoisoned, nacks, eff)
}

// noKeysFromAnybody signs a Nack of the head, if this device should have keys
// there, and every member that it could ask has given none: the head's Welcome
// was false, or the keys are lost.
func (m *Machine) noKeysFromAnybody(now uint64, eff *Effects) {
	own := m.self.Device.ID()
	if len(m.back.asked) == 0 || !m.state().Active(own) || m.blocks.Header(m.head).Author.Device == own || m.liveNacks()[own] != nil {
		return
	}
	if m.awaitsWelcome() {
		return
	}
	if m.back.nack = m.back.since + nackAfter; m.back.nack > now {
		return
	}
	m.back.nack = 0
	m.nack(m.head, chain.NackPath, eff)
}

// awaitsWelcome reports whether this device was let in again, has not come in by that, and could not ask who
// did it and has the Welcome.
func (m *Machine) awaitsWelcome() bool {
	own := m.self.Device.ID()
	came := m.came(own)
	h := m.blocks.Header(came)
	return h != nil && h.Author.Device != own && !m.back.asked[h.Author.Device] &&
		m.joined != came && !m.blocks.IsAncestor(came, m.joined)
}
