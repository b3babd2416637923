package group

import (
	"cmp"
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

// tellAckDigest tells some of those who were not told since Acks changed, the next of them
// a while later.
func (m *Machine) tellAckDigest(now uint64, eff *Effects) {
	digest := m.ackDigest()
	told, most := 0, ackTellAtOnce
	if m.promptly() {
		most = checkAtOnce
	}
	for _, d := range after(m.ackWay.asked, m.connected(false)) {
		if p := m.peers[d]; m.partner(d) && p.ackDigest != digest {
			if told == most {
				m.ackWay.calm = now + m.ackCalm()
				return
			}
			told++
			p.ackDigest, m.ackWay.asked = digest, d
			eff.send(d, encodeHash(frameAckDigest, digest))
		}
	}
}

func (m *Machine) ackDigest() wire.Digest {
	var w wire.Writer
	writeSeqs(&w, m.ackNumbers())
	return wire.Digest(wire.Hash(wire.HashDigest, m.group[:], w.Bytes()))
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

func (m *Machine) sendAckNumbers(now uint64, p *peer, flags uint8, eff *Effects) {
	f := ackNumbersFrame{block: p.theirs.common, flags: flags}
	if m.stateAt(f.block) == nil {
		f.block = m.votes.Settled() // which whoever takes part soon has
	}
	devices, _ := m.tableOf(f.block)
	f.acks, f.others = byTable(devices, m.ackCounts())
	p.ackAsked = now
	eff.send(p.member.Device, f.bytes())
}

// onAckNumbers gives the Acks that the peer lacks, and asks for those that it has.
func (m *Machine) onAckNumbers(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseAckNumbers(r)
	if err != nil {
		return err
	}
	if f.flags == ackLeaves {
		p.follows = false
		return nil
	}
	p.follows = p.follows || f.flags&ackFollows != 0
	if !m.answers(now, p, &p.asksNumbers) {
		return nil
	}
	devices, ok := m.tableOf(f.block)
	if !ok || len(f.acks) > len(devices) {
		return nil // it takes for held here a block that is not
	}
	theirs := numbersOf(devices, f.acks, f.others)
	m.sendAcks(p.member.Device, m.acksBeyond(theirs), eff)
	if f.flags&ackAnswers == 0 && beyond(theirs, m.ackCounts()) {
		m.askForAcks(now, p, ackAnswers, eff)
	}
	return nil
}

// acksBeyond returns the Acks that are newer than theirs: of those of whom they have none all, of the
// others those most behind, a few at once. Whatever is written, Acks then stay a small part of what two give
// each other who meet for a while.
func (m *Machine) acksBeyond(theirs map[wire.DeviceID]uint64) (list []*dag.Ack) {
	counts := slices.DeleteFunc(m.ackCounts(), func(s seqOf) bool { return s.seq <= theirs[s.device] })
	slices.SortStableFunc(counts, func(a, b seqOf) int {
		return cmp.Or(cmp.Compare(min(theirs[a.device], 1), min(theirs[b.device], 1)), cmp.Compare(b.seq-theirs[b.device], a.seq-theirs[a.device]))
	})
	for i, s := range counts {
		if i < ackMeet || theirs[s.device] == 0 {
			list = append(list, m.acks[s.device])
		}
	}
	return list
}

// askForAcks says which Acks are held here, or once a second has passed since the last time.
func (m *Machine) askForAcks(now uint64, p *peer, flags uint8, eff *Effects) {
	if again := p.ackAsked + numbersAgain; p.ackAsked != 0 && again > now {
		p.ackAgain = again
		return
	}
	m.sendAckNumbers(now, p, flags, eff)
}

// askAgain says to those which Acks are held here to whom that could not be said at once.
func (m *Machine) askAgain(now uint64, eff *Effects) {
	if !m.anyPeer(func(p *peer) bool { return isDue(p.ackAgain, now) }) {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		if p := m.peers[d]; isDue(p.ackAgain, now) {
			if p.ackAgain = 0; m.partner(d) && p.ackDigest != m.ackDigest() {
				m.sendAckNumbers(now, p, 0, eff)
			}
		}
	}
}

// onAckDigest asks who has other Acks which those are.
func (m *Machine) onAckDigest(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	d, err := parseHash[wire.Digest](r)
	if err != nil {
		return err
	}
	if p.ackDigest = d; d != m.ackDigest() {
		m.askForAcks(now, p, 0, eff)
	}
	return nil
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
