package dag

import (
	"errors"
	"maps"

	"kith/internal/wire"
)

// A graph can be written down in parts, each with the entries that were checked since the one before,
// so that a start need not read and hash every header again. What was checked stays checked: an
// entry's number, what it names and where it stands never change.
//
//	size field
//	4    number of the first entry
//	4    how many blocks: those that the entries name and none did before
//	32   each
//	4    how many logs: those of the entries
//	32   device
//	32   whole hash of the log's tip
//	1    0: it is in an earlier part; 1: it begins with the first of the entries; 2: it has a beginning
//	     below them, by a floor
//	8    if 1 or 2: floor
//	8    if 1 or 2: seq of the beginning
//	16   if 2: hash of the beginning
//	4    how many entries
//	4    which of the logs
//	1    bit 0: loose; bit 1: in a place that its device had taken
//	8    seq, with bit 1 only: else the next
//	8    lamport
//	8    order
//	16   hash
//	4    block, by its place among all blocks
//	1    how many checked entries it names
//	4    number of each

// errPart says that a part is not what follows.
var errPart = errors.New("dag: a part of a graph does not fit")

const (
	partLoose = 1 << 0
	partFork  = 1 << 1

	beginsBefore = 0
	beginsHere   = 1
	beginsBelow  = 2

	// What an entry has at least, and a log.
	minPartEntry = 4 + 1 + 8 + 8 + 16 + 4 + 1
	minPartLog   = 32 + 32 + 1
)

// stored is how much of a graph is in parts.
type stored struct {
	cells  int
	blocks int
}

// Unstored returns how many checked entries are in no part.
func (g *Graph) Unstored() int { return len(g.line.cells) - g.stored.cells }

// StoredSeq returns up to which seq a device's log is in parts, 0 if it is in none.
func (g *Graph) StoredSeq(device wire.DeviceID) uint64 {
	if l := g.logs[device]; l != nil {
		return l.stored
	}
	return 0
}

// Part returns the next part, of at most limit entries; nil if there is nothing for one. The caller
// stores it, or gives up the graph.
func (g *Graph) Part(limit int) []byte {
	from, to := g.stored.cells, min(len(g.line.cells), g.stored.cells+limit)
	if from == to {
		return nil
	}
	var w, entries wire.Writer
	w.U32(uint32(from))
	w.U32(uint32(len(g.blocks) - g.stored.blocks))
	for _, b := range g.blocks[g.stored.blocks:] {
		w.Raw(b[:])
	}
	var logs []*log
	at := make(map[*log]uint32)
	entries.U32(uint32(to - from))
	for number := uint32(from); number < uint32(to); number++ {
		l := g.line.logs[g.line.cells[number].log]
		if _, ok := at[l]; !ok {
			at[l] = uint32(len(logs))
			logs = append(logs, l)
		}
		g.writeEntry(&entries, number, at[l])
	}
	w.U32(uint32(len(logs)))
	for _, l := range logs {
		l.writeBeginning(&w, uint32(from))
		l.keepStored(uint32(to))
	}
	w.Raw(entries.Bytes())
	g.stored = stored{to, len(g.blocks)}
	return w.Bytes()
}

func (g *Graph) writeEntry(w *wire.Writer, number, log uint32) {
	ref, n := g.numbered(number)
	w.U32(log)
	_, fork := g.line.forkRefs[number]
	var flags uint8
	if n.loose {
		flags |= partLoose
	}
	if fork {
		flags |= partFork
	}
	w.U8(flags)
	if fork {
		w.U64(ref.Seq)
	}
	w.U64(n.lamport)
	w.U64(n.order)
	w.Raw(n.hash[:])
	w.U32(n.block)
	names := g.line.names(number)
	w.U8(uint8(len(names)))
	for _, name := range names {
		w.U32(name)
	}
}

// writeBeginning writes a log of a part whose first entry has the number from.
func (l *log) writeBeginning(w *wire.Writer, from uint32) {
	w.Raw(l.device[:])
	w.Raw(l.tip[:])
	switch first := l.numbers[0]; {
	case l.stored != 0:
		w.U8(beginsBefore)
		return
	case first != unnumbered && first >= from:
		w.U8(beginsHere)
	default:
		w.U8(beginsBelow)
	}
	w.U64(l.floor)
	w.U64(l.first)
	if first := l.numbers[0]; first == unnumbered || first < from {
		w.Raw(l.nodes[0].hash[:])
	}
}

// keepStored takes note that the log's entries below the number to are in parts.
func (l *log) keepStored(to uint32) {
	n := len(l.numbers)
	for n > 1 && l.numbers[n-1] != unnumbered && l.numbers[n-1] >= to {
		n--
	}
	l.stored = l.first + uint64(n) - 1
}

// A Restorer makes an empty graph, or one that has its floor, again from its parts.
type Restorer struct {
	g     *Graph
	named []bool // by number: another entry names it
	firm  []bool // an entry that is not loose does
}

// Restore begins to make g again.
func (g *Graph) Restore() *Restorer {
	n := len(g.line.cells)
	return &Restorer{g, make([]bool, n), make([]bool, n)}
}

