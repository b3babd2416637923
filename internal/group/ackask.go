package group

import (
	"cmp"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// How what Acks are held is told and asked for in a large group, where the tree did not reach.

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
