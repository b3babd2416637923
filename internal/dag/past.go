package dag

import (
	"bytes"
	"cmp"
	"slices"

	"kith/internal/wire"
)

// A Past is what is here of the entries that a floor covers. They stay out of the graph,
// whose claims are checked as they come; here only what something above names is taken
// in, so that every entry is vouched for by hash, from the floor downwards:
//
//	floor ── names ──> wanted ── Add ──> held ── names ──> wanted ...
//
// A log that is held down to its first entry has no hole. The zero value is not ready.
// It keeps some 40 bytes of each entry.
type Past struct {
	logs   map[wire.DeviceID]*pastLog
	aside  map[Ref]asideNode // held, and not in the line of their device, which signed two with one seq
	wanted map[Ref]uint64    // named and not held; the lowest order of what names it

	floor  map[wire.DeviceID]uint64 // seq that the floor names of each
	count  int
	oldest uint64 // lowest order that is held

	blocks  []wire.BlockHash
	blockAt map[wire.BlockHash]uint32
}

type pastNode struct {
	order uint64
	hash  wire.Short
	block uint32 // index into Past.blocks
}

type asideNode struct {
	pastNode
	prev Ref
}

// A pastLog is one device's log from the floor downwards, without a gap.
type pastLog struct {
	top   uint64     // seq of nodes[0]
	nodes []pastNode // seq falls by one from each to the next
	below Ref        // what the last one goes on from; zero: it is the first entry
}

// NewPast begins what lies below the floor of a graph; nil if it has none.
func NewPast(g *Graph) *Past {
	p := &Past{
		logs: make(map[wire.DeviceID]*pastLog), aside: make(map[Ref]asideNode),
		wanted: make(map[Ref]uint64), blockAt: make(map[wire.BlockHash]uint32),
		floor: make(map[wire.DeviceID]uint64),
	}
	for d, l := range g.logs {
		if l.floor == 0 {
			continue
		}
		p.floor[d] = l.floor
		p.want(Ref{d, l.floor, l.nodes[0].hash}, limitless)
		for seq, forks := range l.forks {
			for _, n := range forks {
				if seq <= l.floor {
					p.want(Ref{d, seq, n.hash}, limitless)
				}
			}
		}
	}
	if len(p.wanted) == 0 {
		return nil
	}
	return p
}

// limitless is the order below which an entry lies that a floor names.
const limitless = ^uint64(0)

func (p *Past) want(r Ref, below uint64) {
	if at, ok := p.wanted[r]; (!ok || below < at) && !p.Has(r) {
		p.wanted[r] = below
	}
}

// Lower follows [Graph.Lower]: what the floor said of h's device was too much, and its
// log ends just below h.
func (p *Past) Lower(h *Header) {
	for r := range p.wanted {
		if r.Device == h.Device && r.Seq >= h.Seq {
			delete(p.wanted, r)
		}
	}
	p.floor[h.Device] = h.Seq - 1
	if h.Seq > 1 {
		p.want(Ref{h.Device, h.Seq - 1, h.Prev.Short()}, h.Order)
	}
}

// Wants reports whether an entry is named by something and not held.
func (p *Past) Wants(r Ref) bool {
	_, ok := p.wanted[r]
	return ok
}

// Wanted returns at most n of what is named and not held: what may be displayed last
// first.
func (p *Past) Wanted(n int) []Ref {
	refs := make([]Ref, 0, len(p.wanted))
	for r := range p.wanted {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(p.wanted[b], p.wanted[a]), a.Compare(b))
	})
	return refs[:min(n, len(refs))]
}

// Len returns how many entries are held.
func (p *Past) Len() int { return p.count }

// Covered returns how many entries the floor covers, as far as it is honest.
func (p *Past) Covered() (n uint64) {
	for _, seq := range p.floor {
		n += seq
	}
	return n
}

// Whole reports whether everything that the floor covers is held.
func (p *Past) Whole() bool { return len(p.wanted) == 0 }

// Oldest returns the lowest order that is held, in ms; 0 if nothing is.
func (p *Past) Oldest() uint64 { return p.oldest }

// Has reports whether an entry is held.
func (p *Past) Has(r Ref) bool {
	_, _, ok := p.find(r)
	return ok
}

// Block returns the block that an entry names which is held.
func (p *Past) Block(r Ref) (wire.BlockHash, bool) {
	n, _, ok := p.find(r)
	if !ok {
		return wire.BlockHash{}, false
	}
	return p.blocks[n.block], true
}

// Add takes in a header that is wanted, whose signature the caller has checked. A
// *RejectError refuses one that no honest device would have named.
func (p *Past) Add(h *Header) error {
	if err := h.form(); err != nil {
		return err
	}
	ref := h.Ref()
	below, ok := p.wanted[ref]
	if !ok {
		return reject(ReasonParent)
	}
	if h.Order >= below {
		return reject(ReasonOrder)
	}
	delete(p.wanted, ref)
	p.insert(h, ref)
	h.Names(func(r Ref) { p.want(r, h.Order) })
	return nil
}