// Part takes the next part. On an error the graph is of no use any more.
func (s *Restorer) Part(b []byte) error {
	g, r := s.g, wire.NewReader(b)
	if int(r.U32()) != len(g.line.cells) || g.Unstored() != 0 {
		return errPart
	}
	for range s.count(r, len(wire.BlockHash{})) {
		var hash wire.BlockHash
		r.Fixed(hash[:])
		if _, known := g.blockAt[hash]; known {
			return errPart
		}
		g.block(hash)
	}
	var logs []*log
	listed := make(map[wire.DeviceID]bool)
	for range s.count(r, minPartLog) {
		l, err := g.readBeginning(r)
		if err != nil || listed[l.device] {
			return errors.Join(err, errPart)
		}
		listed[l.device] = true
		logs = append(logs, l)
	}
	used := 0 // of logs, in the order in which the entries first use them
	for range s.count(r, minPartEntry) {
		at := int(r.U32())
		if at > used || at >= len(logs) {
			return errPart
		}
		used = max(used, at+1)
		if err := s.entry(r, logs[at]); err != nil {
			return err
		}
	}
	if used == 0 || used != len(logs) {
		return errPart
	}
	for _, l := range logs {
		l.stored = l.top()
	}
	g.stored, g.digest = stored{len(g.line.cells), len(g.blocks)}, nil
	return r.Done()
}

// count reads how many things follow, of at least size bytes each.
func (s *Restorer) count(r *wire.Reader, size int) int {
	n := int(r.U32())
	if n > r.Len()/size {
		r.Fail(errPart)
		return 0
	}
	return n
}

// readBeginning finds or makes a log of a part.
func (g *Graph) readBeginning(r *wire.Reader) (*log, error) {
	var device wire.DeviceID
	var tip wire.EntryHash
	r.Fixed(device[:])
	r.Fixed(tip[:])
	begins := r.U8()
	l := g.logs[device]
	if begins == beginsBefore {
		if l == nil || l.stored == 0 || r.Err() != nil {
			return nil, errPart
		}
		l.tip = tip
		return l, nil
	}
	floor, first := r.U64(), r.U64()
	var start wire.Short
	if begins == beginsBelow {
		r.Fixed(start[:])
	}
	switch {
	case r.Err() != nil, first == 0, begins > beginsBelow, l != nil && l.stored != 0, begins == beginsBelow && l == nil:
		return nil, errPart
	case begins == beginsHere:
		if l != nil { // whose floor was taken back, down to nothing
			g.noteLowered(device)
		}
		l = &log{device: device, floor: floor, first: first}
		g.logs[device] = l
		g.line.enter(l)
	case first != floor:
		return nil, errPart
	case l.floor != floor || l.nodes[0].hash != start:
		g.lowerTo(l, floor, start)
	}
	l.tip = tip
	return l, nil
}

// entry takes one entry of a part.
func (s *Restorer) entry(r *wire.Reader, l *log) error {
	g, number, flags := s.g, uint32(len(s.g.line.cells)), r.U8()
	var seq uint64
	if flags&partFork != 0 {
		seq = r.U64()
	}
	n := node{loose: flags&partLoose != 0, lamport: r.U64(), order: r.U64()}
	r.Fixed(n.hash[:])
	n.block = r.U32()
	var names [MaxParents + 1]uint32
	count := int(r.U8())
	if flags&partFork != 0 && (seq < l.first || seq >= l.first+uint64(len(l.nodes)) || l.has(seq, n.hash)) {
		return errPart
	}
	if r.Err() != nil || flags > partLoose|partFork || count > len(names) || int(n.block) >= len(g.blocks) {
		return errPart
	}
	for i := range count {
		if names[i] = r.U32(); names[i] >= number {
			return errPart
		}
		s.named[names[i]] = true
		s.firm[names[i]] = s.firm[names[i]] || !n.loose
	}
	g.line.number(l, names[:count])
	s.named, s.firm = append(s.named, false), append(s.firm, false)
	if flags&partFork == 0 {
		l.nodes, l.numbers = append(l.nodes, n), append(l.numbers, number)
	} else {
		g.putFork(l, seq, n, number)
	}
	g.count++
	return nil
}

// has reports whether an entry that is not below the log's beginning is here.
func (l *log) has(seq uint64, hash wire.Short) bool {
	_, ok := l.find(seq, hash)
	return ok
}

func (g *Graph) putFork(l *log, seq uint64, n node, number uint32) {
	if l.forks == nil {
		l.forks = make(map[uint64][]node)
		g.forked = append(g.forked, l)
	}
	l.forks[seq] = append(l.forks[seq], n)
	g.line.keepFork(Ref{l.device, seq, n.hash}, number)
}

// Done finds the heads: what none of the entries names.
func (s *Restorer) Done() {
	g := s.g
	for number := range g.stored.cells {
		if s.named[number] && (g.firm == nil || s.firm[number]) {
			continue
		}
		r, n := g.numbered(uint32(number))
		if !s.named[number] {
			g.heads[r] = struct{}{}
		}
		if g.firm != nil && !s.firm[number] && !n.loose {
			g.firm[r] = struct{}{}
		}
	}
	gone := func(named []bool) func(Ref, struct{}) bool {
		return func(r Ref, _ struct{}) bool {
			number, ok := g.numberOf(r)
			return ok && named[number]
		}
	}
	maps.DeleteFunc(g.heads, gone(s.named))
	maps.DeleteFunc(g.firm, gone(s.firm))
}
