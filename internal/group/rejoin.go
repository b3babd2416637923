package group

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// A device without keys at the head, parked or because it lost them, comes back
// by itself: it asks one member after the other for the GroupInfo of the head,
// compares it with the block, and signs an Unpark whose external commit puts a
// fresh leaf in the place of its old one (docs/spec/group.md, "Coming back").
//
//	keys at the head ── parked, secrets lost, commit not to be opened ──> without
//	without ── rejoinAfter, a member is connected ──> asked
//	asked ── no answer in fetchTimeout, or a forged one ──> the next member is asked
//	asked ── a GroupInfo that fits ──> Unpark is made ──> keys at the head
//	without ── somebody's program would not read the Unpark ──> waits for the person's word
//	asked ── everybody was asked, or a rule refuses ──> waits for another head or peer;
//	         outside (renew.go) everybody is asked anew after askAgainAfter

// A rejoin is what this device does to get keys for one head. It is not stored.
type rejoin struct {
	head  wire.BlockHash // what the rest is about
	since uint64         // ms; when this device was first without keys there
	due   uint64         // ms; when the next member is asked; 0: at the next chance
	again uint64         // ms; when a device outside asks everybody anew; 0: it has not asked all
	nack  uint64         // ms; when this device says that nobody gives it keys; 0: it has not asked all
	asked map[wire.DeviceID]bool
}

// shutOut reports whether this device is in the group without keys at the head.
func (m *Machine) shutOut() bool {
	return m.status == StatusActive && m.state().Belongs(m.self.Device.ID()) && m.epochs[m.head] == nil
}

// needsKeys reports whether this device is to get keys by itself: it has none at
// the head, or is not in the group yet that its person is in.
func (m *Machine) needsKeys() bool {
	return m.shutOut() && !m.wasReplaced() || m.speaks() && m.outside()
}

// wasReplaced reports whether another device with this one's key has put its own
// leaf in the place of this one's, since this one was let in last. Two that did so
// without being told to would never end, so this one waits until its person says
// what to do.
func (m *Machine) wasReplaced() bool {
	return m.replaced != (wire.BlockHash{}) && m.blocks.IsAncestor(m.replaced, m.head) && !m.blocks.IsAncestor(m.replaced, m.joined)
}

// noteReplaced takes note of an own device's external commit that this device
// did not make: what it makes is here before anybody else has it. A machine that
// is being made has no head yet, and reads what its device did in an earlier
// membership.
func (m *Machine) noteReplaced(by wire.BlockHash, eff *Effects) {
	if m.head == (wire.BlockHash{}) {
		return
	}
	m.replaced = by
	eff.Notify = append(eff.Notify, Replaced{by})
}

// rejoin is the person's word to come back now, also where this device's leaf
// was replaced.
func (m *Machine) rejoin(now uint64, eff *Effects) error {
	if m.status != StatusActive {
		return refuse(ReasonNotActive, nil)
	}
	if m.wasReplaced() {
		m.replaced = wire.BlockHash{}
		eff.Write = append(eff.Write, m.selfRecord())
	}
	m.back, m.willing = rejoin{head: m.head, due: now}, m.shutOut() && len(m.outdated()) > 0
	return nil
}

// comeBack asks the next member, if this device needs it and it is time.
func (m *Machine) comeBack(now uint64, eff *Effects) {
	if !m.needsKeys() {
		m.back, m.willing = rejoin{}, false
		return
	}
	if !m.willing && len(m.outdated()) > 0 {
		m.back = rejoin{}
		return
	}
	if b := &m.back; b.head != m.head {
		wait := rejoinAfter
		if b.head != (wire.BlockHash{}) { // it has waited already, at another head
			wait = 0
		}
		*b = rejoin{head: m.head, since: now, due: now + wait + m.jitter()}
	}
	if m.back.due > now {
		return
	}
	m.back.due = 0
	if isDue(m.back.again, now) {
		m.back.asked, m.back.again = nil, 0
	}
	if info, ok := m.ownInfo(); ok && m.outside() && m.addDeviceItself(now, info, eff) == nil {
		return
	}
	for _, d := range m.keepers() {
		if !m.back.asked[d] && m.modern(d) {
			if m.back.asked == nil {
				m.back.asked = make(map[wire.DeviceID]bool)
			}
			m.back.asked[d], m.back.due, m.asking = true, now+fetchTimeout, d
			eff.send(d, encodeHash(frameAskKeys, m.head))
			return
		}
	}
	if m.outside() { // whoever was asked may not have known the block that this device named
		if m.back.again == 0 && len(m.back.asked) > 0 {
			m.back.again = now + askAgainAfter
		}
		return
	}
	m.noKeysFromAnybody(now, eff)
}

