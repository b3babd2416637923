package dag

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Describe tells everything that a graph knows of its checked entries.
func Describe(g *Graph) string {
	var b strings.Builder
	fmt.Fprintln(&b, g.count, slices.SortedFunc(maps.Keys(g.lowered), compareDevice), g.blocks, ascending(g.heads), g.firm == nil, ascending(g.firm))
	for number := range g.line.cells {
		r, n := g.numbered(uint32(number))
		fmt.Fprintln(&b, number, r, n, g.line.names(uint32(number)))
	}
	for _, d := range slices.SortedFunc(maps.Keys(g.logs), compareDevice) {
		l := g.logs[d]
		fmt.Fprintln(&b, d, l.floor, l.first, l.nodes, l.numbers, l.tip, slices.Contains(g.forked, l))
		for _, seq := range slices.Sorted(maps.Keys(l.forks)) {
			fmt.Fprintln(&b, seq, l.forks[seq])
		}
	}
	return b.String()
}

// Reparted takes a first part, and writes it again.
func Reparted(start uint64, b []byte) ([]byte, error) {
	g := NewGraph(start)
	s := g.Restore()
	if err := s.Part(b); err != nil {
		return nil, err
	}
	s.Done()
	g.stored = stored{}
	for _, l := range g.logs {
		l.stored = 0
	}
	return g.Part(len(g.line.cells)), nil
}
