package dag

import (
	"cmp"
	"slices"
)

// Beyond returns what is checked here and is neither among theirs nor before any of
// them: what somebody lacks who has that. A set of heads names all that lies before
// them, since each entry names by hash what its author had seen.
//
// It walks down from the heads and from theirs, by falling number, and ends when
// nothing of ours is left, when it has found most entries, or has looked at effort:
// the cost is the difference and what of theirs was checked after the oldest that an
// entry of the difference names. whole says that it is all of it. What of theirs is
// not here is passed over.
func (g *Graph) Beyond(theirs []Ref, most, effort int) (refs []Ref, whole bool) {
	return g.walk(theirs, most, effort, func(number uint32) uint64 { return uint64(number) })
}

// NewestBeyond is Beyond by falling order of display: what it finds are the newest.
func (g *Graph) NewestBeyond(theirs []Ref, most, effort int) (refs []Ref, whole bool) {
	return g.walk(theirs, most, effort, func(number uint32) uint64 {
		_, n := g.numbered(number)
		return n.order
	})
}

func (g *Graph) walk(theirs []Ref, most, effort int, key func(uint32) uint64) (refs []Ref, whole bool) {
	w := walk{line: &g.line, key: key, pages: make([]*page, len(g.line.cells)/pageSize+1)}
	for _, r := range theirs {
		if n, ok := g.numberOf(r); ok {
			w.paint(n, theirColour)
		}
	}
	for r := range g.heads {
		if n, ok := g.numberOf(r); ok {
			w.paint(n, ourColour)
		}
	}
	for looked := 0; w.ours > 0 && len(refs) < most && looked < effort; looked++ {
		if n, ours := w.next(); ours {
			r, _ := g.numbered(n)
			refs = append(refs, r)
		}
	}
	return refs, w.ours == 0
}

// ByCausality sorts entries so that none comes before one that it names.
func (g *Graph) ByCausality(refs []Ref) {
	slices.SortFunc(refs, func(a, b Ref) int {
		x, _ := g.find(a)
		y, _ := g.find(b)
		return cmp.Or(cmp.Compare(x.lamport, y.lamport), a.Compare(b))
	})
}

// Lamport returns the lamport of a checked entry, 0 if it is none.
func (g *Graph) Lamport(r Ref) uint64 {
	n, _ := g.find(r)
	return n.lamport
}

// Top returns the highest lamport that is checked.
func (g *Graph) Top() (lamport uint64) {
	for r := range g.heads {
		lamport = max(lamport, g.Lamport(r))
	}
	return lamport
}

// A colour says on whose side an entry lies that the walk has seen.
type colour uint8

const (
	ourColour   colour = 1
	theirColour colour = 2 // whatever else it is
)

// A walk goes through a graph by a falling key that rises along every edge, as number
// and order do: an entry has its colour when its turn comes.
type walk struct {
	line  *lineage
	key   func(number uint32) uint64
	pages []*page
	queue []step // a heap, the highest first
	ours  int    // entries in the queue of our colour
}

// pageSize is how many colours are made at once, so that a walk through little takes
// little.
const pageSize = 4096

type page [pageSize]colour

// A step is one entry that the walk has still to come to.
type step struct {
	key    uint64
	number uint32
}

// above is by key, then by number, so that every run goes the same way.
func (s step) above(o step) bool {
	return s.key > o.key || s.key == o.key && s.number > o.number
}

// next takes the highest entry and paints what it names.
func (w *walk) next() (number uint32, ours bool) {
	number = w.pop().number
	c := *w.colour(number)
	if c == ourColour {
		w.ours--
	}
	for _, n := range w.line.names(number) {
		w.paint(n, c)
	}
	return number, c == ourColour
}

func (w *walk) colour(number uint32) *colour {
	p := &w.pages[number/pageSize]
	if *p == nil {
		*p = new(page)
	}
	return &(*p)[number%pageSize]
}

func (w *walk) paint(number uint32, c colour) {
	at := w.colour(number)
	switch {
	case *at == 0:
		w.push(step{w.key(number), number})
	case *at == theirColour || *at == c:
		return
	default: // it is in the queue yet
		w.ours--
	}
	*at = c
	if c == ourColour {
		w.ours++
	}
}

func (w *walk) push(s step) {
	w.queue = append(w.queue, s)
	for i := len(w.queue) - 1; i > 0; {
		up := (i - 1) / 2
		if !w.queue[i].above(w.queue[up]) {
			return
		}
		w.queue[i], w.queue[up] = w.queue[up], w.queue[i]
		i = up
	}
}

func (w *walk) pop() step {
	top, last := w.queue[0], len(w.queue)-1
	w.queue[0], w.queue = w.queue[last], w.queue[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			return top
		}
		if down+1 < last && w.queue[down+1].above(w.queue[down]) {
			down++
		}
		if !w.queue[down].above(w.queue[i]) {
			return top
		}
		w.queue[i], w.queue[down] = w.queue[down], w.queue[i]
		i = down
	}
}
