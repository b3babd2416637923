package group

import (
	"bytes"
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// What a machine says unasked when a session begins, and when the head makes its
// peer a member or ends that.

// peerUp takes note of a session. Where it took the place of another with the same
// device, nothing that was asked in that one is answered any more.
func (m *Machine) peerUp(now uint64, who wire.Member, eff *Effects) {
	if m.peers[who.Device] != nil {
		m.peerDown(who.Device)
	}
	m.peers[who.Device] = &peer{member: who, rel: m.relation(who)} // also a stranger: it may become a member
	m.greet(now, m.peers[who.Device], eff)
}

// greet says the first word to a peer: of a new session, or one that has just
// become a member.
func (m *Machine) greet(now uint64, p *peer, eff *Effects) {
	who := p.member
	if own := m.leaves[m.self.Person]; own != nil && p.rel == present {
		eff.send(who.Device, statementsFrame{leaves: [][]byte{own.statement.Marshal()}}.bytes())
	}
	if !m.speaks() {
		return
	}
	switch p.rel {
	case present:
		p.proofDue = now + proofAfter
		switch {
		case !m.invites(who):
		case m.admittedBy(who) != m.self.Person: // it may have accepted, and say so at once
			p.inviteDue = now + inviteAfter
		case m.sendInvitation(p, eff):
			return
		}
		m.offerVotes(who.Device, eff)
		m.sendDigest(who.Device, eff)
	case former:
		m.farewell(p, maxFarewell, eff)
	}
}

// greetAll greets every peer again: this device has begun to take part.
func (m *Machine) greetAll(now uint64, eff *Effects) {
	for _, d := range sortedDevices(m.peers) {
		m.greet(now, m.peers[d], eff)
	}
}

// meet greets the peers that the head has just made members, and takes leave of
// those that it ended the membership of, if this device spoke before; fresh blocks
// are new on its chain.
func (m *Machine) meet(now uint64, spoke bool, fresh int, eff *Effects) {
	for _, d := range sortedDevices(m.peers) {
		p := m.peers[d]
		before := p.rel
		p.rel = m.relation(p.member)
		switch {
		case p.rel == present && before != present:
			m.greetAgain(now, p, eff)
		case p.rel == former && before == present && spoke:
			most := maxFarewell
			if p.named || p.whole { // it has what was here before, or was told of it just now
				most = min(most, fresh+m.toldLately(p))
			}
			m.farewell(p, most, eff)
			eff.Notify = append(eff.Notify, DropSession{d})
		}
	}
}

// tellUntold tells those former members that they are none for whom nothing showed it before:
// what is settled now excludes the branch on which they are members.
func (m *Machine) tellUntold(eff *Effects) {
	if !m.speaks() {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		if p := m.peers[d]; p.rel == former && p.untold && len(m.ending(p.member, maxFarewell)) > 0 { // else it hears nothing of what is newer
			m.farewell(p, maxFarewell, eff)
		}
	}
}

// prove sends the chain, from the peer's first admission on, to a peer that should
// know the group and does not name it: this device may have come in by a block
// that it has not seen, as the peer itself may have again, or be on a branch that lost here.
func (m *Machine) prove(now uint64, p *peer, eff *Effects) {
	p.proofDue = 0
	if p.rel == former { // it waits for what it is told as one
		m.farewell(p, maxFarewell, eff)
		return
	}
	if p.named && !p.again || p.rel != present || !m.givesUnasked(p) {
		return
	}
	var list []wire.BlockHash
	for _, hash := range m.Chain() {
		if _, _, known := m.stateAt(hash).Device(p.member.Device); known {
			list = append(list, hash)
		}
	}
	list = append(list, m.sidings(p.member.Device)...)
	slices.SortStableFunc(list, m.byHeight)
	whole := m.withBodies(list)
	switch {
	case len(whole) == len(list):
	case m.readsPages(p.member.Device):
		m.sendPages(now, p, chain.Offer{Tips: list[:1]}, eff)
		list = nil
	default: // a parked guest, say, which may hold all that is light here
		list = m.heldWhole(list)
	}
	for range maxProofFrames {
		list = list[m.giveBlocks(p, list, eff):]
	}
	p.whole = len(list) == 0
	if m.modern(p.member.Device) {
		m.sendProof(p.member.Device, eff)
	}
}

// sidings returns the blocks of branches that lost on which a member is removed, or of which what is settled
// says nothing yet. It may be on one of the first, where nobody answers it, and what decided against that branch
// need not stand on the head's chain: a Slash of who made it stands above it. The others may have decided
// with the head's against one on which it is: fork choice weighs all together.
func (m *Machine) sidings(d wire.DeviceID) (list []wire.BlockHash) {
	seen := make(map[wire.BlockHash]bool)
	for _, tip := range m.blocks.Tips() {
		_, _, known := m.stateAt(tip).Device(d)
		if m.blocks.IsAncestor(tip, m.head) || !(known && !m.stateAt(tip).Belongs(d) || m.blocks.IsAncestor(m.votes.Settled(), tip)) {
			continue
		}
		for _, hash := range m.notOn(tip, m.head) {
			if !seen[hash] {
				seen[hash] = true
				list = append(list, hash)
			}
		}
	}
	return list
}

func (m *Machine) byHeight(a, b wire.BlockHash) int {
	return cmp.Compare(m.blocks.Header(a).Height, m.blocks.Header(b).Height)
}

// sendProof sends the votes that settled what is settled here, unasked, to who may
// be on a branch that they exclude: there this device may be no member, whom nobody
// asks. Where votes decide that have settled nothing yet, it sends them too.
func (m *Machine) sendProof(d wire.DeviceID, eff *Effects) {
	votes := m.deciding()
	f := votesFrame{part: votesAnswered, warrants: m.votes.Settlement(), votes: votes[:min(len(votes), maxVotes)]}
	if !f.empty() {
		eff.send(d, f.bytes())
	}
}

// farewell tells a former member that it is none, and shows what settled that, if
// fork choice alone would leave it on another branch.
func (m *Machine) farewell(p *peer, most int, eff *Effects) {
	if p.proofDue = 0; !m.givesUnasked(p) {
		return
	}
	list := m.ending(p.member, most)
	m.giveBlocks(p, list, eff)
	p.untold = len(list) == 0
	m.proveEnding(p, eff)
}

// contradict answers a peer whose blocks end this device's membership where our
// head does not: the peer asks a former member nothing, so it is sent what makes
// the difference. Once in a session, or at news, lest two go on for ever.
func (m *Machine) contradict(p *peer, held []wire.BlockHash, news bool, eff *Effects) {
	own := m.self.Device.ID()
	if !m.speaks() || !m.state().Belongs(own) || p.answered && !news {
		return
	}
	if p.rel == stranger && !m.isMember(p.member.Person) { // another device of a member may be in on that branch alone
		return
	}
	for _, hash := range slices.Backward(held) {
		if m.takesOut(hash, own) {
			if p.rel != former && !m.givesUnasked(p) {
				return
			}
			p.answered = true
			if p.rel == former {
				m.farewell(p, maxFarewell, eff)
				return
			}
			answer := m.notOn(m.head, hash)
			m.giveBlocks(p, answer[:min(len(answer), maxFarewell)], eff)
			if m.excludes(hash) && m.modern(p.member.Device) {
				m.sendProof(p.member.Device, eff)
			}
			return
		}
	}
}

// contradictAll answers all who may follow a block that ended this device's membership and has lost here since:
// to them it is a former member, whose word they do not ask for.
func (m *Machine) contradictAll(eff *Effects) {
	var held []wire.BlockHash
	for _, tip := range m.blocks.Tips() {
		if m.takesOut(tip, m.self.Device.ID()) {
			held = append(held, tip)
		}
	}
	for _, d := range sortedDevices(m.peers) {
		m.contradict(m.peers[d], held, true, eff)
	}
}

// disabuse tells former members that new blocks of a branch that lost call
// members, so that they do not follow it.
func (m *Machine) disabuse(fresh []wire.BlockHash, eff *Effects) {
	if !m.speaks() {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		p := m.peers[d]
		if p.rel == stranger { // they are the first that is heard of it
			p.rel = m.relation(p.member)
		}
		if p.rel == former && slices.ContainsFunc(fresh, func(h wire.BlockHash) bool { return m.stateAt(h).Belongs(d) }) {
			m.farewell(p, 1, eff)
		}
	}
}

// recall greets members whom new blocks of a branch that lost take out: one that follows
// them says nothing any more, and then gets the chain (prove).
func (m *Machine) recall(now uint64, fresh []wire.BlockHash, eff *Effects) {
	if !m.speaks() {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		p := m.peers[d]
		if p.rel == present && slices.ContainsFunc(fresh, func(h wire.BlockHash) bool { return m.takesOut(h, d) }) {
			m.greetAgain(now, p, eff)
		}
	}
}

// greetAgain greets a member that may take itself for none: if it names the group no more, it
// gets the chain.
func (m *Machine) greetAgain(now uint64, p *peer, eff *Effects) {
	p.again = p.named
	m.greet(now, p, eff)
}

// sayEnded tells the members which block ended this device's membership, as its last word: to some of
// them it may be a member, by a branch that it does not know, and they are to say so.
func (m *Machine) sayEnded(eff *Effects) {
	if m.status != StatusRemoved && m.status != StatusLeft {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		if p := m.peers[d]; m.relation(p.member) == present && m.readsBlockNews(p) {
			m.tellOf(p, []blockNews{{block: m.head, giver: m.blocks.Header(m.head).Author.Device}}, eff) // this device gives no more
		}
	}
}

// takesOut reports whether at a block, which is not on the way to the head, somebody is a
// member no more.
func (m *Machine) takesOut(hash wire.BlockHash, d wire.DeviceID) bool {
	s := m.stateAt(hash)
	_, _, known := s.Device(d)
	return known && !s.Belongs(d) && !m.blocks.IsAncestor(hash, m.head)
}

// ending returns the blocks that tell a former member that it is none: those from
// its first admission to the one that removed it, the last most of them; and, if
// it is a member on branches that lost, what shows that they did.
func (m *Machine) ending(who wire.Member, most int) (list []wire.BlockHash) {
	if gone, ok := m.removal(who); ok {
		for at := gone.block; len(list) < most; {
			list = append(list, at)
			at = m.blocks.Header(at).Parent
			if s := m.stateAt(at); s == nil {
				break
			} else if _, _, known := s.Device(who.Device); !known {
				break
			}
		}
	}
	for _, tip := range m.blocks.Tips() {
		if m.stateAt(tip).Belongs(who.Device) {
			list = append(list, m.refutation(tip, who.Device)...)
		}
	}
	slices.SortFunc(list, func(a, b wire.BlockHash) int { return cmp.Or(m.byHeight(a, b), bytes.Compare(a[:], b[:])) })
	return m.heldWhole(slices.Compact(list))
}

// heldWhole leaves out light blocks, which who was a member at them has: with them
// in the list those above would not be sent either.
func (m *Machine) heldWhole(list []wire.BlockHash) []wire.BlockHash {
	return slices.DeleteFunc(list, m.blocks.IsLight)
}

// refutation returns the fewest blocks of the head's chain, from where a tip's
// branch left it, with which fork choice does not pick a block at which the device
// is a member, whether it knows of the branches beside or not; where they do not suffice and the
// voters have agreed on another, those that show it; else those of all branches above what is settled. What
// came after those is not for it: it may have made the branch to learn that.
func (m *Machine) refutation(tip wire.BlockHash, device wire.DeviceID) []wire.BlockHash {
	ours, theirs := m.notOn(m.head, tip), m.notOn(tip, m.head)
	if len(ours) == 0 {
		return nil
	}
	root := m.blocks.Header(ours[0]).Parent
	picks := func(set []*chain.Block) bool { return m.stateAt(chain.Head(root, set)).Belongs(device) }
	set, others := m.blocksOf(append([]wire.BlockHash{root}, theirs...)), m.blocksOf(m.lostBeside(root, tip))
	for i, hash := range ours[:min(len(ours), maxFarewell)] {
		set = append(set, m.block(hash))
		if !picks(set) && (len(others) == 0 || !picks(slices.Concat(set, others))) {
			return ours[:i+1]
		}
	}
	if m.excludes(tip) {
		return m.votedAbove(root)
	}
	return m.beside(tip)
}

func (m *Machine) blocksOf(list []wire.BlockHash) (set []*chain.Block) {
	for _, hash := range list {
		set = append(set, m.block(hash))
	}
	return set
}

func (m *Machine) block(hash wire.BlockHash) *chain.Block {
	return &chain.Block{Hash: hash, Header: m.blocks.Header(hash), Body: m.blocks.Body(hash), State: m.stateAt(hash)}
}

func (m *Machine) peerDown(d wire.DeviceID) {
	delete(m.peers, d)
	delete(m.back.asked, d)
	if m.catchUp != nil && m.catchUp.from.Device == d {
		m.catchUp.until = m.now // another's turn
	}
	if m.fetch.from == d {
		m.fetch = fetch{}
	}
	if m.seeking.from == d {
		m.seeking.until = 0
	}
	m.forgetAsked(d)
}
