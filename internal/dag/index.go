package dag

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A node is what the graph keeps of a checked entry. Device and seq follow from
// where it stands; 40 bytes.
type node struct {
	lamport uint64
	order   uint64
	hash    wire.Short
	block   uint32 // index into Graph.blocks
	bare    bool   // known from a floor by name only: no lamport, order, block

	// loose says that the entry, or one before it, names an entry whose header
	// lies below the floor, so that its claims could not be checked exactly.
	// Others may know that they are false and refuse whatever names it; we
	// never do.
	loose bool
}

// A log is the checked part of one device's log.
type log struct {
	device  wire.DeviceID
	floor   uint64   // seq that the floor names; below it entries are known by number alone
	first   uint64   // seq of nodes[0]
	nodes   []node   // one per seq; where a device signed two, the one that came first
	numbers []uint32 // of nodes, see lineage
	index   uint32   // in lineage.logs
	forks   map[uint64][]node
	stored  uint64         // up to which seq it is in parts, see part.go; 0: in none
	tip     wire.EntryHash // whole hash of the entry that named returns; zero if it is bare
}

// top returns the highest checked seq, 0 if there is none.
func (l *log) top() uint64 { return l.first + uint64(len(l.nodes)) - 1 }

// main returns the node with seq in the slice.
func (l *log) main(seq uint64) (*node, bool) {
	if seq < l.first || seq > l.top() {
		return nil, false
	}
	return &l.nodes[seq-l.first], true
}

// find returns the node that hash names. Below the floor a ref is taken on its
// number: whoever made the floor had checked it.
func (l *log) find(seq uint64, hash wire.Short) (node, bool) {
	if n, ok := l.main(seq); ok && n.hash == hash {
		return *n, true
	}
	for _, n := range l.forks[seq] {
		if n.hash == hash {
			return n, true
		}
	}
	return node{bare: true}, seq < l.floor
}

// at returns all nodes with seq, smallest hash first.
func (l *log) at(seq uint64) []node {
	var all []node
	if n, ok := l.main(seq); ok {
		all = append(all, *n)
	}
	all = append(all, l.forks[seq]...)
	slices.SortFunc(all, func(a, b node) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	return all
}

// named returns the tip that the frontier shows.
func (l *log) named() Tip {
	top := l.top()
	if l.forks == nil {
		return Tip{top, l.nodes[top-l.first].hash}
	}
	return Tip{top, l.at(top)[0].hash}
}

// insert adds n, whose prev is in the log, and reports whether another entry
// has its seq.
func (l *log) insert(seq uint64, n node, whole wire.EntryHash) (fork bool) {
	if len(l.nodes) == 0 || seq > l.top() {
		if len(l.nodes) == 0 {
			l.first = seq
		}
		l.nodes = append(l.nodes, n)
		l.tip = whole
		return false
	}
	if seq == l.top() {
		if t := l.named(); bytes.Compare(n.hash[:], t.Hash[:]) < 0 {
			l.tip = whole
		}
	}
	if l.forks == nil {
		l.forks = make(map[uint64][]node)
	}
	l.forks[seq] = append(l.forks[seq], n)
	return true
}

// misplaced reports whether prev is an entry of the log that is not the one
// before seq: a gap, or a repetition, claimed by the author. It looks at the
// newest entries only; what it overlooks waits for an entry that never comes.
func (l *log) misplaced(seq uint64, prev wire.Short) bool {
	for i := len(l.nodes) - 1; i >= 0 && i >= len(l.nodes)-gapWindow; i-- {
		if l.nodes[i].hash == prev {
			return l.first+uint64(i) != seq-1
		}
	}
	return false
}
