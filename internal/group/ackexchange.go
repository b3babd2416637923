package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// How Acks travel in a large group (docs/spec/sync.md, "Acks of a large group"). A push
// to each would be a frame for each pair of devices and message. So they go along a tree
// that everybody knows: each device follows one other, and passes what is new on to that
// one and to those that follow it, many at once. What the tree does not reach is found when
// no Ack has come for a while, by digests.

// An ackWay is one device's place in the tree, and what it has to pass on.
type ackWay struct {
	at     wire.BlockHash
	list   []wire.DeviceID // who takes part at that head, ascending; a heap of ackBranches
	device wire.DeviceID   // that this one follows; zero: nobody

	news  map[wire.DeviceID]wire.DeviceID // whose Acks are new, by whom they came
	pass  uint64                          // ms; when these are passed on; 0: there are none
	calm  uint64                          // ms; when others are told the digest; 0: they know it
	asked wire.DeviceID                   // who was told last

	bytes  uint64                   // of entries, since Acks were last passed on for them
	passed map[wire.DeviceID]uint64 // the number of each device's Ack that was last to be passed on
}

// exchanging returns the devices among which Acks are exchanged; none in a small group.
func (m *Machine) exchanging() []wire.DeviceID {
	who, f := m.ackersNow(), &m.ackWay
	if !who.byHeads || who.devices <= m.fewAckers && !m.promptly() {
		return nil
	}
	if f.at != m.head {
		f.at, f.list = m.head, nil
		for d := range m.said.by {
			if m.state().Active(d) {
				f.list = append(f.list, d)
			}
		}
		slices.SortFunc(f.list, compareID)
	}
	return f.list
}

// exchanges reports whether Acks are exchanged with a device.
func (m *Machine) exchanges(d wire.DeviceID) bool {
	_, found := slices.BinarySearchFunc(m.exchanging(), d, compareID)
	return found
}

// partner reports whether Acks may be exchanged with a device now.
func (m *Machine) partner(d wire.DeviceID) bool {
	p := m.peers[d]
	return p != nil && p.rel == present && (p.named || m.acks[d] != nil) && m.exchanges(d)
}

// toFollow returns whom this device follows: the nearest that is here on the way up, or
// if nobody is, the first that is here.
func (m *Machine) toFollow() wire.DeviceID {
	list := m.exchanging()
	at, found := slices.BinarySearchFunc(list, m.self.Device.ID(), compareID)
	for found && at > 0 {
		if at = (at - 1) / ackBranches; m.partner(list[at]) {
			return list[at]
		}
	}
	if m.partner(m.ackWay.device) {
		return m.ackWay.device
	}
	return m.firstPartner()
}

// firstPartner returns the lowest partner, zero if there is none.
func (m *Machine) firstPartner() (first wire.DeviceID) {
	for d := range m.peers {
		if m.partner(d) && (first == wire.DeviceID{} || lessID(d, first)) {
			first = d
		}
	}
	return first
}

// exchangeAcks follows whom it is to follow, and passes on what it is time for.
func (m *Machine) exchangeAcks(now uint64, eff *Effects) {
	f := &m.ackWay
	if len(m.exchanging()) == 0 || !m.speaks() {
		*f = ackWay{}
		m.forgetRelays()
		return
	}
	if d := m.toFollow(); d != f.device {
		if m.partner(f.device) {
			eff.send(f.device, ackNumbersFrame{flags: ackLeaves}.bytes())
		}
		if f.device = d; d != (wire.DeviceID{}) {
			m.sendAckNumbers(now, m.peers[d], ackFollows, eff)
		}
		f.calm = now + m.ackCalm()
	}
	m.askAgain(now, eff)
	if !m.promptly() {
		m.forgetRelays()
	} else {
		m.meetPartners(now, eff)
		m.passSoon(now)
		if isDue(m.prompt.due, now) {
			m.passOn(eff)
		}
	}
	if isDue(f.pass, now) {
		m.passAcks(eff)
		f.calm = now + m.ackCalm()
	}
	if isDue(f.calm, now) && m.promptly() && len(f.news) > 0 {
		f.calm = now + m.ackCalm() // others get these first
	}
	if isDue(f.calm, now) {
		f.calm = 0
		m.tellAckDigest(now, eff)
	}
}

// noteAck takes note of an Ack that is to be passed on, and by whom it came. The first of a device
// is in a hurry: it accepts.
func (m *Machine) noteAck(d, from wire.DeviceID, first bool) {
	f := &m.ackWay
	if len(m.exchanging()) == 0 {
		return
	}
	at := m.now + ackPassAfter
	if m.promptly() {
		var passes bool
		if at, passes = m.passAt(d, from, first); !passes {
			return
		}
	}
	if first {
		at = m.now + ackQuickly
	}
	if f.news == nil {
		f.news = make(map[wire.DeviceID]wire.DeviceID)
	}
	f.news[d] = from
	f.pass = m.soon(f.pass, at)
}

