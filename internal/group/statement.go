package group

import (
	"bytes"
	"encoding/binary"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/wire"
)

// What stands beside the log: Acks, Reaches, and the preimages of names and
// titles. Of each device only the newest Ack and Reach are kept and passed on.

// An Ack's number has the first 4 bytes of the block that admitted its device in
// the upper half, and in the lower a count that never falls: an Ack of an earlier
// membership, or of one on another branch, is no acceptance of this one.
const ackCount = 1<<32 - 1

func ackBase(b wire.BlockHash) uint64 { return uint64(binary.BigEndian.Uint32(b[:])) << 32 }

// ack signs a new Ack when one is due.
func (m *Machine) ack(now uint64, eff *Effects) {
	if m.ackDue == 0 || m.ackDue > now {
		return
	}
	if at := m.mayAck(now); at > now {
		m.ackDue = at
		return
	}
	m.signAck(now, eff)
}

// signAck signs a new Ack if there is something new to say.
func (m *Machine) signAck(now uint64, eff *Effects) {
	m.ackDue = 0
	own := m.self.Device.ID()
	if m.came(own) != m.joined {
		return // the Welcome is still to come
	}
	digest := m.graph.FrontierDigest()
	base := ackBase(m.joined)
	if m.acks[own] != nil && digest == m.acked && m.ackSeq&^ackCount == base && !m.ackUnread() && !m.remarked() {
		return
	}
	before := m.acks[own]
	if before != nil && before.Seq&^ackCount != base {
		before = nil // of an earlier membership
	}
	m.ackSeq = base | (m.ackSeq+1)&ackCount
	a := m.newAck()
	a.Sign(m.self.Device.Sign)
	m.acked, m.pace = digest, pace{last: now}
	m.setAck(a)
	m.coverAll(now)
	eff.put(KindAck, own[:], a.Marshal())
	eff.Write = append(eff.Write, m.selfRecord())
	m.dropWelcomes(eff)
	m.tellAck(a, before, eff)
	m.ackNews(now)
}

// dropAcks forgets the Acks of memberships that the head does not know.
func (m *Machine) dropAcks(eff *Effects) {
	for _, d := range sortedDevices(m.acks) {
		if !m.state().Belongs(d) || m.acks[d].Seq&^ackCount != ackBase(m.came(d)) {
			delete(m.acks, d)
			m.ackTurn++
			eff.drop(KindAck, d[:])
		}
	}
	m.dropAwaited()
	m.dropRelays()
}

// tellAck sends an own Ack, before which there was another or none, to those with whom none are exchanged.
func (m *Machine) tellAck(a, before *dag.Ack, eff *Effects) {
	payload := statementsFrame{acks: [][]byte{a.Marshal()}}.bytes()
	for _, d := range m.connected(true) {
		if !m.exchanges(d) {
			eff.send(d, payload)
		}
	}
	if m.promptly() {
		m.giveAck(a, before, eff)
	} else {
		clear(m.prompt.owed)
	}
	m.noteAck(a.Device, a.Device, before == nil)
}

// ackNews has an Ack told of to those with whom none are exchanged.
func (m *Machine) ackNews(now uint64) {
	for d, p := range m.peers {
		if p.rel == present && !m.exchanges(d) {
			p.news, m.digestDue = true, m.soon(m.digestDue, now+m.digestWait())
		}
	}
}

// tell sends a statement to every member's device that has named the group.
func (m *Machine) tell(f statementsFrame, eff *Effects) {
	payload := f.bytes()
	for _, d := range m.connected(true) {
		eff.send(d, payload)
	}
}

// takeAck takes an Ack that a peer brought. It reports whether its author may have signed it, which is not
// looked at where that peer brought too many that were not.
func (m *Machine) takeAck(b []byte, from wire.DeviceID, eff *Effects) bool {
	a, err := dag.ParseAck(b)
	if err != nil || a.Group != m.group || a.Device == m.self.Device.ID() || a.Version == dag.AckByHeads && m.self.Omits == FeatureAckHeads {
		return true
	}
	_, d, ok := m.state().Device(a.Device)
	if !ok || a.Seq&^ackCount != ackBase(m.came(a.Device)) {
		return true
	}
	if old := m.acks[a.Device]; !m.state().Belongs(a.Device) || old != nil && !dag.Newer(a, old) || m.awaited(a) {
		return true
	}
	if !m.falseShares.checks(m.now, from) {
		return true
	}
	if !m.falseShares.was(a.Verify(d.Key[:]), m.now, from) {
		return false
	}
	m.hear(a.Device, eff)
	if m.graph.Lacks(a) {
		m.awaitAck(a)
		return true
	}
	m.countAck(a, from, eff)
	return true
}

// countAck takes an Ack of which all is here.
func (m *Machine) countAck(a *dag.Ack, from wire.DeviceID, eff *Effects) {
	who, _, _ := m.state().Device(a.Device)
	accepted, first := m.acceptedBy(who), m.acks[a.Device] == nil
	m.setAck(a)
	m.noteAck(a.Device, from, first)
	m.heard++
	m.roomAgain(m.now)
	m.newsForEarlier(a.Device)
	eff.put(KindAck, a.Device[:], a.Marshal())
	if !accepted {
		m.electLook = true
		eff.Notify = append(eff.Notify, Accepted{who.Person})
	}
	if first {
		m.dropWelcomes(eff)
	}
	eff.Notify = append(eff.Notify, Acked{a.Device})
}