// keepers returns whom to ask for keys: those with a leaf first, and each time who
// comes after the one that was asked last, at whatever head. Else one who does not
// answer would be asked first at every head, and keep this device out by new heads.
func (m *Machine) keepers() []wire.DeviceID {
	list := after(m.asking, m.connected(!m.outside())) // who takes this device for a former member names no group
	slices.SortStableFunc(list, func(a, b wire.DeviceID) int {
		switch x, y := m.state().Active(a), m.state().Active(b); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return list
}

// outdated returns the members who have another device in the keys whose program
// does not read an Unpark: each of them would need a newer version to go on. So
// nobody comes back by itself where there is one: its person decides.
func (m *Machine) outdated() (list []wire.PersonID) {
	for _, who := range m.state().Members() {
		if slices.ContainsFunc(who.Devices, func(d chain.Device) bool {
			return d.ID != m.self.Device.ID() && m.self.formerly(d.ID) == nil && m.state().Active(d.ID) && !m.reads(d.ID, FeatureRepair)
		}) {
			list = append(list, who.Person)
		}
	}
	return list
}

// jitter keeps devices that a block shut out together from coming back in the
// same instant, of whom all but one would have to do it again.
func (m *Machine) jitter() uint64 {
	own, turn := m.self.Device.ID(), uint64(0)
	for i := range 4 {
		turn = turn<<8 | uint64(own[i]^m.head[i])
	}
	return turn % rejoinJitter
}

// onAskKeys takes note of what a member's device wants to come back by.
func (m *Machine) onAskKeys(p *peer, r *wire.Reader, eff *Effects) error {
	block, err := parseHash[wire.BlockHash](r)
	if err != nil {
		return err
	}
	p.asks = block
	m.giveKeys(p, eff)
	return nil
}

// giveAll answers whoever asked before this device was at that head, or had keys
// for it.
func (m *Machine) giveAll(eff *Effects) {
	if !m.anyPeer(func(p *peer) bool { return p.asks == m.head }) {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		m.giveKeys(m.peers[d], eff)
	}
}

// giveKeys sends a peer the GroupInfo of the head. An answer may come to a device that does not wait for it any
// more, as its session was another when it asked: then it asks again.
func (m *Machine) giveKeys(p *peer, eff *Effects) {
	if p.given != m.head {
		p.gaveKeys = 0
	}
	if p.asks != m.head || !m.mayEnter(p) || p.gaveKeys == maxGiveKeys || m.outside() {
		return
	}
	info, err := m.groupInfo()
	if err != nil {
		return
	}
	p.asks, p.given = wire.BlockHash{}, m.head
	p.gaveKeys++
	eff.send(p.member.Device, keysFrame{m.head, info}.bytes())
}

// groupInfo makes the signed description of the head's epoch. The tree is not in
// it: whoever has the blocks has the tree.
func (m *Machine) groupInfo(more ...mls.Extension) ([]byte, error) {
	return m.signGroupInfo(m.self.Device, more...)
}

func (m *Machine) signGroupInfo(by *identity.Device, more ...mls.Extension) ([]byte, error) {
	e := m.epochs[m.head]
	if e == nil {
		return nil, refuse(ReasonNoKeys, nil)
	}
	return e.secret.GroupInfo(by, append(more, mls.Extension{Type: extBlock, Data: m.head[:]}), false)
}

// onKeys comes back by a GroupInfo that this device asked for.
func (m *Machine) onKeys(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseKeys(r)
	if err != nil {
		return err
	}
	if f.block != m.head || m.back.head != m.head || !m.back.asked[p.member.Device] || !m.needsKeys() {
		return nil // another answer was first, or the head is another by now
	}
	if _, err := m.checkGroupInfo(f.block, f.info); err != nil {
		m.back.due = now
		eff.Notify = append(eff.Notify, Misbehaved{p.member, "group-info"})
		return nil
	}
	enter := m.unpark
	if m.outside() {
		enter = m.addDeviceItself
	}
	if enter(now, f.info, eff) != nil {
		m.back.due = 0 // a rule refuses it at this head
		for _, d := range m.connected(!m.outside()) {
			m.back.asked[d] = true
		}
	}
	return nil
}

var errGroupInfo = errors.New("group: the GroupInfo does not fit its block")

// checkGroupInfo compares a GroupInfo with the block it is of. What is left that
// only the members know is the key in external_pub, and the header has its hash.
func (m *Machine) checkGroupInfo(hash wire.BlockHash, info []byte) (*mls.GroupInfo, error) {
	h := m.blocks.Header(hash)
	public, err := m.public(hash)
	if err != nil {
		return nil, err
	}
	told, out, err := mls.OpenGroupInfo(info, public.RatchetTree())
	if err != nil {
		return nil, err
	}
	if wire.Digest(told.TreeHash()) != h.TreeHash ||
		!bytes.Equal(told.ConfirmedTranscriptHash(), h.Transcript[:]) ||
		!bytes.Equal(told.ConfirmationTag(), public.ConfirmationTag()) ||
		!bytes.Equal(told.GroupID(), public.GroupID()) ||
		told.Suite() != public.Suite() || told.Epoch() != public.Epoch() || len(told.Extensions()) > 0 ||
		externalDigest(out.ExternalPub()) != h.ExternalPub ||
		!bytes.Equal(extension(out.Extensions, extBlock), hash[:]) {
		return nil, errGroupInfo
	}
	return out, nil
}

// unpark makes the block by which this device comes back.
func (m *Machine) unpark(now uint64, info []byte, eff *Effects) error {
	own := m.self.Member()
	who, _ := m.state().Person(own.Person)
	op := &chain.Unpark{Person: own.Person, Instance: who.Instance, Device: own.Device}
	if m.state().OfPerson() {
		op.Instance = wire.Instance{}
	}
	b, err := m.external(now, op, nil, info)
	if err != nil {
		return err
	}
	if err := m.keepOwn(b, eff); err != nil {
		return err
	}
	m.back = rejoin{}
	m.spread(b.header.Hash(), eff)
	m.advance(now, eff)
	return nil
}

// external makes a block on the head whose commit brings in its own author.
func (m *Machine) external(now uint64, op chain.Op, attachments [][]byte, info []byte) (*madeBlock, error) {
	public, err := m.public(m.head)
	if err != nil {
		return nil, err
	}
	h, state, err := m.draft(now, m.head, m.state().Suite(), []chain.Op{op})
	if err != nil {
		return nil, err
	}
	var old []uint32
	if l, ok := public.LeafOf(credential(m.self.Member())); ok {
		old = []uint32{l.Index}
	}
	core := h.Core()
	staged, err := mls.JoinExternal(mls.ExternalParams{
		GroupInfo: info, Tree: public.RatchetTree(), Signer: m.self.Device, Identity: credential(m.self.Member()),
		Replaces: old, AuthenticatedData: core[:], LeafExtensions: m.self.announced(),
	})
	if err != nil {
		return nil, refuse(ReasonRule, err)
	}
	body := &chain.Body{Commit: staged.Commit.Bytes(), Attachments: attachments}
	return m.seal(h, body, state, staged, dagFloor{}, false)
}
