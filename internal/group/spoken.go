package group

import (
	"slices"

	"kith/internal/chain"
	"kith/internal/mls"
	"kith/internal/wire"
)

// Each commit renews its author's leaf, and a program that means harm may then
// announce nothing, as programs of the first version do, for whose sake nobody
// comes back by itself and no voter is replaced. So what a device announced once on
// the head's chain it is taken to read for good. Who never announced anything is
// taken for what it says it is (docs/spec/group.md, "What a device announces").

// spoken is what a device has announced in the blocks up to one, of the features
// that this program knows.
type spoken struct {
	upTo     wire.BlockHash
	features []uint16
}

// reads reports whether the program of a device that has a leaf at the head reads
// a feature.
func (m *Machine) reads(device wire.DeviceID, feature uint16) bool {
	return m.says(device, feature) || m.state().Active(device) && slices.Contains(m.spokenBy(device), feature)
}

// spokenBy walks down from the head to where it stopped before.
func (m *Machine) spokenBy(device wire.DeviceID) []uint16 {
	s := m.spoken[device]
	if s.upTo == m.head {
		return s.features
	}
	if !m.blocks.IsAncestor(s.upTo, m.head) {
		s = spoken{} // a branch that lost
	}
	for at := m.head; at != s.upTo; {
		h := m.blocks.Header(at)
		if h == nil {
			break
		}
		for _, f := range m.spokenAt(h, at, device) {
			if known(f) && !slices.Contains(s.features, f) {
				s.features = append(s.features, f)
			}
		}
		at = h.Parent
	}
	s.upTo = m.head
	if m.spoken == nil {
		m.spoken = make(map[wire.DeviceID]spoken)
	}
	m.spoken[device] = s
	return s.features
}

func known(feature uint16) bool {
	return feature >= FeatureRepair && feature <= FeatureTree || feature == FeatureHistory
}

// spokenAt returns what one block shows that a device reads: by the op that it
// signed, its new leaf there, or the key package by which it came in.
func (m *Machine) spokenAt(h *chain.Header, hash wire.BlockHash, device wire.DeviceID) (list []uint16) {
	signed := h.Author.Device == device
	if signed && slices.ContainsFunc(h.Ops, ofRepair) {
		list = append(list, FeatureRepair)
	}
	if !signed && !isRestart(h) && !slices.ContainsFunc(h.Ops, func(op chain.Op) bool { return letsIn(op, device) }) {
		return list
	}
	c, err := commitOf(h, m.blocks.Body(hash))
	if err != nil {
		return list // without its commit, it was settled before this device came
	}
	if signed {
		list = append(list, featuresIn(c.PathExtensions())...)
	}
	for _, p := range c.ProposalsOf(mls.ProposalAdd) {
		if who, ok := member(p.KeyPackage.Identity()); ok && who.Device == device {
			list = append(list, featuresIn(p.KeyPackage.LeafExtensions())...)
		}
	}
	return list
}

// ofRepair reports whether programs of the first version can neither read an op
// nor sign it.
func ofRepair(op chain.Op) bool {
	return op.Kind() == chain.KindSetPolicy || op.Kind() >= chain.KindPark
}

func letsIn(op chain.Op, device wire.DeviceID) bool {
	_, devices := welcomes(op)
	return slices.ContainsFunc(devices, func(d chain.DeviceEntry) bool { return d.ID() == device })
}
