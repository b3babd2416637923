package group

import (
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Sync between two devices (docs/spec/sync.md): a digest each; if they differ,
// what each has; then blocks first, then entries on request, in causal order.
// New blocks and entries are pushed while connected; what a push did not reach
// is found by the next digest.

// A peer is a device with which a session is up.
type peer struct {
	member   wire.Member
	named    bool        // it sent a digest: it takes part in the group
	again    bool        // the head made it a member again, and it has not named the group since
	whole    bool        // a guest that was sent all that was here, and is told what is new
	digest   wire.Digest // its newest
	digested bool        // it sent one, and was offered what is told once in a session
	told     wire.Digest // the newest it was sent
	modern   bool        // it sent a frame numbered 9 or up
	pages    bool        // it sent pages
	held     held        // what it was told of votes
	early    bool        // and it answered with some for which something has to come first

	admitted  wire.BlockHash // by which a parked device came in,
	announced []uint16       // and what its leaf there announced

	frontier  dag.Frontier   // what it said to have; nil: not known, or nothing we lack
	barren    dag.Frontier   // what it said when its answer brought nothing: it has headers alone of what we lack
	haveDue   uint64         // ms; when the next Have may go to it; 0: none is wanted
	rel       relation       // at the head that was last looked at
	untold    bool           // a former member, to whom nothing here shows that it is one
	answered  bool           // its blocks that end our membership were contradicted
	inviteDue uint64         // ms; when it gets its invitation, if it has not named the group by then; 0: never
	waited    bool           // it was given time to accept, once
	unproved  bool           // to who has nothing else, its invitation looked taken back
	proofDue  uint64         // ms; when it gets the chain unasked, if it has not named the group by then; 0: never
	haveLast  uint64         // ms; when the last went
	shown     shown          // of a former member: what it was told
	asks      wire.BlockHash // whose GroupInfo it waits for
	given     wire.BlockHash // whose GroupInfo it got last,
	gaveKeys  int            // and how often
	filled    int            // hollow entries that it was asked for,
	filling   int            // and will have been once it was asked for those
	fill      dag.Ref        // beyond this one; zero: from the first

	follows   bool        // it wants Acks passed on
	ackDigest wire.Digest // of the Acks that it has, or was told of
	ackAsked  uint64      // ms; when it was last sent what Acks are held here
	ackAgain  uint64      // ms; when it is sent that again; 0: it need not
	ackGiven  bool        // it was given this device's newest Ack, or one before it, in this session

	news      bool                   // something new was not told to it, nor is it getting that
	links     map[wire.DeviceID]bool // with whom it says to have a session; nil: not known
	linksTold wire.Digest            // what it was told of that of this device

	asksAll, asksNumbers, asksVotes, asksPeople share // of answers to what it says to have
	asksEntries                                 share

	byHeads bool   // it sent a frame of FeatureHeads
	theirs  theirs // what it says by these

	handed    dag.Ref   // up to where it was asked for content, see handover.go
	handedAll bool      // it was asked for all
	owed      []dag.Ref // what it asked for while it was parked at the head here

	blocks  heldBlocks   // what it showed to have of blocks
	typed   uint64       // ms; when it last said that its person is writing
	types   bool         // and has not said since that it is no more
	earlier askedEarlier // of the time before this device came

	settingsAsked bool // it was asked for settings

	pagesAsked *pagesAskFrame // the last that was not answered yet; nil: none
	pagesDue   uint64         // ms; when it may be; 0: nothing waits
}

// shown bounds what a former member that keeps asking is told: at one head the
// end of its membership once, and then only what it still lacks and less each
// time.
type shown struct {
	head  wire.BlockHash
	lacks int
}

// fetch is the one request for entries that is under way.
type fetch struct {
	from   wire.DeviceID
	until  uint64 // ms; 0: none
	found  bool   // the answer so far brought something new
	frames int    // of the answer so far
	early  bool   // it holds something whose block is not here yet
}

// relation is what a device may hear of this group, by this device's own head.
type relation uint8

const (
	stranger relation = iota
	former            // was a member, or is on a branch that lost: hears of the chain up to that
	present           // is a member's device, active or parked
)

func (m *Machine) relation(who wire.Member) relation {
	owner, _, ok := m.state().Device(who.Device)
	switch {
	case ok && owner.Person != who.Person:
		return stranger
	case ok && m.state().Belongs(who.Device):
		return present
	case ok:
		return former
	}
	for _, tip := range m.blocks.Tips() { // a member on a branch that lost
		if m.stateAt(tip).Belongs(who.Device) {
			return former
		}
	}
	return stranger
}

// speaks reports whether this device takes part in the group at all.
func (m *Machine) speaks() bool { return m.status == StatusActive || m.status == StatusLeaving }

// anyPeer spares most steps the peers in order, of which there may be hundreds.
func (m *Machine) anyPeer(is func(*peer) bool) bool {
	for _, p := range m.peers {
		if is(p) {
			return true
		}
	}
	return false
}

func isDue(at, now uint64) bool { return at != 0 && at <= now }

// wantHave lets a Have go to the peer, at most one each haveEvery.
func (m *Machine) wantHave(now uint64, p *peer) {
	if p.haveDue == 0 {
		p.haveDue = max(now, p.haveLast+haveEvery)
	}
}

func (m *Machine) sendHave(now uint64, d wire.DeviceID, eff *Effects) {
	p := m.peers[d]
	p.haveDue, p.haveLast = 0, now
	if m.readsHeads(d) {
		m.sendHeads(p, eff)
	} else {
		m.sendFrontier(d, eff)
	}
	if m.modern(d) {
		m.sendHeld(d, eff)
	}
}

func (m *Machine) sendFrontier(d wire.DeviceID, eff *Effects) {
	eff.send(d, haveFrame{m.blocks.Offer(), m.graph.Frontier(), m.ackNumbers(), m.reachNumbers()}.bytes())
}

// received takes a payload from a device whose session is proved.
func (m *Machine) received(now uint64, c Received, eff *Effects) {
	p, rel := m.peers[c.From.Device], m.relation(c.From)
	if p == nil || len(c.Payload) == 0 {
		return
	}
	r := wire.NewReader(c.Payload)
	kind := r.U8()
	var err error
	p.modern = p.modern || kind > frameInvitation && kind <= frameNumbers
	p.pages = p.pages || kind == framePages
	switch {
	case kind == frameInvitation: // these two prove themselves, whoever brings them: he may be a
		err = m.onInvitation(now, p, c, eff) // member whom this device does not know yet,
	case kind == framePages:
		err = m.onPages(now, p, rel, c, eff)
	case kind == frameBlocks: // or its blocks may show that not he is removed, but this device
		err = m.onBlocks(now, p, r, c.Secrets, eff)
	case rel == stranger:
	case rel == former:
		m.receivedFromFormer(now, kind, p, r, eff)
	case kind == frameStatements:
		err = m.onStatements(now, p, r, eff)
	case kind == frameAskInfo:
		err = m.onAskInfo(p, r, eff)
	case kind == frameVotes:
		err = m.onVotes(now, p, r, eff)
	case kind == frameBlockNews && m.self.Omits != FeatureBlockNews && (m.speaks() || m.status == StatusInvited):
		err = m.onBlockNews(now, p, r, eff)
	case !m.speaks():
		// An invited device says nothing until its person accepts.
	case kind == frameDigest:
		err = m.onDigest(now, p, r, eff)
	case kind == frameHave:
		err = m.onHave(now, p, r, eff)
	case kind == frameEntries:
		err = m.onEntries(now, p, c, eff)
	case kind == frameWant:
		err = m.onWant(now, p, r, eff)
	case kind == frameAskKeys:
		err = m.onAskKeys(p, r, eff)
	case kind == frameKeys:
		err = m.onKeys(now, p, r, eff)
	case kind == frameFaults:
		err = m.onFaults(p, r, eff)
	case kind == framePeople:
		err = m.onPeople(p, r, eff)
	case kind >= frameHeads && kind <= frameNumbers && m.self.Omits != FeatureHeads:
		err = m.onByHeads(now, kind, p, c.Payload, r, eff)
	case kind >= frameAcks && kind <= frameAckDigest && m.self.Omits != FeatureAckHeads, kind == frameMarkedAcks && m.self.Omits != FeatureMarks:
		err = m.onAckFrame(now, kind, p, r, eff)
	case kind == frameAskBlocks && m.self.Omits != FeatureBlockNews:
		err = m.onAskBlocks(now, p, r, eff)
	case kind == frameAskContents:
		err = m.onAskContents(p, r, eff)
	case kind == frameContents:
		err = m.onContents(now, p, r, eff)
	case kind == frameTyping && m.self.Omits != FeatureTyping:
		err = m.onTyping(now, p, r, eff)
	case kind == frameAskEarlier && m.self.Omits != FeatureHistory:
		err = m.onAskEarlier(p, r, eff)
	case kind == frameEarlier && m.self.Omits != FeatureHistory:
		err = m.onEarlier(now, p, r, eff)
	case kind >= framePromptAck && kind <= frameLinks && m.self.Omits != FeatureSparing:
		err = m.onSparing(now, kind, p, r, eff)
	case kind == frameSettings && m.self.Omits != FeatureSettings:
		err = m.onSettings(p, r, eff)
	default:
		err = wire.ErrCanonical
	}
	if err != nil {
		eff.Notify = append(eff.Notify, Misbehaved{c.From, "frame"})
	}
}

// receivedFromFormer answers a device that was a member and asks after the
// group: with the blocks up to the one that removed it, and nothing else. Votes it
// may bring: they may settle that it is a member, and this device perhaps none.
func (m *Machine) receivedFromFormer(now uint64, kind uint8, p *peer, r *wire.Reader, eff *Effects) {
	if kind == frameVotes {
		if f, err := parseVotes(r); err == nil && f.part != votesHeld {
			m.takeVotes(now, p, f, eff)
		}
		return
	}
	if !m.speaks() {
		return
	}
	switch kind {
	case frameAskKeys:
		m.onAskEntrance(p, r, eff)
	case frameDigest: // it does not know yet
		if p.shown.head != m.head {
			p.shown = shown{m.head, m.blocks.Len() + 1}
			m.farewell(p, maxFarewell, eff)
		}
	case frameHave, frameHeads:
		offer, err := parseOffer(kind, r)
		if err != nil || !p.asksAll.take(now, answerEvery, answerBurst) {
			return
		}
		m.onFormerHave(p, offer, eff)
	}
}

func (m *Machine) onDigest(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	d, err := parseHash[wire.Digest](r)
	if err != nil {
		return err
	}
	first := !p.digested
	p.digested, p.named, p.again, p.digest = true, true, false, d
	if first {
		m.offerWelcomes(p, eff)
		m.offerFaults(p, eff)
		m.offerPeople(p, eff)
		m.askInfosOf(p.member.Device, eff) // what came with a block may not have been written
	}
	m.meetAgain(p.member.Device, eff)
	if d != m.digest(m.modern(p.member.Device), !m.exchanges(p.member.Device)) {
		m.wantHave(now, p)
	} else {
		if first && (m.acks[p.member.Device] == nil || p.proofDue < now+proofAfter-nameLate) { // it may have passed over what it was told before
			m.sendDigest(p.member.Device, eff)
		}
		p.told, p.theirs.common = d, m.head
	}
	return nil
}

// onHave gives what the peer lacks and takes note of what it has.
func (m *Machine) onHave(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseHave(r)
	if err != nil {
		return err
	}
	p.named, p.again, p.theirs.common = true, false, m.commonOf(f.offer)
	if !m.answers(now, p, &p.asksAll) {
		return nil
	}
	m.giveLacking(now, p, f.offer, eff)
	m.sendStatements(p.member.Device, f, eff)
	m.offerFaults(p, eff)
	if p.frontier = f.frontier; maps.Equal(f.frontier, p.barren) {
		p.frontier = nil
	}
	m.awaitTree(now, p.frontier)
	theyHave := len(m.blocks.Unknown(f.offer)) > 0 || p.frontier != nil && m.lacks(p.frontier)
	theyHave = theyHave || newer(f.acks, m.ackNumbers()) || newer(f.reaches, m.reachNumbers())
	theyLack := len(m.graph.Suffix(f.frontier, 1)) > 0 // they ask once they know what is here
	if (theyHave || theyLack) && p.haveLast+haveEvery <= now && p.haveDue == 0 {
		m.sendHave(now, p.member.Device, eff)
	}
	return nil
}

// lacks reports whether a frontier names something that is not here.
func (m *Machine) lacks(f dag.Frontier) bool {
	for _, r := range f.Refs() {
		if !m.graph.Has(r) {
			return true
		}
	}
	return false
}

// newer reports whether theirs has a number that ours does not reach.
func newer(theirs, ours []seqOf) bool {
	have := make(map[wire.DeviceID]uint64, len(ours))
	for _, s := range ours {
		have[s.device] = s.seq
	}
	return slices.ContainsFunc(theirs, func(s seqOf) bool { return s.seq > have[s.device] })
}
