package chain

import (
	"bytes"
	"slices"
	"sort"

	"kith/internal/wire"
)

// Status is whether a person or a device belongs now.
type Status uint8

// Statuses. A revoked device never comes back; a removed one may, when its
// person is added again.
const (
	StatusActive  Status = 0
	StatusParked  Status = 1
	StatusRemoved Status = 2
	StatusRevoked Status = 3
)

// NoRank is the rank of who is no admin.
const NoRank uint32 = 1<<32 - 1

// A Device is one device of a member, in the order of admission.
type Device struct {
	ID        wire.DeviceID
	Key       [32]byte
	KnockHash wire.Digest
	Status    Status
}

// A Member is a person ever admitted, as it stands now.
type Member struct {
	Person     wire.PersonID
	Instance   wire.Instance
	Role       Role
	Rank       uint32 // order in which today's admins gained the role; NoRank for others
	Join       uint32 // order of admission
	PersonHead wire.BlockHash
	Devices    []Device // not to be changed
	Status     Status
}

// A State is what holds after a block. It never changes; the states of many
// blocks share what is equal.
type State struct {
	ofPerson   bool // a person's chain
	suite      uint16
	height     uint64
	start      uint64 // height of the block that started today's MLS group
	info       wire.Digest
	policy     Policy
	features   []uint16
	electorate []wire.PersonID // sorted
	recovery   *RecoveryKeys
	recoveryID wire.DeviceID // how the recovery key is named as an author
	records    []*record     // everybody ever admitted, sorted by person
	devices    *roll         // every device ever admitted
	newest     trace         // the newest block that is no Unpark
	others     trace         // the newest such block by another person than that one's author
	root       wire.Digest
}

// Members returns today's members, sorted by person.
func (s *State) Members() []Member {
	list := make([]Member, 0, len(s.records))
	for _, r := range s.records {
		if r.Status != StatusRemoved {
			list = append(list, r.Member)
		}
	}
	return list
}

// Everyone returns every person ever admitted, sorted by person; Status tells
// who is a member today.
func (s *State) Everyone() []Member {
	list := make([]Member, len(s.records))
	for i, r := range s.records {
		list[i] = r.Member
	}
	return list
}

// Person returns a person ever admitted.
func (s *State) Person(id wire.PersonID) (Member, bool) {
	if i, ok := s.find(id); ok {
		return s.records[i].Member, true
	}
	return Member{}, false
}

// Device returns a device ever admitted, and its person.
func (s *State) Device(id wire.DeviceID) (Member, Device, bool) {
	a := s.devices.get(id)
	if a == nil {
		return Member{}, Device{}, false
	}
	m, _ := s.Person(a.person)
	for _, d := range m.Devices {
		if d.ID == id {
			return m, d, true
		}
	}
	return Member{}, Device{}, false
}

// Active reports whether the device belongs to a member and is not parked.
func (s *State) Active(id wire.DeviceID) bool {
	m, d, ok := s.Device(id)
	return ok && m.Status == StatusActive && d.Status == StatusActive
}

// Belongs reports whether the device is a member's, active or parked.
func (s *State) Belongs(id wire.DeviceID) bool {
	m, d, ok := s.Device(id)
	return ok && m.Status != StatusRemoved && (d.Status == StatusActive || d.Status == StatusParked)
}

// LastResort returns the reference of the newest last-resort key package that a
// device has named in its person's chain, and the height of the block that did.
func (s *State) LastResort(id wire.DeviceID, suite uint16) (ref wire.Digest, height uint64, ok bool) {
	if a := s.devices.get(id); a != nil {
		for _, p := range a.packages {
			if p.suite == suite {
				return p.ref, p.height, true
			}
		}
	}
	return wire.Digest{}, 0, false
}

// IsAdmin reports whether the person is an admin today.
func (s *State) IsAdmin(id wire.PersonID) bool {
	m, ok := s.Person(id)
	return ok && m.Status != StatusRemoved && m.Role == RoleAdmin
}

