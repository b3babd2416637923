package group

import (
	"maps"
	"math"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// What Acks say (docs/spec/ack.md). Where every active leaf announces FeatureAckHeads an
// Ack names heads, and has the same size however many devices there are. It counts once
// all that it names is here: until then it waits, beside the one that counts.

// An ackWait is what of one device's Acks waits.
type ackWait struct {
	first  *dag.Ack
	newest *dag.Ack // nil: it is the first
}

// ackedUpTo is how far the Acks say that each device has one author's log.
type ackedUpTo struct {
	turn    uint64
	lowered bool
	by      map[wire.DeviceID]uint64
}

// ackers is who writes Acks at a head.
type ackers struct {
	at      wire.BlockHash
	devices int  // that are active
	byHeads bool // and all announce FeatureAckHeads
	sparing bool // and FeatureSparing
}

// ackersNow looks at the leaves of the head.
func (m *Machine) ackersNow() ackers {
	if m.ackers.at == m.head && m.ackers.devices > 0 {
		return m.ackers
	}
	own := m.self.Device.ID()
	a := ackers{at: m.head, byHeads: m.says(own, FeatureAckHeads), sparing: m.says(own, FeatureSparing)}
	for d := range m.said.by {
		if m.state().Active(d) {
			a.devices++
			a.byHeads = a.byHeads && m.says(d, FeatureAckHeads)
			a.sparing = a.sparing && m.says(d, FeatureSparing)
		}
	}
	m.ackers = a
	return a
}

// newAck says what this device has now, unsigned.
func (m *Machine) newAck() *dag.Ack {
	a := &dag.Ack{Version: dag.Version, SigAlg: wire.SigEd25519, Group: m.group, Device: m.self.Device.ID(), Seq: m.ackSeq}
	who := m.ackersNow()
	heads, stops, more := m.graph.AckHeads()
	stops = m.ackStops(stops)
	a.Read = m.readMark()
	if who.byHeads && len(stops) <= dag.MaxAckStops && (!more || who.devices > maxAckList) {
		a.Version, a.Heads, a.Stops = dag.AckByHeads, heads, stops
		return a
	}
	a.Frontier = m.graph.FrontierDigest()
	first := m.firstHollow()
	for _, r := range m.graph.Frontier().Refs() {
		if seq, ok := first[r.Device]; ok {
			r.Seq = min(r.Seq, seq-1)
		}
		if r.Seq > 0 {
			a.Delivered = append(a.Delivered, dag.Delivered{Device: r.Device, Seq: r.Seq})
		}
	}
	return a
}

// ackUnread reports whether the own Ack names heads where somebody who takes part reads lists
// alone: a device of an earlier program that came after it, and would show for ever that this
// one has nothing, and has not accepted.
func (m *Machine) ackUnread() bool {
	own := m.acks[m.self.Device.ID()]
	return own != nil && own.Version == dag.AckByHeads && !m.ackersNow().byHeads
}

// ackStops adds where the text of an entry is not here.
func (m *Machine) ackStops(list []dag.Delivered) []dag.Delivered {
	first := m.firstHollow()
	for i, s := range list {
		if seq, ok := first[s.Device]; ok {
			list[i].Seq = min(s.Seq, seq)
			delete(first, s.Device)
		}
	}
	for d, seq := range first {
		list = append(list, dag.Delivered{Device: d, Seq: seq})
	}
	slices.SortFunc(list, compareStops)
	return list
}

// saysAll returns what tells of an Ack whether its author has just what is here.
func (m *Machine) saysAll() func(*dag.Ack) bool {
	frontier := m.graph.FrontierDigest()
	heads, stops, more := m.graph.AckHeads()
	return func(a *dag.Ack) bool {
		if a.Version != dag.AckByHeads {
			return a.Frontier == frontier
		}
		return !more && len(stops)+len(a.Stops) == 0 && slices.Equal(a.Heads, heads)
	}
}

// askAccepted asks those who are here, and of whose membership at a new head no Ack is, which Acks
// they hold: theirs may have come before that head, and meant nothing then.
func (m *Machine) askAccepted(now uint64) {
	for d, p := range m.peers {
		if m.acks[d] == nil && m.partner(d) {
			p.ackAgain = m.soon(p.ackAgain, now+numbersAgain)
		}
	}
}

// setAck puts an Ack in the place of an older one, and of those that waited before it.
func (m *Machine) setAck(a *dag.Ack) {
	m.acks[a.Device] = a
	m.ackTurn++
	w := m.ackWaits[a.Device]
	switch {
	case w == nil:
	case w.newest == nil || !dag.Newer(w.newest, a):
		delete(m.ackWaits, a.Device)
	case !dag.Newer(w.first, a):
		m.ackWaits[a.Device] = &ackWait{first: w.newest}
	}
}

// endAcks looks at the own Ack of a machine that is made again: whether it says all, or
// another was due when the machine before ended.
func (m *Machine) endAcks() {
	own := m.acks[m.self.Device.ID()]
	if own == nil {
		if m.speaks() { // it ended as it came in
			m.ackDue = 1
		}
		return
	}
	now := m.graph.FrontierDigest()
	if own.Version == dag.AckByHeads {
		if a := m.newAck(); a.Version == own.Version && slices.Equal(a.Heads, own.Heads) && slices.Equal(a.Stops, own.Stops) {
			m.acked = now
		}
	}
	if m.acked == now {
		return
	}
	m.ackDue = 1
	for _, r := range m.graph.Frontier().Refs() {
		said := m.graph.Delivered(own, r.Device)
		if said >= r.Seq {
			continue
		}
		if r.Device != own.Device {
			m.prompt.owed[r.Device] = true
		}
		if first, ok := m.graph.PlaceOf(r.Device, said+1); ok { // else an Ack would wait anew each time
			m.pace.since = m.soon(m.pace.since, max(first.Order, 1))
		}
	}
}

// awaited reports whether an Ack, or a newer one, is waiting.
func (m *Machine) awaited(a *dag.Ack) bool {
	w := m.ackWaits[a.Device]
	return w != nil && (!dag.Newer(a, w.first) || w.newest != nil && !dag.Newer(a, w.newest))
}

// awaitAck keeps an Ack that names what is not here.
func (m *Machine) awaitAck(a *dag.Ack) {
	m.ackWaited++
	if w := m.ackWaits[a.Device]; w != nil {
		w.newest = a
		return
	}
	m.ackWaits[a.Device] = &ackWait{first: a}
}

// countAwaited takes the Acks of which all has come, the newest first.
func (m *Machine) countAwaited(eff *Effects) {
	if len(m.ackWaits) == 0 || m.ackLooked == m.graph.Len() {
		return
	}
	m.ackLooked = m.graph.Len()
	for _, d := range sortedDevices(m.ackWaits) {
		w := m.ackWaits[d]
		for _, a := range []*dag.Ack{w.newest, w.first} {
			if a != nil && !m.graph.Lacks(a) {
				m.countAck(a, wire.DeviceID{}, eff)
				m.ackNews(m.now)
				break
			}
		}
	}
}

// dropAwaited forgets what waits of memberships that the head does not know.
func (m *Machine) dropAwaited() {
	maps.DeleteFunc(m.ackWaits, func(d wire.DeviceID, w *ackWait) bool {
		return !m.state().Belongs(d) || w.first.Seq&^ackCount != ackBase(m.came(d))
	})
}

func (m *Machine) ackWaiting() (n int) {
	for _, w := range m.ackWaits {
		if n++; w.newest != nil {
			n++
		}
	}
	return n
}

// AckedUpTo returns up to which seq of an author's log a device said that it has it.
func (m *Machine) AckedUpTo(device, author wire.DeviceID) uint64 {
	c := m.ackedUpTo[author]
	if lowered := m.graph.Lowered(); c.by == nil || c.turn != m.ackTurn || c.lowered != lowered {
		if len(m.ackedUpTo) >= maxAuthors {
			clear(m.ackedUpTo)
		}
		c = ackedUpTo{m.ackTurn, lowered, make(map[wire.DeviceID]uint64, len(m.acks))}
		for d, a := range m.acks {
			c.by[d] = m.graph.Delivered(a, author)
		}
		m.ackedUpTo[author] = c
	}
	return c.by[device]
}

// covers reports whether a device's Ack says that seq of an author's log arrived. One that
// claims more than this device ever wrote repeats a floor that lies, and says nothing.
func (m *Machine) covers(device, author wire.DeviceID, seq uint64) bool {
	most := uint64(math.MaxUint64)
	if author == m.self.Device.ID() {
		most = m.OwnSeq()
	}
	up := m.AckedUpTo(device, author)
	return up >= seq && up <= most
}
