package dag

import (
	"cmp"
	"slices"

	"kith/internal/wire"
)

// A Graph is the index of one group's logs: who wrote what after what. It keeps
// some 50 bytes of each checked entry, and whole headers only of parked ones.
// It is not safe for concurrent use.
type Graph struct {
	// Older reports whether block a is a proper ancestor of block b. An entry
	// is refused whose block is older than that of an entry it names. Both
	// blocks must be known to the caller before it adds the entry; nil judges
	// nothing.
	Older func(a, b wire.BlockHash) bool

	start uint64 // what counts as the highest order where nothing is named
	count int
	logs  map[wire.DeviceID]*log
	heads map[Ref]struct{}
	line  lineage

	stored stored // how much of it is in parts

	// lowered are the devices of whose log the floor was taken back: what the heads name
	// may not all be here, and the frontier alone says what is.
	lowered map[wire.DeviceID]struct{}
	columns map[wire.DeviceID]column // of what Acks are asked about

	floorHeads uint32  // the first so many entries are all heads that the floor had; 0: there were more
	overFloor  []uint8 // of each numbered entry, which of them lie before it

	blocks  []wire.BlockHash
	blockAt map[wire.BlockHash]uint32

	// firm replaces heads in what this device names, where a floor was set;
	// see node.loose.
	firm map[Ref]struct{}

	park   parking
	judged refusals

	forked    []*log
	withdrawn []Withdrawal
	digest    *wire.Digest // of the frontier; nil after a change
}

// NewGraph returns an empty graph. start is the genesis block's created_at, in
// ms: where display order begins.
func NewGraph(start uint64) *Graph {
	return &Graph{
		start:   start,
		logs:    make(map[wire.DeviceID]*log),
		heads:   make(map[Ref]struct{}),
		blockAt: make(map[wire.BlockHash]uint32),
		park:    newParking(),
		judged:  newRefusals(),
	}
}

// SetFloor makes f the start of an empty graph.
func (g *Graph) SetFloor(f Floor) error {
	if len(g.logs) > 0 {
		return ErrStarted
	}
	heads, err := f.heads()
	if err != nil {
		return err
	}
	for _, t := range f.Frontier {
		l := &log{
			device:  t.Device,
			floor:   t.Seq,
			first:   t.Seq,
			nodes:   []node{{hash: t.Hash, bare: true}},
			numbers: []uint32{unnumbered},
		}
		g.logs[t.Device] = l
		g.line.enter(l)
	}
	g.firm = make(map[Ref]struct{})
	for _, h := range heads {
		g.addFloorHead(h)
	}
	if len(heads) < MaxFloorHeads { // else some may have been left out
		g.floorHeads = uint32(len(heads))
	}
	g.stored = stored{len(g.line.cells), len(g.blocks)}
	g.digest = nil
	return nil
}

// Floor returns the floor at which a newcomer starts that g's owner invites now.
// header returns the bytes of a checked entry's header.
func (g *Graph) Floor(header func(Ref) []byte) Floor {
	f := Floor{Frontier: g.Frontier().Refs()}
	for _, r := range g.Newest(MaxFloorHeads) {
		f.Heads = append(f.Heads, header(r))
	}
	return f
}

func (g *Graph) addFloorHead(h *Header) {
	whole := h.Hash()
	n := node{lamport: h.Lamport, order: h.Order, hash: whole.Short(), block: g.block(h.Block)}
	l := g.logs[h.Device]
	ref := Ref{h.Device, h.Seq, n.hash}
	number := g.line.number(l, nil)
	if m, ok := l.main(h.Seq); ok && m.hash == n.hash {
		*m, l.tip = n, whole
		l.numbers[h.Seq-l.first] = number
	} else {
		g.line.keepFork(ref, number)
		if l.forks == nil {
			l.forks = make(map[uint64][]node)
			g.forked = append(g.forked, l)
		}
		l.forks[h.Seq] = append(l.forks[h.Seq], n)
	}
	g.count++
	g.heads[ref] = struct{}{}
	g.firm[ref] = struct{}{}
}

// Len returns how many entries are checked.
func (g *Graph) Len() int { return g.count }

// Has reports whether r is checked or covered by the floor: it need not be
// asked for.
func (g *Graph) Has(r Ref) bool {
	_, ok := g.find(r)
	return ok
}

// Heads returns the checked entries that no checked entry names, ascending.
func (g *Graph) Heads() []Ref { return ascending(g.heads) }

// Newest returns at most n of the heads that may be named, those of highest
// lamport, ascending by ref: what stands in a floor, or below an entry of ours.
func (g *Graph) Newest(n int) []Ref { return g.newest(n, func(Ref) bool { return true }) }

// Named reports whether r is one of the heads that may be named.
func (g *Graph) Named(r Ref) bool {
	if g.firm != nil {
		_, ok := g.firm[r]
		return ok
	}
	_, ok := g.heads[r]
	return ok
}

func (g *Graph) newest(n int, keep func(Ref) bool) []Ref {
	heads := g.heads
	if g.firm != nil {
		heads = g.firm
	}
	return g.newestOf(heads, n, keep)
}

