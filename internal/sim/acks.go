package sim

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// acked checks that an Ack which a node took says no more than its author has.
func (c *checker) acked(n *Node, m *group.Machine, acker wire.DeviceID) {
	o := c.w.byDevice(acker)
	if o == nil || o.Groups[c.g] == nil || c.crew.has(o) || o.lost {
		return
	}
	for d := range o.Groups[c.g].Machine.Frontier() {
		if said, has := m.AckedUpTo(acker, d), o.readable(c.g, d); said > has {
			fail("%s shows that %s has %d entries of %s, it has %d", n.Name, o.Name, said, c.w.device(d), has)
		}
	}
}

// readable is up to which number a node has a device's log with all texts: by its frontier
// and by what it has stored of those that are lacking.
func (n *Node) readable(g wire.GroupID, device wire.DeviceID) uint64 {
	r := n.Groups[g]
	has := r.Machine.Frontier()[device].Seq
	for key := range r.Records[group.KindHollow] {
		if wire.DeviceID([]byte(key[:32])) != device {
			continue
		}
		for seq := has; seq > 0; seq-- {
			if n.hollowAt(g, device, seq) {
				has = seq - 1
			}
		}
		break
	}
	return has
}

func (n *Node) hollowAt(g wire.GroupID, device wire.DeviceID, seq uint64) bool {
	prefix := string(group.EntryKey(dag.Ref{Device: device, Seq: seq})[:40])
	for key := range n.Groups[g].Records[group.KindHollow] {
		if key[:40] == prefix {
			return true
		}
	}
	return false
}

// below reports whether n may not know how much another has of a device's log, up to
// number has: n has no headers of what its floor covers, and that lies below all the heads
// of the floor together. It knows where it can follow what the other has through entries
// above the floor down to each of these; which of these lies below another it does not look at.
func (n *Node) below(g wire.GroupID, other *Node, device wire.DeviceID, has uint64) bool {
	b, ok := n.Groups[g].Records[group.KindFloor][""]
	if !ok {
		return false
	}
	f, err := dag.ParseFloor(b)
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
	if !slices.ContainsFunc(f.Frontier, func(t dag.Ref) bool { return t.Device == device && t.Seq >= has }) {
		return false
	}
	known := make(map[dag.Ref]*dag.Header)
	for _, b := range n.Groups[g].Records[group.KindEntry] {
		if h, err := dag.ParseHeader(b); err == nil {
			known[h.Ref()] = h
		}
	}
	seen := make(map[dag.Ref]bool)
	for refs := other.Groups[g].Machine.Heads(); len(refs) > 0; {
		at := refs[0]
		refs = slices.Clone(refs[1:])
		h := known[at]
		if seen[at] {
			continue
		}
		if seen[at] = true; h == nil { // a head of the floor, or below it
			continue
		}
		refs = append(refs, h.Parents...)
		if h.Seq > 1 {
			refs = append(refs, dag.Ref{Device: h.Device, Seq: h.Seq - 1, Hash: h.Prev.Short()})
		}
	}
	return len(f.Heads) == dag.MaxFloorHeads || slices.ContainsFunc(f.Heads, func(b []byte) bool {
		h, err := dag.ParseHeader(b)
		return err != nil || !seen[h.Ref()]
	})
}

// beside reports whether all that n has of a device's log, up to number has, is what its
// floor covers, and the log's newest is no head of that: who made the floor cannot vouch
// for an entry above what its own floor covers, and names none. Such an entry may lie above
// all heads, and n's Ack, which names these, does not say that it is here.
func (n *Node) beside(g wire.GroupID, device wire.DeviceID, has uint64) bool {
	f, err := dag.ParseFloor(n.Groups[g].Records[group.KindFloor][""])
	if err != nil {
		return false
	}
	covered := slices.ContainsFunc(f.Frontier, func(t dag.Ref) bool { return t.Device == device && t.Seq == has })
	return covered && !slices.ContainsFunc(f.Heads, func(b []byte) bool {
		h, err := dag.ParseHeader(b)
		return err != nil || h.Device == device
	})
}

// delivered checks that everybody knows what everybody has. Who has no keys at the head,
// or was outside of the group, says what it has when it is back.
func (r *run) delivered() {
	if r.lost() || len(r.crew.persons) > 0 {
		return
	}
	able := func(n *Node) *group.Machine {
		m := r.there(n)
		if m == nil || m.Status() != group.StatusActive || m.View().NoKeys || n.lost {
			return nil
		}
		return m
	}
	for _, n := range r.Nodes {
		m := able(n)
		if m == nil {
			continue
		}
		for _, o := range r.Nodes {
			if o == n || able(o) == nil {
				continue
			}
			for d := range able(o).Frontier() {
				said, has := m.AckedUpTo(o.Self.Device.ID(), d), o.readable(r.g, d)
				if said != has && !(said < has && (n.below(r.g, o, d, has) || o.beside(r.g, d, has))) {
					fail("at rest %s shows that %s has %d entries of %s, it has %d", n.Name, o.Name, said, r.device(d), has)
				}
			}
		}
	}
}
