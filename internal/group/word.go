package group

import (
	"slices"

	"kith/internal/wire"
)

// A Word stands for what this device has said in the group: whoever brings that to who is away
// looks whether there is more.
type Word struct {
	Seq   uint64         // of the newest own entry
	Head  wire.BlockHash // to which it may have added a block
	All   wire.Digest    // with its Ack and all votes that it knows
	Lacks bool           // a member is not known to have all own entries
}

// Word returns what this device has said so far.
func (m *Machine) Word() Word {
	var w wire.Writer
	w.U64(m.OwnSeq())
	for _, t := range m.blocks.Tips() {
		w.Raw(t[:])
	}
	if a := m.acks[m.self.Device.ID()]; a != nil {
		w.Vec(a.Marshal())
	}
	w.Raw(m.ballots.digest[:])
	return Word{m.OwnSeq(), m.head, wire.Digest(wire.Hash(wire.HashDigest, m.group[:], w.Bytes())), m.lacksOwn()}
}

// An Extent is how much a device has of a group.
type Extent struct {
	Entries uint64
	Blocks  int
}

// Extent counts what is here.
func (m *Machine) Extent() (h Extent) {
	for _, ref := range m.graph.Frontier() {
		h.Entries += ref.Seq
	}
	h.Blocks = m.blocks.Len()
	return h
}

// lacksOwn reports whether a member's device is not known to have all own entries.
func (m *Machine) lacksOwn() bool {
	own, newest := m.self.Device.ID(), m.OwnSeq()
	return newest > 0 && m.graph != nil && slices.ContainsFunc(m.readersOf(wire.DeviceID{}), func(who wire.Member) bool {
		return m.deliveredTo(who.Device, own) < newest
	})
}