func (g *Graph) newestOf(heads map[Ref]struct{}, n int, keep func(Ref) bool) []Ref {
	refs := slices.DeleteFunc(ascending(heads), func(r Ref) bool { return !keep(r) })
	if len(refs) > n {
		slices.SortStableFunc(refs, func(a, b Ref) int {
			x, _ := g.find(a)
			y, _ := g.find(b)
			return cmp.Compare(y.lamport, x.lamport)
		})
		refs = refs[:n]
		slices.SortFunc(refs, Ref.Compare)
	}
	return refs
}

func ascending(set map[Ref]struct{}) []Ref {
	refs := make([]Ref, 0, len(set))
	for r := range set {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, Ref.Compare)
	return refs
}

// Frontier returns how far each log is checked.
func (g *Graph) Frontier() Frontier {
	f := make(Frontier, len(g.logs))
	for d, l := range g.logs {
		f[d] = l.named()
	}
	return f
}

// FrontierDigest returns the digest of the frontier.
func (g *Graph) FrontierDigest() wire.Digest {
	if g.digest == nil {
		d := g.Frontier().Digest()
		g.digest = &d
	}
	return *g.digest
}

// Missing returns the entries that parked ones wait for and that are neither
// checked nor parked, ascending. They are asked for by name.
func (g *Graph) Missing() []Ref {
	var refs []Ref
	for r := range g.park.waiting {
		if _, ok := g.park.entries[r]; !ok {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, Ref.Compare)
	return refs
}

// Evidence returns the pairs of entries in which one device used one seq
// twice. Of three entries or more each stands beside the smallest.
func (g *Graph) Evidence() [][2]Ref {
	var pairs [][2]Ref
	for _, l := range g.forked {
		for seq := range l.forks {
			all := slices.DeleteFunc(l.at(seq), func(n node) bool { return n.bare })
			for i := 1; i < len(all); i++ {
				pairs = append(pairs, [2]Ref{{l.device, seq, all[0].hash}, {l.device, seq, all[i].hash}})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]Ref) int {
		return cmp.Or(a[0].Compare(b[0]), a[1].Compare(b[1]))
	})
	return pairs
}

// Twins returns the places of the entries that r's device signed with r's seq, if
// there is more than one.
func (g *Graph) Twins(r Ref) (places []Place) {
	l := g.logs[r.Device]
	if l == nil || len(l.forks[r.Seq]) == 0 {
		return nil
	}
	for _, n := range l.at(r.Seq) {
		if !n.bare { // a floor's word: nobody signed it
			places = append(places, Place{n.order, r.Device, r.Seq, n.hash})
		}
	}
	if len(places) < 2 {
		return nil
	}
	return places
}

// A Position is where the next entry of a device stands: the fields of its
// header that the graph decides.
type Position struct {
	Seq     uint64
	Prev    wire.EntryHash
	Parents []Ref
	Lamport uint64
	Order   uint64
}

// Next returns the position of the next entry of device, our own, at time now
// in ms. It names the heads; where there are more than MaxParents, those of
// highest lamport; over a floor, only those that others are sure to accept.
// Its order is above that of every head, named or not, as far as the rule
// allows. Where the floor knows the device's last entry by a cut hash only,
// Prev is zero and no entry can be made: the device must fetch its own log
// first.
func (g *Graph) Next(device wire.DeviceID, now uint64) Position {
	p := Position{Seq: 1}
	highest := g.start
	name := func(r Ref) {
		n, _ := g.find(r)
		p.Lamport = max(p.Lamport, n.lamport)
		highest = max(highest, n.order)
	}
	if l := g.logs[device]; l != nil {
		t := l.named()
		p.Seq, p.Prev = t.Seq+1, l.tip
		name(Ref{device, t.Seq, t.Hash})
	}
	p.Parents = g.newest(MaxParents, func(r Ref) bool { return r.Device != device })
	for _, r := range p.Parents {
		name(r)
	}
	p.Lamport++
	above := max(highest, g.highest()) + 1
	p.Order = min(max(above, now), limitOrder(highest))
	return p
}

// highest returns the highest order of any head.
func (g *Graph) highest() (order uint64) {
	for r := range g.heads {
		n, _ := g.find(r)
		order = max(order, n.order)
	}
	return order
}

// limitOrder returns the highest order allowed after highest.
func limitOrder(highest uint64) uint64 {
	if highest > ^uint64(0)-MaxDrift {
		return ^uint64(0)
	}
	return highest + MaxDrift
}

// find returns the node of r, checked or covered by the floor.
func (g *Graph) find(r Ref) (node, bool) {
	l := g.logs[r.Device]
	if l == nil {
		return node{}, false
	}
	return l.find(r.Seq, r.Hash)
}

// Names reports whether an entry that is or was checked names the block.
func (g *Graph) Names(b wire.BlockHash) bool {
	_, ok := g.blockAt[b]
	return ok
}

// Block returns the block that a checked entry names; false if the entry is not
// here, or known by name only.
func (g *Graph) Block(r Ref) (wire.BlockHash, bool) {
	n, ok := g.find(r)
	if !ok || n.bare {
		return wire.BlockHash{}, false
	}
	return g.blocks[n.block], true
}

// block returns the index of b in the table of blocks.
func (g *Graph) block(b wire.BlockHash) uint32 {
	i, ok := g.blockAt[b]
	if !ok {
		i = uint32(len(g.blocks))
		g.blocks = append(g.blocks, b)
		g.blockAt[b] = i
	}
	return i
}
