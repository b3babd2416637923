package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/identity"
	"kith/internal/mls"
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
	Suite     mls.Suite // of its keys
	Title     string    // empty while it is not known, and in a direct chat
	Members   []MemberView
	Admin     bool            // this device's person is one
	InvitedBy wire.PersonID   // who signed the block this device came in by
	RemovedBy wire.PersonID   // zero: not removed
	RemovedAt uint64          // ms
	CreatedAt uint64          // ms
	ChangedAt uint64          // ms, of the head
	Missing   int             // entries that are known of and not here, as last told
	AskedOf   []wire.PersonID // of whom they are asked now
	Missed    int             // messages that were written while this device was parked, not handed over yet
	Policy    chain.Policy    // of the head
	Lifetime  uint32          // seconds that what is written now lasts; 0: for ever
	Earlier   EarlierView     // of the time before this device came
	Carrying  []wire.PersonID // whose removal lost at a fork and is carried over before anything is written
	Unasked   int             // own messages of a branch that lost, or that a removal held up, which wait for the answer of Resend
	UnaskedOf []wire.PersonID // who was no member when they were written, or lacks what is older than this device's removal
	Readded   bool            // some of them are so old
	Held      int             // own messages that wait for that
	NoKeys    bool            // this device cannot follow the head's keys
	NewKey    bool            // because it took the place of an earlier one of its home: it comes in by itself
	Parked    bool            // an admin set this device aside; it comes back by itself
	Outdated  []wire.PersonID // without keys: who needs a newer version once this device has come back
	Willing   bool            // and the person has said to do so all the same: see Rejoin
	Inside    bool            // this device is the group's, parked or not
	Replaced  bool            // a copy of this device took its place: see Rejoin
	Slashed   bool            // this device was taken out for what its key signed twice; its person is a member
	Needed    bool            // leaving: this person's vote is needed until others have the say
	Awaited   []wire.PersonID // and that needs these votes; empty: an admin's device is to propose others first
}

// View returns the group as it stands.
func (m *Machine) View() View {
	s := m.state()
	v := View{
		Group: m.group, Status: m.status, Direct: s.DirectChat(), Suite: mls.Suite(s.Suite()), Title: m.title(),
		Admin: s.IsAdmin(m.self.Person), Missing: m.missing, Missed: len(m.missed), Held: len(m.held),
		CreatedAt: m.blocks.Header(m.blocks.Genesis()).CreatedAt,
		ChangedAt: m.blocks.Header(m.head).CreatedAt,
		NoKeys:    s.Belongs(m.self.Device.ID()) && m.epochs[m.head] == nil || m.outside(),
		NewKey:    m.status == StatusActive && m.outside(),
		Inside:    s.Belongs(m.self.Device.ID()),
		Replaced:  m.wasReplaced(),
	}
	v.Policy, v.Lifetime, v.Earlier = s.Policy(), m.lifetime(), m.earlierView()
	if m.missing > 0 {
		v.AskedOf = m.askedPeople()
	}
	v.Unasked, v.UnaskedOf = m.questions()
	v.Readded = m.asksOfRemoved()
	v.Awaited, v.Needed = m.leaveAwaits()
	for _, p := range m.pending() {
		v.Carrying = append(v.Carrying, p.Person)
	}
	if h := m.blocks.Header(m.joined); h != nil {
		v.InvitedBy = h.Author.Person
	}
	if !s.Belongs(m.self.Device.ID()) {
		if gone, ok := m.removal(m.self.Member()); ok {
			v.RemovedBy, v.RemovedAt = gone.by, gone.at
		}
		v.Slashed = m.isMember(m.self.Person) && m.wasSlashed(m.self.Device.ID())
	}
	if v.NoKeys {
		v.Outdated, v.Willing = m.outdated(), m.willing
	}
	v.Parked = v.NoKeys && !s.Active(m.self.Device.ID()) && !m.outside()
	came := m.register().came
	for _, who := range s.Members() {
		v.Members = append(v.Members, m.memberView(who, came[who.Person]))
	}
	return v
}

