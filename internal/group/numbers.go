package group

import (
	"kith/internal/wire"
)

// Which Acks and Reaches are held, by table: a digest of that stands in each word of
// what a device has, and the numbers follow only where the digests differ.

// statementsDigest is the digest of all that stands beside the log, but for Acks where
// they are exchanged.
func (m *Machine) statementsDigest(acks bool) wire.Digest {
	var w wire.Writer
	m.writeStatements(&w, acks)
	return wire.Digest(wire.Hash(wire.HashDigest, m.group[:], w.Bytes()))
}

// writeStatements writes what both digests have of what stands beside the log.
func (m *Machine) writeStatements(w *wire.Writer, acks bool) {
	var held []seqOf
	if acks {
		held = m.ackNumbers()
	}
	writeSeqs(w, held)
	writeSeqs(w, m.reachNumbers())
	w.Group(func(w *wire.Writer) {
		for _, person := range m.leavers() {
			w.Raw(person[:])
		}
	})
}

// ackCounts are the counts of the Acks held, and one more, since an Ack may have none:
// a count never falls, whatever membership the Ack is of.
func (m *Machine) ackCounts() []seqOf {
	list := m.ackNumbers()
	for i := range list {
		list[i].seq = list[i].seq&ackCount + 1
	}
	return list
}

func (m *Machine) sendNumbers(now uint64, p *peer, answer bool, eff *Effects) {
	block := p.theirs.common
	devices, ok := m.tableOf(block)
	if !ok {
		block = m.blocks.Genesis()
		devices, _ = m.tableOf(block)
	}
	f := numbersFrame{block: block, answer: answer}
	if !m.exchanges(p.member.Device) {
		f.acks, f.otherAcks = byTable(devices, m.ackCounts())
	}
	f.reaches, f.otherReaches = byTable(devices, m.reachNumbers())
	p.theirs.numbersAt = now
	eff.send(p.member.Device, f.bytes())
}

// onNumbers gives the Acks, Reaches and Leaves that the peer lacks, and asks for those
// that it has.
func (m *Machine) onNumbers(now uint64, p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseNumbers(r)
	if err != nil {
		return err
	}
	if !m.answers(now, p, &p.asksNumbers) {
		return nil
	}
	devices, ok := m.tableOf(f.block)
	if !ok || len(f.acks) > len(devices) || len(f.reaches) > len(devices) {
		return nil // it takes for held here a block that is not
	}
	acks, reaches := numbersOf(devices, f.acks, f.otherAcks), numbersOf(devices, f.reaches, f.otherReaches)
	var out statementsFrame
	counts := m.ackCounts()
	if m.exchanges(p.member.Device) {
		counts, acks = nil, nil
	}
	for _, s := range counts {
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
	out.send(p.member.Device, eff)
	if f.answer || !beyond(acks, counts) && !beyond(reaches, m.reachNumbers()) {
		return nil
	}
	if again := p.theirs.numbersAt + numbersAgain; again > now {
		p.haveDue = m.soon(p.haveDue, again) // it may have no reason to say it again
		return nil
	}
	m.sendNumbers(now, p, true, eff)
	return nil
}

func numbersOf(devices []wire.DeviceID, list []uint64, rest []seqOf) map[wire.DeviceID]uint64 {
	of := make(map[wire.DeviceID]uint64, len(list)+len(rest))
	for i, n := range list {
		of[devices[i]] = n
	}
	for _, s := range rest {
		of[s.device] = s.seq
	}
	return of
}

// beyond reports whether theirs has a number that ours does not reach.
func beyond(theirs map[wire.DeviceID]uint64, ours []seqOf) bool {
	have := make(map[wire.DeviceID]uint64, len(ours))
	for _, s := range ours {
		have[s.device] = s.seq
	}
	for d, n := range theirs {
		if n > have[d] {
			return true
		}
	}
	return false
}
