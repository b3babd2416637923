package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// A device whose entries nobody else's entry or Ack covers may be one that floods: what
// it writes beyond what the policy allows is not taken in, and so carried nowhere; and an
// honest one writes no more until somebody says to have what it wrote (docs/spec/group.md,
// "What nobody covers"). Nothing is lost by it: the log stays where it is and is asked for
// again when the rest is covered, by this device's own next Ack at the latest.

// A window is what is here of one device that is not known to be covered, since the start.
type window struct {
	entries []uncovered // in the order in which they came
	bytes   uint64
	looked  coverage // when it was last looked at what is covered,
	upTo    uint64   // and up to where it was
}

// A coverage is what it rests on how much of a device is covered, as counts that rise.
type coverage struct{ acks, waiting, cited uint64 }

func (m *Machine) coverageOf(d wire.DeviceID) coverage {
	return coverage{m.ackTurn, m.ackWaited, m.cited[d] + 1}
}

// An uncovered entry of a device.
type uncovered struct {
	seq  uint64
	size uint32 // bytes of header and ciphertext
}

// admits reports whether an entry of another device may be taken in.
func (m *Machine) admits(h *dag.Header, size int) bool {
	w := m.windows[h.Device]
	if w == nil || h.Device == m.self.Device.ID() || m.hasRoom(w, size) {
		return true
	}
	if now := m.coverageOf(h.Device); w.looked != now { // else each of a flood would look at all Acks
		w.looked, w.upTo = now, m.coveredUpTo(h.Device)
	}
	m.slide(h.Device, w.upTo)
	m.crowded = m.crowded || !m.hasRoom(w, size)
	return m.hasRoom(w, size)
}

func (m *Machine) hasRoom(w *window, size int) bool {
	entries, bytes := m.state().Policy().Limits()
	return len(w.entries) < int(entries) && w.bytes+uint64(size) <= bytes
}

// noteUncovered counts an entry that is here now.
func (m *Machine) noteUncovered(h *dag.Header, size int) {
	w := m.windows[h.Device]
	if w == nil {
		w = new(window)
		m.windows[h.Device] = w
	}
	w.entries = append(w.entries, uncovered{h.Seq, uint32(size)})
	w.bytes += uint64(size)
}

// noteCited takes note of what a checked entry covers: all that it names of others. What
// one names that waits may never have been written.
func (m *Machine) noteCited(h *dag.Header) {
	for _, p := range h.Parents {
		if m.cited[p.Device] < p.Seq {
			m.cited[p.Device] = p.Seq
		}
	}
}

// coveredUpTo returns up to which number entries of a device are covered by somebody
// else's entry or Ack; one that waits says so much for itself.
func (m *Machine) coveredUpTo(d wire.DeviceID) uint64 {
	seq := m.cited[d]
	for of := range m.acks {
		if of != d {
			seq = max(seq, m.AckedUpTo(of, d))
		}
	}
	for of, w := range m.ackWaits {
		for _, a := range []*dag.Ack{w.first, w.newest} {
			if of == d || a == nil {
				continue
			}
			for _, head := range a.Heads {
				if head.Device == d {
					seq = max(seq, head.Seq)
				}
			}
		}
	}
	return seq
}

// slide forgets what is covered of a device.
func (m *Machine) slide(d wire.DeviceID, upTo uint64) {
	w := m.windows[d]
	if w == nil {
		return
	}
	w.entries = slices.DeleteFunc(w.entries, func(u uncovered) bool {
		if u.seq <= upTo {
			w.bytes -= uint64(u.size)
		}
		return u.seq <= upTo
	})
	if len(w.entries) == 0 {
		delete(m.windows, d)
	}
}

// coverAll forgets what this device's own Ack covers, and asks again for what was not
// taken in.
func (m *Machine) coverAll(now uint64) {
	own, first := m.self.Device.ID(), m.firstHollow()
	frontier := m.graph.Frontier()
	for _, d := range sortedDevices(m.windows) {
		upTo := frontier[d].Seq
		if seq, ok := first[d]; ok {
			upTo = min(upTo, seq-1)
		}
		if d != own {
			m.slide(d, upTo)
		}
	}
	m.roomAgain(now)
}

// roomAgain asks again for entries if some were not taken in.
func (m *Machine) roomAgain(now uint64) {
	if !m.crowded {
		return
	}
	m.crowded = false
	for _, p := range m.peers {
		p.barren, p.theirs.barren, p.theirs.heard = nil, nil, wire.Digest{}
		if p.named {
			m.wantHave(now, p)
		}
	}
}

// mayGoOn refuses to write where too much of this device's is covered by nobody. That
// counts only where somebody else is in the group, and has said so.
func (m *Machine) mayGoOn(size int) error {
	own := m.self.Device.ID()
	if !m.hasCompany() {
		delete(m.windows, own)
		return nil
	}
	entries, bytes := m.state().Policy().Limits()
	full := func() bool {
		w := m.windows[own]
		return m.OwnSeq() >= m.covered+uint64(entries) || w != nil && w.bytes+uint64(size) > bytes
	}
	if full() {
		m.covered = m.coveredUpTo(own)
		m.slide(own, m.covered)
	}
	if full() {
		return refuse(ReasonUncovered, nil)
	}
	return nil
}

// hasCompany reports whether somebody else is a member, and a device has said something
// that is not this one.
func (m *Machine) hasCompany() bool {
	own := m.self.Device.ID()
	if m.acks[own] != nil && len(m.acks) == 1 || len(m.acks) == 0 {
		return false
	}
	return len(m.state().Members()) > 1
}

// mostUncovered returns the longest window of another device.
func (m *Machine) mostUncovered() (most int) {
	for d, w := range m.windows {
		if d != m.self.Device.ID() {
			most = max(most, len(w.entries))
		}
	}
	return most
}

// mostEntries is how many there may be.
func (m *Machine) mostEntries() int {
	entries, _ := m.state().Policy().Limits()
	return int(entries)
}
