package group

import (
	"slices"

	"kith/internal/wire"
)

// How what is here is told of: by digests.

// digest is the hash of all that this device holds of the group; of votes, if
// the peer reads them and there are any; of Acks, if they are not exchanged with it.
func (m *Machine) digest(votes, acks bool) wire.Digest {
	var w wire.Writer
	w.Group(func(w *wire.Writer) {
		for _, t := range m.blocks.Tips() {
			w.Raw(t[:])
		}
	})
	f := m.graph.FrontierDigest()
	w.Raw(f[:])
	m.writeStatements(&w, acks)
	if votes && m.ballots.digest != (wire.Digest{}) {
		w.Raw(m.ballots.digest[:])
	}
	return wire.Digest(wire.Hash(wire.HashDigest, m.group[:], w.Bytes()))
}

func (m *Machine) ackNumbers() (list []seqOf) {
	for _, d := range sortedDevices(m.acks) {
		list = append(list, seqOf{d, m.acks[d].Seq})
	}
	return list
}

func (m *Machine) reachNumbers() (list []seqOf) {
	for _, d := range sortedDevices(m.reaches) {
		list = append(list, seqOf{d, m.reaches[d].Seq})
	}
	return list
}

func (m *Machine) leavers() (list []wire.PersonID) {
	for person := range m.leaves {
		list = append(list, person)
	}
	slices.SortFunc(list, comparePerson)
	return list
}

func (m *Machine) sendDigest(d wire.DeviceID, eff *Effects) {
	digest := m.digest(m.modern(d), !m.exchanges(d))
	m.peers[d].told, m.peers[d].news = digest, false
	eff.send(d, encodeHash(frameDigest, digest))
}

// announce sends the digest to peers that may lack something, and a Have to
// those that were due one.
func (m *Machine) announce(now uint64, eff *Effects) {
	if m.digestDue != 0 && m.digestDue <= now {
		m.digestDue = 0
		for _, d := range m.toldNow(now) {
			m.sendDigest(d, eff)
		}
	}
	if isDue(m.telling.checkDue, now) {
		m.telling.checkDue = 0
		for _, d := range m.checkedNow(now) {
			m.sendDigest(d, eff)
		}
	}
	m.askVotesAgain(now)
	if !m.anyPeer(func(p *peer) bool { return isDue(p.haveDue, now) || isDue(p.proofDue, now) || isDue(p.inviteDue, now) }) {
		return
	}
	for _, d := range sortedDevices(m.peers) {
		p := m.peers[d]
		if isDue(p.inviteDue, now) {
			m.inviteLate(now, p, eff)
		}
		if isDue(p.proofDue, now) {
			m.prove(now, p, eff)
		}
		switch {
		case p.haveDue == 0 || p.haveDue > now:
		case p.rel == present:
			m.sendHave(now, d, eff)
		default:
			p.haveDue = 0
		}
	}
}

// toldNow returns the peers that get the digest now: all that may lack something new, and in
// a large group some of them, others a while later. There everybody hears of a change from as
// many others, and from all in time, but not from all at once.
func (m *Machine) toldNow(now uint64) []wire.DeviceID {
	list := m.untold(func(p *peer) bool { return p.news })
	if len(list) <= toldAtOnce || len(m.Spreaders()) == 0 {
		return list
	}
	m.digestDue = now + tellRest
	return m.nextTold(list, toldAtOnce)
}

// untold returns those of some peers who were not told what is here, and did not say that they have it.
func (m *Machine) untold(of func(*peer) bool) (list []wire.DeviceID) {
	digests := make(map[[2]bool]wire.Digest)
	for _, d := range m.connected(false) {
		p, kind := m.peers[d], [2]bool{m.modern(d), !m.exchanges(d)}
		digest, made := digests[kind]
		if !made {
			digest = m.digest(kind[0], kind[1])
			digests[kind] = digest
		}
		switch {
		case p.told == digest || p.digest == digest:
			p.news = false
		case of(p) && (p.named || m.acks[d] != nil):
			list = append(list, d)
		}
	}
	return list
}

// newsDue has what is new announced to all: soon, but where the tree brings entries.
func (m *Machine) newsDue(now uint64) { m.allTold(now + m.digestWait()) }

// allTold has what is new announced to all at a time.
func (m *Machine) allTold(at uint64) {
	for _, p := range m.peers {
		p.news = true
	}
	m.digestDue = m.soon(m.digestDue, at)
}

// digestWait is how long what is new waits to be announced.
func (m *Machine) digestWait() uint64 {
	if len(m.Spreaders()) > 0 {
		return treeDigestAfter
	}
	return digestAfter
}
