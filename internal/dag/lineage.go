package dag

import "slices"

// A lineage says what each entry names. Entries are numbered in the order in
// which they were checked: 4 bytes for each, 8 for where it stands and 4 for each
// entry that it names, of which 2 are usual.
type lineage struct {
	cells []cell
	edges []uint32 // numbers of what the entries name, one entry after the other
	logs  []*log   // by log.index

	// Entries in a place where their device has another stand in no log's numbers.
	forks    map[Ref]uint32
	forkRefs map[uint32]Ref
}

// A cell is one numbered entry.
type cell struct {
	log uint32 // its index
	end uint32 // of what it names, in edges; it begins where that of the one before ends
}

// unnumbered is the number of an entry that is known by name only.
const unnumbered = ^uint32(0)

// enter gives a log its index.
func (s *lineage) enter(l *log) {
	l.index = uint32(len(s.logs))
	s.logs = append(s.logs, l)
}

// number numbers an entry of l, with what it names.
func (s *lineage) number(l *log, names []uint32) uint32 {
	s.edges = append(s.edges, names...)
	s.cells = append(s.cells, cell{l.index, uint32(len(s.edges))})
	return uint32(len(s.cells) - 1)
}

// keepFork remembers the number of an entry that is no log's main one.
func (s *lineage) keepFork(r Ref, number uint32) {
	if s.forks == nil {
		s.forks, s.forkRefs = make(map[Ref]uint32), make(map[uint32]Ref)
	}
	s.forks[r], s.forkRefs[number] = number, r
}

// dropFork forgets it again.
func (s *lineage) dropFork(r Ref) (number uint32, ok bool) {
	number, ok = s.forks[r]
	delete(s.forks, r)
	delete(s.forkRefs, number)
	return number, ok
}

// names returns the numbers of what an entry names.
func (s *lineage) names(number uint32) []uint32 {
	start := uint32(0)
	if number > 0 {
		start = s.cells[number-1].end
	}
	return s.edges[start:s.cells[number].end]
}

// numberOf returns the number of a checked entry; false if it is known by name only,
// or not at all.
func (g *Graph) numberOf(r Ref) (uint32, bool) {
	l := g.logs[r.Device]
	if l == nil {
		return 0, false
	}
	if n, ok := l.main(r.Seq); ok && n.hash == r.Hash {
		number := l.numbers[r.Seq-l.first]
		return number, number != unnumbered
	}
	number, ok := g.line.forks[r]
	return number, ok
}

// numbered returns the entry of a number.
func (g *Graph) numbered(number uint32) (Ref, node) {
	if r, ok := g.line.forkRefs[number]; ok {
		n, _ := g.find(r)
		return r, n
	}
	l := g.line.logs[g.line.cells[number].log]
	rest := 0
	if l.numbers[0] == unnumbered {
		rest = 1
	}
	i, _ := slices.BinarySearch(l.numbers[rest:], number) // a log's numbers ascend
	i += rest
	return Ref{l.device, l.first + uint64(i), l.nodes[i].hash}, l.nodes[i]
}
