package group

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// An errand is a block that the group needs and no person asks this device for:
// to commit a Leave, to carry a removal over, to renew keys, to do again what a
// fork undid. What is needed follows from the blocks and statements held, so that
// nothing of it is stored, and what lost at a fork is needed again.
//
//	not needed ── a head or a statement needs it ──> waits its turn
//	waits its turn ── another's block does it ──> not needed
//	waits its turn ── the turn has come ──> done, or refused at this head
//	refused ── another head ──> waits its turn
//	held back for the voters ── a minute ──> waits its turn
//
// Most errands any member may do. Then the most senior that is online does it,
// each next one errandStep later, and a little later by chance of head and device:
// those who do not see each other rarely do it at once.
type errand struct {
	name   errandName
	others func(chain.Member) bool // who may do it as well; nil: nobody
	wait   uint64                  // ms; before the first does it
	do     func(now uint64, eff *Effects) error
}

// An errandName tells errands at one head apart.
type errandName struct {
	kind   errandKind
	person wire.PersonID  // a Leave's, a Carry's, of a revoked device
	block  wire.BlockHash // of what a fork undid
}

// An errandKind orders errands that are due together.
type errandKind uint8

const (
	errandCarry errandKind = iota
	errandLeave
	errandRevoke
	errandRedo
	errandResend
	errandRekey
	errandPark
)

// A turn is how long an errand waits.
type turn struct {
	since   uint64 // ms; when it was first needed
	wait    uint64 // ms; before the first does it
	refused wire.BlockHash
}

// maxErrands bounds the errands of one step; others wait for the next.
const maxErrands = 32

// errands returns what the head needs, the most urgent first.
func (m *Machine) errands() (list []errand) {
	if m.mayWrite() != nil {
		return nil
	}
	list = append(list, m.carryErrands()...)
	list = append(list, m.leaveErrands()...)
	list = append(list, m.revokeErrands()...)
	list = append(list, m.redoErrands()...)
	list = append(list, m.resendErrands()...)
	list = append(list, m.rekeyErrands()...)
	list = append(list, m.parkErrands()...)
	slices.SortFunc(list, func(a, b errand) int {
		return cmp.Or(cmp.Compare(a.name.kind, b.name.kind), comparePerson(a.name.person, b.name.person),
			bytes.Compare(a.name.block[:], b.name.block[:]))
	})
	return list
}

// runErrands does the errands whose turn has come.
func (m *Machine) runErrands(now uint64, eff *Effects) {
	for range maxErrands {
		due, ok := m.nextErrand(now)
		if !ok {
			return
		}
		switch err := due.do(now, eff); {
		case err == nil:
			delete(m.turns, due.name)
		case heldBack(err):
			m.turns[due.name] = &turn{since: now, wait: unsettledAgain}
		default: // another head may allow it
			m.turns[due.name].refused = m.head
		}
	}
	m.errandDue = now + 1
}

// nextErrand returns the first errand whose turn has come; if there is none, it
// has noted when the next one's comes.
func (m *Machine) nextErrand(now uint64) (errand, bool) {
	list := m.errands()
	turns := make(map[errandName]*turn, len(list))
	m.errandDue = 0
	var first errand
	found := false
	for _, e := range list {
		t := m.turns[e.name]
		if t == nil {
			t = &turn{since: now, wait: e.wait}
		}
		turns[e.name] = t
		if t.refused == m.head {
			continue
		}
		due := t.since + t.wait + m.seniors(e.others)*errandStep
		if due <= now && !found {
			first, found = e, true
		}
		m.errandDue = m.soon(m.errandDue, due)
	}
	m.turns = turns
	return first, found
}

// seniors counts those online who do an errand before this device.
func (m *Machine) seniors(others func(chain.Member) bool) (n uint64) {
	if others == nil {
		return 0
	}
	own := m.self.Device.ID()
	for _, who := range m.byRank() {
		mine := who.Person == m.self.Person
		if mine || others(who) {
			if slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.online(d.ID) && (!mine || lessID(d.ID, own)) }) {
				n++
			}
		}
		if mine {
			break
		}
	}
	return n
}

// online reports whether a session is up with a member's device that takes part.
func (m *Machine) online(d wire.DeviceID) bool {
	p := m.peers[d]
	return p != nil && p.named && p.rel == present && m.state().Active(d)
}

// chance is below most, and another for each device and head.
func (m *Machine) chance(most uint64) uint64 {
	own := m.self.Device.ID()
	at := binary.BigEndian.Uint32(own[:]) ^ binary.BigEndian.Uint32(m.head[:])
	return uint64(at) % most
}

// byRank returns the members, admins by seniority first, then by admission.
func (m *Machine) byRank() []chain.Member {
	members := m.state().Members()
	slices.SortFunc(members, func(a, b chain.Member) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Join, b.Join))
	})
	return members
}