// passAcks passes on what is new, to all but who brought it.
func (m *Machine) passAcks(eff *Effects) {
	f := &m.ackWay
	for _, d := range m.connected(false) {
		if !m.partner(d) || d != f.device && !m.peers[d].follows {
			continue
		}
		var list []*dag.Ack
		for _, from := range sortedDevices(f.news) {
			if a := m.acks[from]; a != nil && f.news[from] != d {
				list = append(list, a)
			}
		}
		m.sendAcks(d, list, eff)
	}
	f.news, f.pass, f.bytes = nil, 0, 0
}

// ackCalm is how long no Ack has come when others are told which are here.
func (m *Machine) ackCalm() uint64 {
	if m.promptly() {
		return ackSlowly
	}
	return ackCalm
}

// sendAcks sends Acks, those that say the same together.
func (m *Machine) sendAcks(to wire.DeviceID, list []*dag.Ack, eff *Effects) {
	var f acksFrame
	at, size, count := make(map[string]int), 0, 0
	marks := m.self.Omits != FeatureMarks && m.reads(to, FeatureMarks)
	flush := func() {
		if count > 0 {
			eff.send(to, f.bytes())
		}
		f, size, count = acksFrame{}, 0, 0
		clear(at)
	}
	for _, a := range list {
		if size > maxStatementsBytes || count == maxStatements {
			flush()
		}
		count++
		if a.Version != dag.AckByHeads || a.Read != nil && !marks {
			b := a.Marshal()
			f.others = append(f.others, b)
			size += len(b)
			continue
		}
		b := ackBundle{heads: a.Heads, stops: a.Stops}
		var w wire.Writer
		writeRefs(&w, a.Heads)
		writeStops(&w, a.Stops)
		i, known := at[string(w.Bytes())]
		if !known {
			i = len(f.bundles)
			at[string(w.Bytes())] = i
			f.bundles = append(f.bundles, b)
			size += w.Len()
		}
		f.bundles[i].acks = append(f.bundles[i].acks, bundledAck{[8]byte(a.Device[:8]), a.Seq, a.Read, a.Signature})
		if size += bundledAckSize; a.Read != nil {
			f.marked = true
			size += bundledMark
		}
	}
	flush()
}

// onAcks takes Acks from a peer. One that its author did not sign is the peer's fault, who
// checked it.
func (m *Machine) onAcks(p *peer, r *wire.Reader, marked bool, eff *Effects) error {
	f, err := parseAcks(r, marked)
	if err != nil {
		return err
	}
	from := p.member.Device
	for _, a := range m.acksIn(f) {
		if held := m.acks[a.Device]; m.promptly() && held != nil && held.Signature == a.Signature {
			m.noteAck(a.Device, from, false) // its author gave it here, and others lack it
		} else if !m.takeAck(a.Marshal(), from, eff) {
			return wire.ErrCanonical
		}
	}
	for _, b := range f.others {
		m.takeAck(b, from, eff)
	}
	if f.count() >= ackMeet && p.ackAsked != 0 && m.now <= p.ackAsked+numbersAnswered {
		p.ackAgain = m.now + ackMore // of this answer some may have been left out
	}
	return nil
}

// acksIn returns the Acks of the bundles in a frame, of each device the first: an honest one has no two.
func (m *Machine) acksIn(f acksFrame) (list []*dag.Ack) {
	seen := make(map[wire.DeviceID]bool)
	for _, b := range f.bundles {
		for _, c := range b.acks {
			device, ok := m.deviceBeginning(c.device)
			if !ok || seen[device] {
				continue // its sender has another head, or knows two that begin so
			}
			seen[device] = true
			list = append(list, &dag.Ack{
				Version: dag.AckByHeads, SigAlg: wire.SigEd25519, Group: m.group, Device: device, Seq: c.seq,
				Heads: b.heads, Stops: b.stops, Read: c.read, Signature: c.signature,
			})
		}
	}
	return list
}

// deviceBeginning returns the member's device whose id begins so; false if there is none,
// or more than one, whose Acks travel by themselves.
func (m *Machine) deviceBeginning(prefix [8]byte) (found wire.DeviceID, ok bool) {
	devices, known := m.tableOf(m.head)
	if !known {
		return found, false
	}
	i, _ := slices.BinarySearchFunc(devices, prefix, func(d wire.DeviceID, b [8]byte) int { return slices.Compare(d[:8], b[:]) })
	if i == len(devices) || [8]byte(devices[i][:8]) != prefix || i+1 < len(devices) && [8]byte(devices[i+1][:8]) == prefix {
		return found, false
	}
	return devices[i], true
}

// onAckFrame takes one of the frames of FeatureAckHeads and FeatureMarks.
func (m *Machine) onAckFrame(now uint64, kind uint8, p *peer, r *wire.Reader, eff *Effects) error {
	p.named, p.again = true, false
	switch kind {
	case frameAcks, frameMarkedAcks:
		return m.onAcks(p, r, kind == frameMarkedAcks, eff)
	case frameAckNumbers:
		return m.onAckNumbers(now, p, r, eff)
	}
	return m.onAckDigest(now, p, r, eff)
}
