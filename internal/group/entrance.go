package group

import (
	"bytes"
	"errors"

	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A device of a member that nobody has added yet, because its person lost all
// others, comes in by itself: a member gives it an entrance, and its own block
// adds it by external commit. An entrance is an invitation with another number,
// and in its welcome, in place of the MLS Welcome, the GroupInfo of the head.
//
//	size field
//	1    11, entrance
//	32   head, at which the receiver is no member's device yet
//	V    welcome: V GroupInfo without the tree, V floor
//	     the rest as in an invitation

// Entrance makes the entrance for a device that headers, the chain of its
// person, show as active.
func (m *Machine) Entrance(who wire.Member, headers [][]byte) ([]byte, error) {
	if err := m.mayWrite(); err != nil {
		return nil, err
	}
	if !m.isMember(who.Person) {
		return nil, refuse(ReasonNoMember, nil)
	}
	if m.state().Belongs(who.Device) {
		return nil, refuse(ReasonMember, nil)
	}
	if m.blocks.Lights() {
		return nil, refuse(ReasonRule, errNotHere) // who has all blocks whole can
	}
	state, person, err := PersonState(headers)
	if err != nil || person != who.Person || !state.Active(who.Device) {
		return nil, refuse(ReasonRule, err)
	}
	floor := m.floorFor([]Newcomer{{Person: who.Person}})
	sum := floor.Hash()
	info, err := m.groupInfo(mls.Extension{Type: extFloor, Data: sum[:]})
	if err != nil {
		return nil, err
	}
	w := welcome{message: info, floor: floor.Marshal()}
	in := invitation{block: m.head, welcome: w.bytes(), blocks: m.allBlocks(wire.BlockHash{}), reaches: m.allReaches(), infos: m.allInfos(), certificate: m.votes.Settlement().Marshal()}
	return in.numbered(frameEntrance), nil
}

// IsEntrance reports whether payload is an entrance.
func IsEntrance(payload []byte) bool { return len(payload) > 0 && payload[0] == frameEntrance }

// JoinExternal makes the machine of a group that this device adds itself to, by
// an entrance that from gave. Self's headers show the device as active. Its
// person is a member and is not asked again.
func JoinExternal(self Self, payload []byte, from wire.Member, now uint64) (*Machine, Effects, error) {
	var eff Effects
	m, err := enterBy(self, payload, from, now, &eff)
	if err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	return m, m.finish(now, eff), nil
}

func enterBy(self Self, payload []byte, from wire.Member, now uint64, eff *Effects) (*Machine, error) {
	if !IsEntrance(payload) {
		return nil, errShape
	}
	in, err := parseInvitation(wire.NewReader(payload[1:]))
	if err != nil {
		return nil, err
	}
	m := newMachine(self)
	m.now = now
	for _, b := range in.blocks {
		hash, err := m.takeBlock(b.header, b.body, eff)
		if err != nil {
			return nil, err
		}
		m.takeWelcome(&peer{member: from}, hash, b.welcome, eff)
	}
	if err := m.takeCertificate(in.certificate, eff); err != nil {
		return nil, err
	}
	if m.graph == nil || m.pick() != in.block {
		return nil, ErrStale
	}
	m.final.block = m.votes.Settled()
	m.head = in.block
	w, err := parseWelcome(in.welcome)
	if err != nil {
		return nil, err
	}
	floor, err := m.checkEntrance(in.block, w, from)
	if err != nil {
		return nil, err
	}
	if err := m.graph.SetFloor(floor); err != nil {
		return nil, err
	}
	m.keepTips(floor)
	eff.put(KindFloor, nil, w.floor)
	if err := m.addSelf(now, w.message, from, eff); err != nil {
		return nil, err
	}
	m.takeInfos(in.infos, eff)
	for _, b := range in.reaches {
		m.takeReach(b, from.Device, eff)
	}
	return m, nil
}

// checkEntrance checks what does not stand in blocks.
func (m *Machine) checkEntrance(hash wire.BlockHash, w welcome, from wire.Member) (dagFloor, error) {
	if !m.isMember(m.self.Person) || m.state().Belongs(m.self.Device.ID()) {
		return dagFloor{}, errWelcome
	}
	if !m.state().Belongs(from.Device) {
		return dagFloor{}, errInviter
	}
	info, err := m.checkGroupInfo(hash, w.message)
	if err != nil {
		return dagFloor{}, err
	}
	floor, err := dag.ParseFloor(w.floor)
	if err != nil {
		return dagFloor{}, err
	}
	if sum := floor.Hash(); !bytes.Equal(extension(info.Extensions, extFloor), sum[:]) {
		return dagFloor{}, errGroupInfo
	}
	return floor, m.checkFloor(floor)
}

// addSelf makes the block by which this device comes in, and hands it to from:
// the others do not know yet that they may listen to it.
func (m *Machine) addSelf(now uint64, info []byte, from wire.Member, eff *Effects) error {
	hash, err := m.ownEntry(now, info, eff)
	if err != nil {
		return err
	}
	m.joined, m.status = hash, StatusActive
	m.addInfo(m.self.Info, eff)
	m.advance(now, eff)
	if m.head != hash {
		return errors.Join(ErrStale, errWelcome)
	}
	m.ackDue = now
	eff.send(from.Device, blocksFrame{blocks: []blockFrame{m.blockFrame(hash)}}.bytes())
	return nil
}