// Admins returns today's admins, most senior first.
func (s *State) Admins() []wire.PersonID {
	var admins []*record
	for _, r := range s.records {
		if r.Status != StatusRemoved && r.Role == RoleAdmin {
			admins = append(admins, r)
		}
	}
	sort.Slice(admins, func(i, j int) bool { return admins[i].Rank < admins[j].Rank })
	ids := make([]wire.PersonID, len(admins))
	for i, r := range admins {
		ids[i] = r.Person
	}
	return ids
}

// LastSeq returns the author_seq of the newest block of the device on the way
// to this state; 0: none.
func (s *State) LastSeq(id wire.DeviceID) uint64 {
	if a := s.devices.get(id); a != nil {
		return a.seq
	}
	return 0
}

// Info returns the commitment to title or name and picture.
func (s *State) Info() wire.Digest { return s.info }

// Policy returns what the group allows.
func (s *State) Policy() Policy { return s.policy }

// Features returns the features in use, ascending. Every leaf of the MLS group
// must announce them, those of newcomers too (package group).
func (s *State) Features() []uint16 { return slices.Clone(s.features) }

// Suite returns the MLS suite.
func (s *State) Suite() uint16 { return s.suite }

// Root returns the state root that the header of the block holds.
func (s *State) Root() wire.Digest { return s.root }

// Height returns how many blocks lie between this one and genesis.
func (s *State) Height() uint64 { return s.height }

// Start returns the height of the block that started today's MLS group: 0, or
// that of the newest Restart.
func (s *State) Start() uint64 { return s.start }

// Epoch returns the MLS epoch that the block's commit leads to.
func (s *State) Epoch() uint64 { return 1 + s.height - s.start }

// Electorate returns the voters, sorted by person.
func (s *State) Electorate() []wire.PersonID { return slices.Clone(s.electorate) }

// DirectChat reports whether this is the chat of two people that genesis made
// for ever; a group that shrank to two is none.
func (s *State) DirectChat() bool { return s.policy.Direct }

// OfPerson reports whether this is a person's chain.
func (s *State) OfPerson() bool { return s.ofPerson }

// Recovery returns the recovery keys of a person's chain; nil in a group.
func (s *State) Recovery() *RecoveryKeys { return s.recovery }

// RecoveryDevice returns how the blocks of a person's chain name the recovery
// key as their author; zero in a group.
func (s *State) RecoveryDevice() wire.DeviceID { return s.recoveryID }

// find returns where the record of id is or belongs.
func (s *State) find(id wire.PersonID) (int, bool) {
	return slices.BinarySearchFunc(s.records, id, func(r *record, id wire.PersonID) int {
		return bytes.Compare(r.Person[:], id[:])
	})
}

// count returns how many members there are.
func (s *State) count() (n uint64) {
	for _, r := range s.records {
		if r.Status != StatusRemoved {
			n++
		}
	}
	return n
}

// senior compares two devices by seniority of their persons: admins by rank,
// then the others by admission; then by admission of the devices. Whoever is
// unknown here comes last.
func (s *State) senior(a, b wire.Member) int {
	if a.Person != b.Person {
		return compareKeys(s.personKey(a.Person), s.personKey(b.Person))
	}
	return s.deviceIndex(a) - s.deviceIndex(b)
}

func (s *State) personKey(id wire.PersonID) [2]uint32 {
	m, ok := s.Person(id)
	switch {
	case !ok:
		return [2]uint32{NoRank, NoRank}
	case m.Status != StatusRemoved && m.Role == RoleAdmin:
		return [2]uint32{m.Rank, 0}
	}
	return [2]uint32{NoRank, m.Join}
}

func compareKeys(a, b [2]uint32) int { return slices.Compare(a[:], b[:]) }

func (s *State) deviceIndex(a wire.Member) int {
	m, _ := s.Person(a.Person)
	i := slices.IndexFunc(m.Devices, func(d Device) bool { return d.ID == a.Device })
	if i < 0 {
		return len(m.Devices)
	}
	return i
}
