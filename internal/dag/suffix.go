package dag

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
)

// Suffix returns at most limit entries that are checked here and lie beyond
// theirs, in (lamport, device) order, so that none comes before one it names.
// Entries known from the floor by name only are not in it. Where theirs shows
// another fork of a log it starts with our side of the fork at their seq; what
// lies between is asked for by name.
func (g *Graph) Suffix(theirs Frontier, limit int) []Ref {
	var q cursors
	for _, l := range g.logs {
		if c := l.after(theirs[l.device]); c.ok {
			q = append(q, c)
		}
	}
	heap.Init(&q)
	var refs []Ref
	for len(q) > 0 && len(refs) < limit {
		c := q[0]
		refs = append(refs, Ref{c.log.device, c.seq, c.node.hash})
		if c.step(); c.ok {
			heap.Fix(&q, 0)
		} else {
			heap.Pop(&q)
		}
	}
	return refs
}

// A cursor walks one log by rising lamport.
type cursor struct {
	log  *log
	seq  uint64
	node node
	rest []placed // of a log with forks; else the next node has seq+1
	ok   bool
}

type placed struct {
	seq  uint64
	node node
}

// after returns a cursor at the first entry beyond t.
func (l *log) after(t Tip) *cursor {
	c := &cursor{log: l, seq: max(t.Seq, l.first-1)}
	if l.forks == nil && l.agrees(t) {
		c.step()
		return c
	}
	agrees := l.agrees(t)
	take := func(seq uint64, n node) {
		if !n.bare && (seq > t.Seq || seq == t.Seq && !agrees && n.hash != t.Hash) {
			c.rest = append(c.rest, placed{seq, n})
		}
	}
	for i, n := range l.nodes {
		take(l.first+uint64(i), n)
	}
	for seq, forks := range l.forks {
		for _, n := range forks {
			take(seq, n)
		}
	}
	slices.SortFunc(c.rest, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.node.lamport, b.node.lamport),
			cmp.Compare(a.seq, b.seq), bytes.Compare(a.node.hash[:], b.node.hash[:]))
	})
	c.seq = l.top()
	c.step()
	return c
}

// agrees reports whether whoever shows t as its tip can have all that we hold
// at that seq.
func (l *log) agrees(t Tip) bool {
	if l.forks == nil {
		n, ok := l.main(t.Seq)
		return !ok || n.hash == t.Hash
	}
	here := l.at(t.Seq)
	return len(here) == 0 || here[0].hash == t.Hash
}

// step moves to the next entry.
func (c *cursor) step() {
	if len(c.rest) > 0 {
		c.seq, c.node, c.rest, c.ok = c.rest[0].seq, c.rest[0].node, c.rest[1:], true
		return
	}
	c.ok = false
	if c.log.forks != nil {
		return
	}
	for c.seq++; c.seq <= c.log.top(); c.seq++ {
		if n, _ := c.log.main(c.seq); !n.bare {
			c.node, c.ok = *n, true
			return
		}
	}
}

// cursors is a heap by (lamport, device).
type cursors []*cursor

func (q cursors) Len() int { return len(q) }
func (q cursors) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].node.lamport, q[j].node.lamport),
		compareDevice(q[i].log.device, q[j].log.device)) < 0
}
func (q cursors) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *cursors) Push(x any)   { *q = append(*q, x.(*cursor)) }
func (q *cursors) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}
