package sim

import (
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// epochsKept is how many blocks below the head keep what a branch from there is
// followed with (docs/spec/group.md, "Secrets").
const epochsKept = 16

// lateness is what each node could not follow any more when it took it: a block is
// followed then or never.
type lateness map[*Node]*sightings

// sightings are the blocks that a node holds: true if one came too late.
type sightings struct {
	late map[wire.BlockHash]bool
	met  map[wire.DeviceID]bool // let in by some block that it held once
	size int
	head wire.BlockHash
}

// step looks at the blocks that are new at a node.
func (l lateness) step(n *Node, m *group.Machine) {
	blocks, s := m.Blocks(), l[n]
	if s == nil {
		s = &sightings{met: make(map[wire.DeviceID]bool)}
		l[n] = s
	}
	if s.size == blocks.Len() && s.head == m.Head() {
		return
	}
	before := s.late
	s.late, s.size, s.head = make(map[wire.BlockHash]bool), blocks.Len(), m.Head()
	for _, hash := range blocks.All() {
		late, known := before[hash]
		if !known {
			late = tooLate(m, hash)
			for _, op := range blocks.Header(hash).Ops {
				for _, d := range letIn(op) {
					s.met[d] = true
				}
			}
		}
		s.late[hash] = late
	}
}

// letIn returns the devices that an op makes a member's.
func letIn(op chain.Op) (list []wire.DeviceID) {
	switch op := op.(type) {
	case *chain.Genesis:
		list = append(list, op.Device.ID())
	case *chain.Add:
		for _, d := range op.Devices {
			list = append(list, d.ID())
		}
	case *chain.AddDevice:
		list = append(list, op.Device.ID())
	}
	return list
}

// tooLate reports whether a block is on a branch that what is settled excludes, or
// that left the chain too far below the head: then nothing is kept to follow it with.
func tooLate(m *group.Machine, block wire.BlockHash) bool {
	blocks, settled := m.Blocks(), m.Settled()
	if blocks.IsAncestor(block, m.Head()) {
		return false
	}
	fork := block
	for !blocks.IsAncestor(fork, m.Head()) {
		fork = blocks.Header(fork).Parent
	}
	return blocks.Header(fork).Height+epochsKept < head(m).Height() || !blocks.IsAncestor(settled, block)
}

// excluded reports whether n has no keys of a block because it came too late to be
// followed, and what is settled does not have it: else n comes back and is given them.
func (r *run) excluded(n *Node, block wire.BlockHash) bool {
	_, followed := n.Groups[r.g].Records[group.KindEpoch][string(block[:])]
	return !followed && !r.machine(n).Blocks().IsAncestor(block, r.machine(n).Settled()) && r.check.late[n].late[block]
}

// late reports whether a row's device was taken out on the head's chain and wrote it
// after the cut: others may or may not have it, unless it was answered.
func (r *run) late(m *group.Machine, row group.Row) bool {
	_, late := beyond(m, row.Person, row.Place.Ref(), row.Block)
	return late
}

// beyond returns the block that took a device out before it wrote an entry, by the cut.
func beyond(m *group.Machine, person wire.PersonID, ref dag.Ref, block wire.BlockHash) (by wire.BlockHash, late bool) {
	for _, h := range m.Chain() {
		if m.Blocks().IsAncestor(h, block) {
			continue // written in a later membership
		}
		for _, op := range m.Blocks().Header(h).Ops {
			who, cuts, ok := takenOut(op)
			if !ok || who.Person != person || who.Device != (wire.DeviceID{}) && who.Device != ref.Device {
				continue
			}
			if !slices.ContainsFunc(cuts, func(c chain.Cut) bool { return c.Device == ref.Device && c.Seq >= ref.Seq }) {
				return h, true
			}
		}
	}
	return by, false
}

// answered returns the entries of a node that count, late ones among them that one that counts
// names, at a block that is neither the removal nor above it (docs/spec/group.md, "Late entries"):
// read naively, of all that it holds.
func (r *run) answered(n *Node) map[dag.Ref]bool {
	m := r.machine(n)
	var list []*dag.Header
	for _, b := range n.Groups[r.g].Records[group.KindEntry] {
		if h, err := dag.ParseHeader(b); err == nil && m.Blocks().Has(h.Block) {
			list = append(list, h)
		}
	}
	slices.SortFunc(list, func(a, b *dag.Header) int { return cmp.Compare(b.Lamport, a.Lamport) })
	counts, named := make(map[dag.Ref]bool), make(map[dag.Ref][]wire.BlockHash)
	for _, h := range list {
		ref := h.Ref()
		author, _, _ := m.Blocks().State(h.Block).Device(h.Device)
		by, late := beyond(m, author.Person, ref, h.Block)
		if late && !slices.ContainsFunc(named[ref], func(at wire.BlockHash) bool { return !m.Blocks().IsAncestor(by, at) }) {
			continue
		}
		counts[ref] = true
		h.Names(func(of dag.Ref) { named[of] = append(named[of], h.Block) })
	}
	return counts
}

// takenOut returns whom an op takes out, with all devices if it names none, and how far
// what they wrote counts.
func takenOut(op chain.Op) (wire.Member, []chain.Cut, bool) {
	switch op := op.(type) {
	case *chain.Remove:
		return wire.Member{Person: op.Person}, op.Cuts, true
	case *chain.Leave:
		return wire.Member{Person: op.Person}, op.Cuts, true
	case *chain.RemoveDevice:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	case *chain.Slash:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	case *chain.Carry:
		return wire.Member{Person: op.Person, Device: op.Device}, op.Cuts, true
	}
	return wire.Member{}, nil, false
}
