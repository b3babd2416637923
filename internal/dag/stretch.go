package dag

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"

	"kith/internal/wire"
)

// A Spot is a place in the order (lamport, device), in which every entry comes after
// what it names. The zero spot is before everything.
type Spot struct {
	Lamport uint64
	Device  wire.DeviceID
}

// Compare orders spots.
func (s Spot) Compare(o Spot) int {
	return cmp.Or(cmp.Compare(s.Lamport, o.Lamport), compareDevice(s.Device, o.Device))
}

// A Range is what lies after From, itself not, up to and with the lamport To.
type Range struct {
	From Spot
	To   uint64
}

// Stretch is [Graph.Suffix] within a range. more says that limit cut it short.
func (g *Graph) Stretch(theirs Frontier, within Range, limit int) (refs []Ref, more bool) {
	var q cursors
	for _, l := range g.logs {
		c := l.after(theirs[l.device])
		c.skip(within.From.Lamport)
		for c.ok && !within.From.before(c) {
			c.step()
		}
		if c.ok {
			q = append(q, c)
		}
	}
	heap.Init(&q)
	for len(q) > 0 && q[0].node.lamport <= within.To {
		if len(refs) == limit {
			return refs, true
		}
		c := q[0]
		refs = append(refs, Ref{c.log.device, c.seq, c.node.hash})
		if c.step(); c.ok {
			heap.Fix(&q, 0)
		} else {
			heap.Pop(&q)
		}
	}
	return refs, false
}

// SpotOf returns where an entry stands that a stretch ends with.
func (g *Graph) SpotOf(r Ref) Spot { return Spot{g.Lamport(r), r.Device} }

// before reports whether a cursor is beyond the spot.
func (s Spot) before(c *cursor) bool {
	return s.Compare(Spot{c.node.lamport, c.log.device}) < 0
}

// skip moves a cursor on to the first entry of that lamport or a higher one.
func (c *cursor) skip(lamport uint64) {
	if !c.ok || c.node.lamport >= lamport {
		return
	}
	if c.log.forks != nil {
		i := slices.IndexFunc(c.rest, func(p placed) bool { return p.node.lamport >= lamport })
		if i < 0 {
			c.rest, c.ok = nil, false
			return
		}
		c.rest = c.rest[i:]
	} else {
		nodes := c.log.nodes
		i := sort.Search(len(nodes), func(i int) bool { return !nodes[i].bare && nodes[i].lamport >= lamport })
		c.seq = c.log.first + uint64(i) - 1
	}
	c.step()
}
