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
	m.peers[d].told = digest
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

// toldNow returns the peers that get the digest now: all that may lack something, and in
// a large group some of them, others a while later. There everybody hears of a change from as
// many others, and from all in time, but not from all at once.
func (m *Machine) toldNow(now uint64) (list []wire.DeviceID) {
	digests := make(map[[2]bool]wire.Digest)
	for _, d := range m.connected(false) {
		p, of := m.peers[d], [2]bool{m.modern(d), !m.exchanges(d)}
		digest, made := digests[of]
		if !made {
			digest = m.digest(of[0], of[1])
			digests[of] = digest
		}
		if p.told != digest && p.digest != digest && (p.named || m.acks[d] != nil) {
			list = append(list, d)
		}
	}
	if len(list) <= toldAtOnce || len(m.Spreaders()) == 0 {
		return list
	}
	if m.toldLast == (wire.DeviceID{}) {
		m.toldLast = m.self.Device.ID() // so that not all begin with the same
	}
	list = after(m.toldLast, list)[:toldAtOnce]
	m.toldLast = list[toldAtOnce-1]
	m.digestDue = now + tellRest
	return list
}