func (p *Past) insert(h *Header, ref Ref) {
	n := pastNode{order: h.Order, hash: ref.Hash, block: p.block(h.Block)}
	p.count++
	if p.oldest == 0 || h.Order < p.oldest {
		p.oldest = h.Order
	}
	prev := Ref{}
	if ref.Seq > 1 {
		prev = Ref{ref.Device, ref.Seq - 1, h.Prev.Short()}
	}
	l := p.logs[ref.Device]
	switch {
	case l == nil:
		l = &pastLog{top: ref.Seq}
		p.logs[ref.Device] = l
	case l.below != ref:
		p.aside[ref] = asideNode{n, prev}
		return
	}
	l.nodes, l.below = append(l.nodes, n), prev
}

func (p *Past) block(b wire.BlockHash) uint32 {
	i, ok := p.blockAt[b]
	if !ok {
		i = uint32(len(p.blocks))
		p.blocks = append(p.blocks, b)
		p.blockAt[b] = i
	}
	return i
}

// find returns the node of an entry, and what it goes on from.
func (p *Past) find(r Ref) (n pastNode, prev Ref, ok bool) {
	l := p.logs[r.Device]
	if l != nil && r.Seq <= l.top && l.top-r.Seq < uint64(len(l.nodes)) {
		i := int(l.top - r.Seq)
		if n := l.nodes[i]; n.hash == r.Hash {
			if i+1 < len(l.nodes) {
				return n, Ref{r.Device, r.Seq - 1, l.nodes[i+1].hash}, true
			}
			return n, l.below, true
		}
	}
	a, ok := p.aside[r]
	return a.pastNode, a.prev, ok
}

// Given says how an entry that is asked for is given.
type Given uint8

// What is given of an entry.
const (
	GivenAll Given = iota
	GivenHeader
	GivenNothing // nor anything before it in its log
)

// A Descent is an answer to who asks for what lies at some entries and below.
type Descent struct {
	Refs  []Ref  // the last displayed first
	Bare  []bool // of each: its header alone
	Lacks bool   // some of what was asked for is not here
	Cut   bool   // some of it, or of what lies below, is not given
	Full  bool   // there is more
}

// Descend walks down the logs from some entries, in the graph and in what lies below its
// floor, and returns at most limit of those that are here, the last displayed first. give
// says what is given of an entry, by its block and order. p may be nil.
func (g *Graph) Descend(p *Past, from []Ref, limit int, give func(block wire.BlockHash, order uint64) Given) (out Descent) {
	q := make(descents, 0, len(from))
	for _, r := range from {
		if n, ok := g.step(p, r); ok {
			q = append(q, n)
		} else {
			out.Lacks = true
		}
	}
	slices.SortFunc(q, func(a, b descent) int { return a.compare(b) })
	for len(q) > 0 {
		if len(out.Refs) >= limit {
			out.Full = true
			return out
		}
		top := q[len(q)-1]
		q = q[:len(q)-1]
		given := give(top.block, top.order)
		if given == GivenNothing {
			out.Cut = true
			continue
		}
		if n := len(out.Refs); n > 0 && out.Refs[n-1] == top.ref {
			continue // asked for twice
		}
		out.Refs, out.Bare = append(out.Refs, top.ref), append(out.Bare, given == GivenHeader)
		if top.prev == (Ref{}) {
			continue
		}
		if next, ok := g.step(p, top.prev); ok {
			q.insert(next)
		} else {
			out.Lacks = true
		}
	}
	return out
}

// A descent is where the walk down one log stands.
type descent struct {
	ref   Ref
	order uint64
	block wire.BlockHash
	prev  Ref // zero: it is the first of its log, or has another beside it and this is not known
}

// compare orders descents by the order of display.
func (a descent) compare(b descent) int {
	return cmp.Or(cmp.Compare(a.order, b.order), bytes.Compare(a.ref.Device[:], b.ref.Device[:]),
		cmp.Compare(a.ref.Seq, b.ref.Seq), bytes.Compare(a.ref.Hash[:], b.ref.Hash[:]))
}

// descents are sorted, the last displayed last.
type descents []descent

func (q *descents) insert(d descent) {
	i, _ := slices.BinarySearchFunc(*q, d, descent.compare)
	*q = slices.Insert(*q, i, d)
}

// step finds an entry in the graph, or below its floor. In the graph the one before it may
// be the other of two with one seq: who asks takes what is named, and names what it lacks.
func (g *Graph) step(p *Past, r Ref) (descent, bool) {
	if n, ok := g.find(r); ok && !n.bare {
		return descent{r, n.order, g.blocks[n.block], g.before(p, r)}, true
	}
	if p != nil {
		if n, prev, ok := p.find(r); ok {
			return descent{r, n.order, p.blocks[n.block], prev}, true
		}
	}
	return descent{}, false
}

// before returns the entry that one of the graph goes on from.
func (g *Graph) before(p *Past, r Ref) Ref {
	l := g.logs[r.Device]
	if main, ok := l.main(r.Seq); r.Seq == 1 || !ok || main.hash != r.Hash {
		return Ref{}
	}
	if n, ok := l.main(r.Seq - 1); ok {
		return Ref{r.Device, r.Seq - 1, n.hash}
	}
	if p != nil {
		if _, prev, ok := p.find(r); ok { // a head of the floor, which is held here too
			return prev
		}
	}
	return Ref{Device: r.Device, Seq: r.Seq - 1} // which nobody has
}
