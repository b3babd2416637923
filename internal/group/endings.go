package group

import (
	"cmp"
	"container/heap"

	"kith/internal/dag"
)

// endings is what is to go, found by entry and by time.
type endings struct {
	of     map[dag.Ref]ending
	unsure map[dag.Ref]bool // of these, which go by how long the program runs
	next   goings
	fresh  []dag.Ref // of which there is no record yet, or another
}

// set says when what an entry says goes.
func (e *endings) set(ref dag.Ref, end ending) {
	if old, here := e.of[ref]; !here || old.at != end.at {
		heap.Push(&e.next, going{end.at, ref})
	}
	if e.of[ref] = end; end.most != 0 {
		e.unsure[ref] = true
	} else {
		delete(e.unsure, ref)
	}
}

// first returns what goes next; false if nothing does.
func (e *endings) first() (going, bool) {
	for len(e.next) > 0 {
		if g := e.next[0]; e.of[g.ref].at == g.at {
			return g, true
		}
		heap.Pop(&e.next)
	}
	return going{}, false
}

// A going is when an entry goes, as it was set once: it may be gone, or be set anew since.
type going struct {
	at  uint64 // ms
	ref dag.Ref
}

// goings is a heap by time.
type goings []going

func (q goings) Len() int { return len(q) }
func (q goings) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].at, q[j].at), q[i].ref.Compare(q[j].ref)) < 0
}
func (q goings) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *goings) Push(x any)   { *q = append(*q, x.(going)) }
func (q *goings) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