// isIn reports whether a member has accepted the invitation: who has signed a block
// is in, though an invited device holds no Ack yet.
func (m *Machine) isIn(who chain.Member) bool {
	if who.Person == m.self.Person {
		return m.status != StatusInvited
	}
	return m.acceptedBy(who) || slices.ContainsFunc(who.Devices, func(d chain.Device) bool { return m.signedSince(d.ID) })
}

// wasIn reports whether a device of a member's was taken out of the present membership,
// with which its Ack went: it was revoked, or signed two things, so it had accepted.
func (m *Machine) wasIn(who chain.Member) bool {
	return slices.ContainsFunc(who.Devices, func(d chain.Device) bool {
		at := m.stateAt(m.came(d.ID))
		if d.Status != chain.StatusRevoked || at == nil {
			return false
		}
		then, _ := at.Person(who.Person)
		return then.Instance == who.Instance
	})
}

func (m *Machine) memberView(who chain.Member, came arrival) MemberView {
	v := MemberView{
		Person: who.Person, Name: m.Name(who.Person), Admin: who.Role == chain.RoleAdmin, Rank: who.Rank,
		Accepted: m.isIn(who) || m.wasIn(who), Since: came.at, AddedBy: came.by,
	}
	for _, d := range who.Devices {
		if m.state().Belongs(d.ID) {
			v.Devices = append(v.Devices, d.ID)
		}
	}
	return v
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

// Lost returns the blocks that are not on the head's chain: what was written at
// them was sent while the group was split.
func (m *Machine) Lost() (list []wire.BlockHash) {
	if uint64(m.blocks.Len()) == m.state().Height()+1 {
		return nil
	}
	for _, hash := range m.blocks.All() {
		if !m.blocks.IsAncestor(hash, m.head) {
			list = append(list, hash)
		}
	}
	return list
}

// Status returns what this device is in the group.
func (m *Machine) Status() Status { return m.status }

// Devices returns the devices of other members, and those of former members
// that may still hear of their removal.
func (m *Machine) Devices() (list []DeviceView) {
	for _, who := range m.state().Everyone() {
		for _, d := range who.Devices {
			if d.ID == m.self.Device.ID() || m.self.formerly(d.ID) != nil {
				continue
			}
			gone, former := departure{}, !m.state().Belongs(d.ID)
			if former {
				gone, _ = m.removal(wire.Member{Person: who.Person, Device: d.ID})
			}
			v := DeviceView{Member: wire.Member{Person: who.Person, Device: d.ID}, Key: d.Key, Reach: m.reaches[d.ID], Former: former}
			v.KnockKey, _ = m.KnockKey(d.ID)
			if former {
				v.Until = gone.at + removedServe
			}
			list = append(list, v)
		}
	}
	return list
}

// A DeviceView is a member's device and where its link is.
type DeviceView struct {
	Member   wire.Member
	Key      [32]byte
	KnockKey []byte
	Reach    *dag.Reach // nil: it never said
	Former   bool       // its person was a member
	Until    uint64     // ms; of a former one: until when it may hear of that
}

// OwnSeq returns the number of the newest own entry.
func (m *Machine) OwnSeq() uint64 { return m.tips[m.self.Device.ID()].ref.Seq }

// MLSEpoch returns the epoch number that a block leads to (docs/spec/chain.md).
func (m *Machine) MLSEpoch(hash wire.BlockHash) uint64 { return m.stateAt(hash).Epoch() }

// Unreached returns how many of the newest own messages no other member has
// acknowledged, annotations apart; 0 where there is nobody else.
func (m *Machine) Unreached() int {
	own := m.self.Device.ID()
	newest := m.OwnSeq()
	if newest == 0 || len(m.state().Members()) < 2 {
		return 0
	}
	var reached uint64
	for d := range m.acks {
		if d != own {
			reached = max(reached, m.AckedUpTo(d, own))
		}
	}
	count := int(newest - min(newest, reached))
	for seq, u := range m.unsent {
		if seq > reached && IsAnnotation(u.content) {
			count--
		}
	}
	return max(0, count)
}

// Everyone returns all who are or were members, sorted by id.
func (m *Machine) Everyone() (list []wire.PersonID) {
	for _, who := range m.state().Everyone() {
		list = append(list, who.Person)
	}
	return list
}