// dropWelcomes forgets the Welcomes whose newcomers have all accepted, and those
// of branches that lost long ago.
func (m *Machine) dropWelcomes(eff *Effects) {
	for _, hash := range sortedBlocks(m.welcomes) {
		if !m.needed(hash) {
			delete(m.welcomes, hash)
			delete(m.tried, hash)
			eff.drop(KindWelcome, hash[:])
		}
	}
}

// needed reports whether somebody may still have to come in by a block.
func (m *Machine) needed(hash wire.BlockHash) bool {
	h := m.blocks.Header(hash)
	if !m.blocks.IsAncestor(hash, m.head) {
		return h.Height+maxEpochs >= m.state().Height()
	}
	if isRestart(h) && h.Height >= m.state().Start() {
		return true // who was away opens it when it comes back
	}
	return slices.ContainsFunc(h.Ops, func(op chain.Op) bool {
		_, devices := welcomes(op)
		return slices.ContainsFunc(devices, func(d chain.DeviceEntry) bool {
			id := d.ID()
			return m.came(id) == hash && m.state().Belongs(id) && m.acks[id] == nil
		})
	})
}

func (m *Machine) setReach(c SetReach, eff *Effects) {
	own := m.self.Device.ID()
	if m.status != StatusActive || m.outside() {
		return
	}
	old := m.reaches[own]
	if old != nil && old.Expiry == c.Expiry && bytes.Equal(old.Peer, c.Peer) && slices.Equal(old.Hosts, c.Hosts) {
		return
	}
	if c.Withdraw && (old == nil || len(old.Hosts) == 0) {
		return
	}
	m.reachSeq++
	r := &dag.Reach{
		Version: dag.Version, SigAlg: wire.SigEd25519, Group: m.group,
		Device: own, Seq: m.reachSeq, Peer: c.Peer, Hosts: c.Hosts, Expiry: c.Expiry,
	}
	r.Sign(m.self.Device.Sign)
	m.reaches[own] = r
	eff.put(KindReach, own[:], r.Marshal())
	eff.Write = append(eff.Write, m.selfRecord())
	m.tell(statementsFrame{reaches: [][]byte{r.Marshal()}}, eff)
}

func (m *Machine) takeReach(b []byte, from wire.DeviceID, eff *Effects) bool {
	r, err := dag.ParseReach(b)
	if err != nil || r.Group != m.group || r.Device == m.self.Device.ID() {
		return false
	}
	_, d, ok := m.state().Device(r.Device)
	if old := m.reaches[r.Device]; !ok || !m.state().Belongs(r.Device) || old != nil && !dag.Newer(r, old) || !m.falseShares.hold(m.now, from, r.Verify, d.Key[:]) {
		return false
	}
	m.reaches[r.Device] = r
	m.meetAgain(r.Device, eff)
	eff.put(KindReach, r.Device[:], b)
	eff.Notify = append(eff.Notify, ReachChanged{r.Device})
	return true
}

func (m *Machine) allReaches() (list [][]byte) {
	for _, d := range sortedDevices(m.reaches) {
		list = append(list, m.reaches[d].Marshal())
	}
	return list
}

func (m *Machine) sendStatements(to wire.DeviceID, f haveFrame, eff *Effects) {
	var out statementsFrame
	acks, reaches := numbersOf(nil, nil, f.acks), numbersOf(nil, nil, f.reaches)
	for _, s := range m.ackNumbers() {
		if s.seq > acks[s.device] {
			out.acks = append(out.acks, m.acks[s.device].Marshal())
		}
	}
	for _, s := range m.reachNumbers() {
		if s.seq > reaches[s.device] {
			out.reaches = append(out.reaches, m.reaches[s.device].Marshal())
		}
	}
	for _, person := range m.leavers() {
		out.leaves = append(out.leaves, m.leaves[person].statement.Marshal())
	}
	out.send(to, eff)
}

// send sends statements in as many frames as it takes.
func (f statementsFrame) send(to wire.DeviceID, eff *Effects) {
	part, size := statementsFrame{}, 0
	add := func(list *[][]byte, more [][]byte) {
		for _, b := range more {
			if size > 0 && size+len(b) > maxStatementsBytes || len(*list) == maxStatements {
				eff.send(to, part.bytes())
				part, size = statementsFrame{}, 0
			}
			*list = append(*list, b)
			size += len(b)
		}
	}
	add(&part.acks, f.acks)
	add(&part.reaches, f.reaches)
	add(&part.leaves, f.leaves)
	add(&part.infos, f.infos)
	if !part.empty() {
		eff.send(to, part.bytes())
	}
}

func (m *Machine) onStatements(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseStatements(r)
	if err != nil {
		return err
	}
	m.takeInfos(f.infos, eff)
	if !m.speaks() {
		return nil
	}
	var fresh statementsFrame
	for _, b := range f.acks {
		m.takeAck(b, p.member.Device, eff)
	}
	for _, b := range f.reaches {
		m.takeReach(b, p.member.Device, eff)
	}
	for _, b := range f.leaves {
		if m.takeLeave(b, p.member.Device, eff) {
			fresh.leaves = append(fresh.leaves, b)
		}
	}
	if !fresh.empty() {
		m.tell(fresh, eff)
	}
	m.newsDue(now)
	return nil
}

func sortedDevices[V any](m map[wire.DeviceID]V) []wire.DeviceID {
	list := make([]wire.DeviceID, 0, len(m))
	for d := range m {
		list = append(list, d)
	}
	slices.SortFunc(list, compareID)
	return list
}

func compareID(a, b wire.DeviceID) int     { return bytes.Compare(a[:], b[:]) }
func lessID(a, b wire.DeviceID) bool       { return compareID(a, b) < 0 }
func comparePerson(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) }
