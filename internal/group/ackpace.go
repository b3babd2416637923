package group

import (
	"encoding/binary"

	"kith/internal/wire"
)

// When a device signs an Ack (docs/spec/ack.md, "When"). Up to fewAckers devices 2 s after
// something came. Beyond, all Acks together, as one member gets them, stay under a tenth
// of the bytes of entries; what is said too seldom for that is acknowledged all the same
// after a time that grows with the group, so that the Acks of an hour stay under ackIdle.

// A pace is how a device's own Acks follow each other.
type pace struct {
	bytes uint64 // of entries since the newest Ack
	since uint64 // ms; when the first of what it does not say came, or was written, if that was before the start; 0: nothing did
	last  uint64 // ms; when it was signed; 0: before the start
}

// due returns when a device may sign its next Ack in a group of so many that sign one of so
// many bytes. chance is of the device and its Ack: so they do not all come at once.
func (p pace) due(devices, size uint64, chance uint32) uint64 {
	all := devices * size
	spread := func(n uint64) uint64 { return n * uint64(chance) >> 32 }
	wait := min(max(all*hour/ackIdle, ackLeast), ackLongest)
	at := p.since + wait/2 + spread(wait/2)
	if room := ackShare * all; p.bytes >= room+spread(room) {
		at = p.since
	}
	return max(at, p.last+ackLeast)
}

// mayAck returns when an Ack that is wanted may be signed.
func (m *Machine) mayAck(now uint64) uint64 {
	own, who := m.acks[m.self.Device.ID()], m.ackersNow()
	atOnce := who.devices <= m.fewAckers
	if m.promptly() {
		atOnce = m.owesAck() || m.remarked()
	}
	if atOnce || own == nil || own.Seq&^ackCount != ackBase(m.joined) || m.acked == m.graph.FrontierDigest() && !m.ackUnread() && !m.remarked() {
		return now
	}
	if m.pace.since == 0 || m.pace.since > now { // an author's clock may be ahead
		m.pace.since = now
	}
	size := uint64(ackTravels)
	if m.readMark() != nil {
		size += markTravels
	}
	if !who.byHeads {
		size = uint64(len(m.newAck().Marshal()))
	}
	return max(now, m.pace.due(uint64(who.devices), size, ackChance(own.Device, own.Seq)))
}

// ackChance is the same at each look, and another for each Ack.
func ackChance(d wire.DeviceID, seq uint64) uint32 {
	sum := wire.Hash(wire.HashDigest, d[:], binary.BigEndian.AppendUint64(nil, seq))
	return binary.BigEndian.Uint32(sum[:])
}

// hasten brings the pace back to a clock that was set back.
func (p *pace) hasten(now uint64) { p.since, p.last = min(p.since, now), min(p.last, now) }
