package group

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// What two copies of a home wrote under one number is sealed with one message key, and
// whoever opened one of the two has lost the key for the other. So the device that took
// the place of an earlier one keeps what that one wrote of late, and where another
// entry turns up in its place it says it again, as a message of its own. Who had read
// the first reads it twice.

// A doubt names an entry of an earlier device of this home.
type doubt struct {
	device wire.DeviceID
	seq    uint64
}

// doubts are what may have to be said again. They go with the membership, and with no
// Ack: it counts up to a number, and of a log with two entries under one its frontier
// names one, so it does not tell which of the two its author has read.
type doubts struct {
	of map[doubt]unsent
}

// key is the device and the number, big-endian.
func (d doubt) key() []byte { return binary.BigEndian.AppendUint64(bytes.Clone(d.device[:]), d.seq) }

// doubtUnsent turns what an earlier device might have sealed again into what is said
// again if need be.
func (m *Machine) doubtUnsent(of wire.DeviceID, eff *Effects) {
	for _, seq := range m.unsentSeqs() {
		d, u := doubt{of, seq}, m.unsent[seq]
		m.dropUnsent(seq, eff)
		m.doubts.of[d] = u
		eff.put(KindDoubted, d.key(), u.bytes())
	}
	for _, d := range m.doubted()[:max(0, len(m.doubts.of)-maxUnsent)] {
		m.dropDoubt(d, eff)
	}
}

func (m *Machine) dropDoubt(d doubt, eff *Effects) {
	delete(m.doubts.of, d)
	eff.drop(KindDoubted, d.key())
}

// dropDoubts forgets all of them.
func (m *Machine) dropDoubts(eff *Effects) {
	for _, d := range m.doubted() {
		m.dropDoubt(d, eff)
	}
}

// doubted returns them as they were written: those of the oldest device first, by
// number.
func (m *Machine) doubted() []doubt {
	age := make(map[wire.DeviceID]int)
	for i, d := range m.self.Former { // newest first
		age[d.ID()] = len(m.self.Former) - i
	}
	return slices.SortedFunc(maps.Keys(m.doubts.of), func(a, b doubt) int {
		return cmp.Or(cmp.Compare(age[a.device], age[b.device]), compareID(a.device, b.device), cmp.Compare(a.seq, b.seq))
	})
}

// sayTwins keeps what is to be said again for the next chance to write.
func (m *Machine) sayTwins(eff *Effects) {
	if len(m.doubts.of) == 0 || m.mayWrite() != nil {
		return
	}
	for _, d := range m.doubted() {
		if m.graph.Twins(dag.Ref{Device: d.device, Seq: d.seq}) == nil {
			continue
		}
		u := m.doubts.of[d]
		c, err := ParseContent(u.content)
		if err == nil && m.holdSince(Compose{Content: c}, u.block, eff) != nil {
			return // too many wait: at the next chance
		}
		m.dropDoubt(d, eff)
	}
}

func (l *loading) doubted(rec Record) error {
	u, err := parseUnsent(rec.Value)
	if err != nil {
		return err
	}
	if len(rec.Key) != 40 || !l.m.blocks.Has(u.block) {
		return errRecord
	}
	l.m.doubts.of[doubt{wire.DeviceID(rec.Key[:32]), binary.BigEndian.Uint64(rec.Key[32:])}] = u
	return nil
}
