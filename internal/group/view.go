package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/identity"
	"kith/internal/wire"
)

// What the owner of a machine may ask of it between steps.

// A MemberView is one member as people see it.
type MemberView struct {
	Person   wire.PersonID
	Name     string // empty while it is not known
	Admin    bool
	Rank     uint32
	Accepted bool // false: invited, and has not accepted yet
	Devices  []wire.DeviceID
	Since    uint64 // ms, when it was added
	AddedBy  wire.PersonID
}

// A View is the group as people see it.
type View struct {
	Group     wire.GroupID
	Status    Status
	Direct    bool
	Title     string // empty while it is not known, and in a direct chat
	Members   []MemberView
	Admin     bool          // this device's person is one
	InvitedBy wire.PersonID // who signed the block this device came in by
	RemovedBy wire.PersonID // zero: not removed
	RemovedAt uint64        // ms
	CreatedAt uint64        // ms
	ChangedAt uint64        // ms, of the head
	Missing   int           // entries that others refer to and that are not here
	NoKeys    bool          // this device cannot follow the head's keys
}

// View returns the group as it stands.
func (m *Machine) View() View {
	s := m.state()
	v := View{
		Group: m.group, Status: m.status, Direct: s.DirectChat(), Title: m.title(),
		Admin: s.IsAdmin(m.self.Person), Missing: m.missing,
		CreatedAt: m.blocks.Header(m.blocks.Genesis()).CreatedAt,
		ChangedAt: m.blocks.Header(m.head).CreatedAt,
		NoKeys:    s.Active(m.self.Device.ID()) && m.epochs[m.head] == nil,
	}
	if h := m.blocks.Header(m.joined); h != nil {
		v.InvitedBy = h.Author.Person
	}
	if !s.Active(m.self.Device.ID()) {
		if gone, ok := m.removal(m.self.Person); ok {
			v.RemovedBy, v.RemovedAt = gone.by, gone.at
		}
	}
	came := m.arrivals()
	for _, who := range s.Members() {
		v.Members = append(v.Members, m.memberView(who, came[who.Person]))
	}
	return v
}

func (m *Machine) memberView(who chain.Member, came arrival) MemberView {
	v := MemberView{
		Person: who.Person, Name: m.Name(who.Person), Admin: who.Role == chain.RoleAdmin, Rank: who.Rank,
		Accepted: m.acceptedBy(who), Since: came.at, AddedBy: came.by,
	}
	if who.Person == m.self.Person {
		v.Accepted = m.status != StatusInvited
	}
	for _, d := range who.Devices {
		if d.Status == chain.StatusActive {
			v.Devices = append(v.Devices, d.ID)
		}
	}
	return v
}

type arrival struct {
	by wire.PersonID
	at uint64
}

// arrivals says who was added last by whom, on the head's chain.
func (m *Machine) arrivals() map[wire.PersonID]arrival {
	list := make(map[wire.PersonID]arrival)
	for _, hash := range m.blocks.Chain() {
		h := m.blocks.Header(hash)
		for _, op := range h.Ops {
			switch op := op.(type) {
			case *chain.Genesis:
				list[op.Creator] = arrival{h.Author.Person, h.CreatedAt}
			case *chain.Add:
				list[op.Person] = arrival{h.Author.Person, h.CreatedAt}
			}
		}
	}
	return list
}

func (m *Machine) title() string { return m.infoText(m.state().Info()) }

// Name returns the name of somebody who is or was a member, empty if it is not
// known.
func (m *Machine) Name(person wire.PersonID) string {
	d, ok := m.nameOf(person)
	if !ok {
		return ""
	}
	return m.infoText(d)
}

func (m *Machine) infoText(d wire.Digest) string {
	b := m.infos[d]
	if b == nil {
		return ""
	}
	info, err := identity.ParseInfo(b)
	if err != nil {
		return ""
	}
	return info.Name
}

// InfoText returns the name or title behind a commitment, empty if unknown.
func (m *Machine) InfoText(d wire.Digest) string { return m.infoText(d) }

// Blocks gives the chain to read; it must not be changed.
func (m *Machine) Blocks() *chain.Blocks { return m.blocks }

// Status returns this device's standing.
func (m *Machine) Status() Status { return m.status }

// Relation tells whether a device is a member's at the head, and whether it was
// one and may still hear of its removal at now, in ms.
func (m *Machine) Relation(who wire.Member, now uint64) (isMember, wasMember bool) {
	switch m.relation(who) {
	case present:
		return true, false
	case former:
		gone, ok := m.removal(who.Person)
		return false, ok && gone.at+removedServe > now
	}
	return false, false
}

// Devices returns the active devices of other members, with their keys.
func (m *Machine) Devices() (list []DeviceView) {
	for _, who := range m.state().Members() {
		for _, d := range who.Devices {
			if d.Status == chain.StatusActive && d.ID != m.self.Device.ID() {
				list = append(list, DeviceView{wire.Member{Person: who.Person, Device: d.ID}, d.Key, m.reaches[d.ID]})
			}
		}
	}
	return list
}

// A DeviceView is a member's device and where its link is, nil if it never said.
type DeviceView struct {
	Member wire.Member
	Key    [32]byte
	Reach  *dag.Reach
}

// Delivered returns, of the members other than author's person, whose devices
// acknowledged the entry that device wrote with number seq.
func (m *Machine) Delivered(device wire.DeviceID, seq uint64) (reached, of []wire.PersonID) {
	author, _, _ := m.state().Device(device)
	for _, who := range m.state().Members() {
		if who.Person == author.Person {
			continue
		}
		of = append(of, who.Person)
		if slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return covers(m.acks[d.ID], device, seq) }) {
			reached = append(reached, who.Person)
		}
	}
	return reached, of
}

func covers(a *dag.Ack, device wire.DeviceID, seq uint64) bool {
	return a != nil && slices.ContainsFunc(a.Delivered, func(d dag.Delivered) bool {
		return d.Device == device && d.Seq >= seq
	})
}

// OwnSeq returns the number of the newest own entry.
func (m *Machine) OwnSeq() uint64 { return m.tips[m.self.Device.ID()].ref.Seq }

// MLSEpoch returns the epoch number that a block leads to (docs/spec/chain.md).
func (m *Machine) MLSEpoch(hash wire.BlockHash) uint64 { return 1 + m.blocks.Header(hash).Height }
