package group

import (
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// How an Ack comes to who waits for it (docs/spec/ack.md, "To whom"). Who wrote sees by it that
// the message arrived, and waits for that; all others need it for what may be late. So an
// Ack is given at once to the devices of those alone who wrote what it says that came. One that
// is not connected is given it along the way by which its entry came, from each to who brought it
// there. All others get it later, with those of others, along the tree (ackexchange.go).

// prompt is what is known of who waits for Acks.
type prompt struct {
	most   int  // up to how many devices give an Ack to those alone who wait for it
	direct bool // one is being taken that somebody waits for

	owed   map[wire.DeviceID]bool // who wrote what came since it was last given an Ack of this device's
	unread map[wire.DeviceID]bool // likewise, and did not hear yet that it was read
	ways   map[wire.DeviceID]way  // how the newest entry of each came
	relay  map[wire.DeviceID]relay
	due    uint64 // ms; when the Acks in relay go on; 0: there are none
}

// A way is by whom an entry came.
type way struct {
	by wire.DeviceID
	at uint64 // ms
}

// A relay is for whom the newest Ack of a device goes on from here, and by whom it came for each;
// zero: it went on.
type relay struct {
	seq uint64
	to  map[wire.DeviceID]wire.DeviceID
}

func newPrompt() prompt {
	return prompt{
		most: maxPromptAckers,
		owed: make(map[wire.DeviceID]bool), unread: make(map[wire.DeviceID]bool),
		ways: make(map[wire.DeviceID]way), relay: make(map[wire.DeviceID]relay),
	}
}

// promptly reports whether Acks go so at the head.
func (m *Machine) promptly() bool {
	who := m.ackersNow()
	return who.byHeads && who.sparing && who.devices > fewestAckers && who.devices <= m.prompt.most
}

// wrote takes note of an entry that came, or was written here, for the next Ack.
func (m *Machine) wrote(h *dag.Header, size int) {
	m.ackWay.bytes += uint64(size)
	if h.Device == m.self.Device.ID() {
		return
	}
	m.prompt.owed[h.Device], m.prompt.unread[h.Device] = true, true
	if m.telling.giver != (wire.DeviceID{}) {
		m.prompt.ways[h.Device] = way{m.telling.giver, m.now}
	}
}

// hopTo returns to whom an Ack for a device goes: to itself, or who brought its newest entry; zero
// if neither is here.
func (m *Machine) hopTo(d wire.DeviceID) wire.DeviceID {
	if m.partner(d) {
		return d
	}
	if by := m.prompt.ways[d].by; m.partner(by) {
		return by
	}
	return wire.DeviceID{}
}

// owesAck reports whether somebody waits for an Ack who can be given it.
func (m *Machine) owesAck() bool {
	for d := range m.prompt.owed {
		if m.hopTo(d) != (wire.DeviceID{}) {
			return true
		}
	}
	return false
}

// giveAck gives an own Ack to the devices of those who wrote what it says that came, and of
// those whose messages it says to have been read. A first one, which accepts, goes to all.
func (m *Machine) giveAck(a, before *dag.Ack, eff *Effects) {
	wait := sortedDevices(m.prompt.owed)
	if before != nil && !samePlace(before.Read, a.Read) {
		wait = append(wait, m.awaitMark(before.Read, a.Read)...)
	}
	direct, on := make(map[wire.DeviceID]bool), make(map[wire.DeviceID][]wire.DeviceID)
	for _, d := range wait {
		who, _, _ := m.state().Device(d)
		for _, of := range who.Devices {
			direct[of.ID] = direct[of.ID] || m.partner(of.ID)
		}
		hop := m.hopTo(d)
		if hop != (wire.DeviceID{}) {
			delete(m.prompt.owed, d)
		}
		if hop != d && hop != (wire.DeviceID{}) && !slices.Contains(on[hop], d) {
			on[hop] = append(on[hop], d)
		}
	}
	for _, d := range m.connected(false) {
		if len(on[d]) > 0 || direct[d] || before == nil && m.exchanges(d) {
			m.giveTo(d, a, on[d], eff)
		}
	}
}

// awaitMark returns who waits for a mark, and forgets who then has heard that all it wrote was read. One that
// goes back is for all who wrote: any may have heard of the old one.
func (m *Machine) awaitMark(old, read *Place) (list []wire.DeviceID) {
	if old != nil && (read == nil || dag.Less(*read, *old)) {
		for _, r := range m.graph.Frontier().Refs() {
			m.prompt.unread[r.Device] = r.Device != m.self.Device.ID()
		}
	}
	list = sortedDevices(m.prompt.unread)
	for d := range m.prompt.unread {
		if p, ok := m.graph.PlaceOf(d, m.graph.Seq(d)); !ok || read != nil && !dag.Less(*read, p) {
			delete(m.prompt.unread, d)
		}
	}
	return list
}

// sendPrompt gives an own Ack to one device.
func (m *Machine) sendPrompt(to wire.DeviceID, a *dag.Ack, eff *Effects) {
	m.peers[to].ackGiven = m.peers[to].named
	if a.Version != dag.AckByHeads {
		eff.send(to, statementsFrame{acks: [][]byte{a.Marshal()}}.bytes())
		return
	}
	f := promptFrame{seq: a.Seq, heads: a.Heads, stops: a.Stops, read: a.Read, signature: a.Signature}
	if len(a.Heads) == 1 && len(a.Stops) == 0 && a.Heads[0].Device == to {
		f.own = a.Heads[0].Seq
	}
	eff.send(to, f.bytes())
}

// meetPartners gives its newest Ack to each with whom a session has begun: whatever was lost with
// the one before, or said while the other was away, it knows by that.
func (m *Machine) meetPartners(now uint64, eff *Effects) {
	own := m.self.Device.ID()
	if m.acks[own] == nil || !m.anyPeer(func(p *peer) bool { return p.named && !p.ackGiven }) {
		return
	}
	for _, d := range m.connected(true) {
		if m.peers[d].ackGiven || !m.partner(d) {
			continue
		}
		m.giveTo(d, m.acks[own], m.waitBeyond(d), eff)
		if len(m.prompt.relay) > 0 { // what waited for it goes on
			m.prompt.due = m.soon(m.prompt.due, now+ackQuickly)
		}
		if m.acked != m.graph.FrontierDigest() && len(m.prompt.owed) > 0 {
			m.ackDue = m.soon(m.ackDue, now+ackEvery)
		}
	}
}

// waitBeyond returns who waits for the newest Ack by way of a device, if all that they wait for is in it.
func (m *Machine) waitBeyond(hop wire.DeviceID) (list []wire.DeviceID) {
	if m.acked != m.graph.FrontierDigest() {
		return nil
	}
	for _, d := range sortedDevices(m.prompt.owed) {
		if m.hopTo(d) != hop {
			continue
		}
		delete(m.prompt.owed, d)
		if d != hop {
			list = append(list, d)
		}
	}
	return list
}

// giveTo gives an own Ack to a device, which is to pass it on to others if there are any.
func (m *Machine) giveTo(d wire.DeviceID, a *dag.Ack, on []wire.DeviceID, eff *Effects) {
	if len(on) == 0 {
		m.sendPrompt(d, a, eff)
		return
	}
	m.peers[d].ackGiven = m.peers[d].named
	m.sendOn(d, on, []*dag.Ack{a}, eff)
}

// onPrompt takes an Ack of the peer's own. One that names an entry of this device's by its number
// alone may mean another with that number, and is no fault.
func (m *Machine) onPrompt(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parsePrompt(r)
	if err != nil {
		return err
	}
	p.named, p.again = true, false
	a := &dag.Ack{
		Version: dag.AckByHeads, SigAlg: wire.SigEd25519, Group: m.group, Device: p.member.Device, Seq: f.seq,
		Heads: f.heads, Stops: f.stops, Read: f.read, Signature: f.signature,
	}
	if f.own != 0 {
		own := m.self.Device.ID()
		a.Heads = []dag.Ref{{Device: own, Seq: f.own, Hash: m.graph.TipAt(own, f.own).Hash}}
	}
	m.prompt.direct = true
	taken := m.takeAck(a.Marshal(), p.member.Device, eff)
	m.prompt.direct = false
	if !taken && f.own == 0 {
		return wire.ErrCanonical
	}
	return nil
}

// onPassOn takes Acks, and passes them on to whom they are for: each once to each, so nothing goes in a
// ring.
func (m *Machine) onPassOn(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parsePassOn(r)
	if err != nil {
		return err
	}
	p.named, p.again = true, false
	var to []wire.DeviceID
	for _, prefix := range f.to {
		if d, ok := m.deviceBeginning(prefix); ok && d != m.self.Device.ID() {
			to = append(to, d)
		}
	}
	m.prompt.direct = true
	defer func() { m.prompt.direct = false }()
	for _, a := range m.acksIn(f.acks) {
		if !m.takeAck(a.Marshal(), p.member.Device, eff) {
			return wire.ErrCanonical
		}
		m.relayAck(a, p.member.Device, to)
	}
	for _, b := range f.acks.others {
		if !m.takeAck(b, p.member.Device, eff) {
			return wire.ErrCanonical
		}
	}
	return nil
}

// relayAck has the newest Ack of a device, which is one that came now or newer, go on to those to whom it
// did not go on yet. It may have come before, from its author or for others.
func (m *Machine) relayAck(a *dag.Ack, from wire.DeviceID, to []wire.DeviceID) {
	n := m.newest(a.Device)
	if a.Device == m.self.Device.ID() || n == nil || n.Seq < a.Seq || n.Version != dag.AckByHeads {
		return
	}
	r := m.prompt.relay[a.Device]
	if r.to == nil {
		r.to = make(map[wire.DeviceID]wire.DeviceID)
	}
	if r.seq != n.Seq {
		r.seq = n.Seq
		maps.DeleteFunc(r.to, func(_, from wire.DeviceID) bool { return from == wire.DeviceID{} })
	}
	m.prompt.relay[a.Device] = r
	for _, d := range to {
		if _, known := r.to[d]; !known && d != a.Device && m.exchanges(d) {
			r.to[d] = from
			m.prompt.due = m.soon(m.prompt.due, m.now+ackQuickly)
		}
	}
}

// newest returns the newest Ack of a device that is here, which may wait for what it names.
func (m *Machine) newest(d wire.DeviceID) *dag.Ack {
	switch w := m.ackWaits[d]; {
	case w == nil:
		return m.acks[d]
	case w.newest != nil:
		return w.newest
	default:
		return w.first
	}
}

// passOn passes Acks on to whom they are for, by the next on the way.
func (m *Machine) passOn(eff *Effects) {
	m.prompt.due = 0
	to, acks := make(map[wire.DeviceID][]wire.DeviceID), make(map[wire.DeviceID][]*dag.Ack)
	for _, of := range sortedDevices(m.prompt.relay) {
		r, a := m.prompt.relay[of], m.newest(of)
		for _, d := range sortedDevices(r.to) {
			from := r.to[d]
			if from == (wire.DeviceID{}) {
				continue
			}
			hop := m.hopTo(d)
			if hop == (wire.DeviceID{}) {
				continue // until somebody comes who leads there
			}
			if a == nil || hop == from || hop == of {
				delete(r.to, d)
				continue
			}
			r.to[d] = wire.DeviceID{}
			if !slices.Contains(to[hop], d) {
				to[hop] = append(to[hop], d)
			}
			if !slices.Contains(acks[hop], a) {
				acks[hop] = append(acks[hop], a)
			}
		}
	}
	for _, hop := range sortedDevices(to) {
		m.sendOn(hop, to[hop], acks[hop], eff)
	}
}

// dropRelays forgets what is for devices that take part no more, or of them.
func (m *Machine) dropRelays() {
	gone := func(d wire.DeviceID) bool { return !m.state().Active(d) }
	maps.DeleteFunc(m.prompt.relay, func(of wire.DeviceID, r relay) bool {
		maps.DeleteFunc(r.to, func(to, _ wire.DeviceID) bool { return gone(to) })
		return gone(of) || len(r.to) == 0
	})
}

// relays is how many Acks are to be passed on, or were, each to how many.
func (m *Machine) relays() (n int) {
	for _, r := range m.prompt.relay {
		n += len(r.to)
	}
	return n
}

func (m *Machine) forgetRelays() {
	clear(m.prompt.relay)
	m.prompt.due = 0
}

// sendOn sends Acks to a device that is to pass them on to others, or is one of them.
func (m *Machine) sendOn(hop wire.DeviceID, to []wire.DeviceID, acks []*dag.Ack, eff *Effects) {
	slices.SortFunc(to, compareID)
	for part := range slices.Chunk(to, maxPassOn) {
		var f passOnFrame
		for _, d := range part {
			f.to = append(f.to, [8]byte(d[:8]))
		}
		f.to = slices.Compact(f.to)
		for _, a := range acks {
			f.acks.add(a)
		}
		eff.send(hop, f.bytes())
	}
}

// onSparing takes one of the frames of FeatureSparing.
func (m *Machine) onSparing(now uint64, kind uint8, p *peer, r *wire.Reader, eff *Effects) error {
	switch kind {
	case framePromptAck:
		return m.onPrompt(p, r, eff)
	case framePassOn:
		return m.onPassOn(p, r, eff)
	}
	return m.onLinks(now, p, r)
}
