package dag

import (
	"cmp"
	"container/heap"
	"slices"
)

// Beyond returns what is checked here and is neither among theirs nor before any of
// them: what somebody lacks who has that. A set of heads names all that lies before
// them, since each entry names by hash what its author had seen.
//
// It walks from the heads and from theirs downwards, the newest by order of display
// first, so that it costs as much as the difference and what of theirs is newer than
// the oldest of it. It ends when it has found most entries, or has looked at effort;
// what it found until then is the newest of the difference. whole says that it is
// all of it. What of theirs is not here is passed over.
func (g *Graph) Beyond(theirs []Ref, most, effort int) (refs []Ref, whole bool) {
	w := walk{g: g, colours: make(map[uint32]colour)}
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
	for steps := 0; w.ours > 0 && len(refs) < most && steps < effort; steps++ {
		if r, ours := w.next(); ours {
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

// A walk goes through a graph by falling order. Order rises along every edge, so
// that an entry has its colour when its turn comes.
type walk struct {
	g       *Graph
	colours map[uint32]colour
	queue   steps
	ours    int // entries in the queue of our colour
}

// next takes the newest entry and paints what it names.
func (w *walk) next() (r Ref, ours bool) {
	s := heap.Pop(&w.queue).(step)
	c := w.colours[s.number]
	if c == ourColour {
		w.ours--
	}
	for _, n := range w.g.line.names(s.number) {
		w.paint(n, c)
	}
	return s.ref, c == ourColour
}

func (w *walk) paint(number uint32, c colour) {
	switch before := w.colours[number]; {
	case before == 0:
		r, n := w.g.numbered(number)
		heap.Push(&w.queue, step{r, n.order, number})
	case before == theirColour || before == c:
		return
	default: // it is in the queue yet
		w.ours--
	}
	w.colours[number] = c
	if c == ourColour {
		w.ours++
	}
}

// A step is one entry that the walk has still to come to.
type step struct {
	ref    Ref
	order  uint64
	number uint32
}

// steps is a heap by falling order of display.
type steps []step

func (q steps) Len() int { return len(q) }
func (q steps) Less(i, j int) bool {
	return Less(q[j].place(), q[i].place())
}
func (q steps) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *steps) Push(x any)   { *q = append(*q, x.(step)) }
func (q *steps) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func (s step) place() Place { return Place{s.order, s.ref.Device, s.ref.Seq, s.ref.Hash} }
