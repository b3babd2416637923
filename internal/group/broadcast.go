package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// In a large group an entry is not pushed to everybody, but goes along a tree
// (docs/spec/broadcast.md). The tree is not the machine's: it says who takes part,
// what is new and may be passed on, and how an entry looks to whom.

// treeFrom is from how many devices on that read it a tree is used. With 32 the author's line of 10
// Mbit/s sends 10 kB to all in a quarter of a second, less than a tree takes.
const treeFrom = 33

// spreading is who takes part in the tree.
type spreading struct {
	driven  bool // whoever drives the machine has a tree
	at      wire.BlockHash
	devices []wire.DeviceID // at that head, ascending
}

// Kept is an entry that has come to be here with its text.
type Kept struct {
	ID   wire.EntryHash
	Ref  dag.Ref
	Size int  // bytes
	Own  bool // it was written here just now
}

// SpreadByTree says that whoever drives the machine has a tree: to those who take
// part in it own entries go by [Effects.Kept] alone.
func (m *Machine) SpreadByTree() { m.spreading.driven = true }

// Spreaders returns the devices that take part in the tree, ascending, this one among
// them; none if entries are pushed to everybody. The list never changes.
func (m *Machine) Spreaders() []wire.DeviceID {
	if !m.spreading.driven || !m.speaks() {
		return nil
	}
	if m.spreading.at != m.head {
		m.spreading.at, m.spreading.devices = m.head, m.treeDevices()
	}
	return m.spreading.devices
}

func (m *Machine) treeDevices() (list []wire.DeviceID) {
	own := m.self.Device.ID()
	if !m.says(own, FeatureTree) { // nobody else takes it for one that reads it
		return nil
	}
	for d := range m.said.by {
		if m.says(d, FeatureTree) && m.state().Active(d) {
			list = append(list, d)
		}
	}
	if len(list) < treeFrom {
		return nil
	}
	slices.SortFunc(list, compareID)
	return list
}

// spreadsTo reports whether a device gets new entries along the tree.
func (m *Machine) spreadsTo(d wire.DeviceID) bool {
	_, found := slices.BinarySearchFunc(m.Spreaders(), d, compareID)
	return found
}

// tellKept tells that an entry is here. One without its text is not passed on.
func (m *Machine) tellKept(h *dag.Header, ciphertext []byte, own bool, eff *Effects) {
	if len(ciphertext) > 0 && len(m.Spreaders()) > 0 {
		eff.Kept = append(eff.Kept, Kept{h.Hash(), h.Ref(), len(h.Bytes()) + len(ciphertext), own})
	}
}

// awaitTree puts off the next request for entries if a peer has few that are not here:
// the tree is bringing them.
func (m *Machine) awaitTree(now uint64, theirs dag.Frontier) {
	if len(theirs) == 0 {
		return
	}
	lacking := uint64(0)
	ours := m.graph.Frontier()
	for d, tip := range theirs {
		lacking += max(tip.Seq, ours[d].Seq) - ours[d].Seq
	}
	m.leaveToTree(now, lacking)
}

// leaveToTree is awaitTree of so many entries. What is asked for already goes on, and of
// much more than the tree brings nobody's word for few keeps this device waiting.
func (m *Machine) leaveToTree(now, lacking uint64) {
	if lacking == 0 || len(m.Spreaders()) == 0 {
		return
	}
	waits := m.fetch.until != 0 && m.fetch.from == wire.DeviceID{}
	switch {
	case lacking > treeFew && waits:
		m.fetch = fetch{}
	case lacking <= treeFew && m.fetch.until == 0 && len(m.asked) == 0 && m.chase == nil:
		m.fetch = fetch{until: now + treeWait}
	}
}

// Pushed is an entry as it is pushed to a device: without its text to one that was no
// member at its block. It is nil if the entry is not here. read gives a stored record.
func (m *Machine) Pushed(to wire.DeviceID, ref dag.Ref, read func(k Kind, key []byte) ([]byte, error)) ([]byte, error) {
	header, err := read(KindEntry, EntryKey(ref))
	if err != nil || len(header) == 0 {
		return nil, err
	}
	e := Packed{Header: header}
	if m.mayRead(to, ref) {
		if e.Ciphertext, err = read(KindCipher, EntryKey(ref)); err != nil {
			return nil, err
		}
	}
	return entriesFrame{[]Packed{e}, entriesPushed}.bytes(), nil
}

// PushedID returns the hash of the one entry that a payload pushes.
func PushedID(payload []byte) (wire.EntryHash, bool) {
	_, h, ok := pushedEntry(payload)
	if !ok {
		return wire.EntryHash{}, false
	}
	return h.Hash(), true
}

func pushedEntry(payload []byte) (Packed, *dag.Header, bool) {
	r := wire.NewReader(payload)
	if r.U8() != frameEntries {
		return Packed{}, nil, false
	}
	f, err := parseEntries(r)
	if err != nil || len(f.entries) != 1 || f.answer != entriesPushed {
		return Packed{}, nil, false
	}
	h, err := dag.ParseHeader(f.entries[0].Header)
	return f.entries[0], h, err == nil
}

// LacksText reports whether a payload that was taken pushed a header alone, of an entry
// that this device is to have whole: whoever gives it whole is still needed.
func (m *Machine) LacksText(payload []byte) bool {
	p, h, ok := pushedEntry(payload)
	if !ok || p.whole() {
		return false
	}
	ref := h.Ref()
	return m.hollow[ref] || !m.graph.Has(ref) && m.waiting[ref] == nil
}

// TreeFrame is the payload that carries a frame of the tree, and TreeFrameIn the frame
// in a payload, nil if it is another.
func TreeFrame(frame []byte) []byte { return append([]byte{frameTree}, frame...) }

// TreeFrameIn is the reverse of [TreeFrame].
func TreeFrameIn(payload []byte) []byte {
	if len(payload) < 2 || payload[0] != frameTree {
		return nil
	}
	return payload[1:]
}
