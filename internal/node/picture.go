package node

import (
	"cmp"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A picture is how the blocks of a group are drawn: the chain in lane 0, each
// branch that lost in a lane to the right of the one it parts from, and of each
// block whether it stands. Lanes are used again once a branch has ended.
//
//	lane 0   1   2
//	     ●              height 0
//	     ├───╮
//	     ●   ○                 1, the chain and a branch that lost
//	     │   ├───╮
//	     ●   ○   ○             2, which went two ways itself
//
// It follows from the blocks held and from what is settled, and from nothing
// else: no clock, no order of arrival.

// Fate says what became of a block.
type Fate uint8

// Fates.
const (
	FateStands Fate = 1 // it is on the chain
	FateUndone Fate = 2 // it lost, and something it did was not done again
	FateAgain  Fate = 3 // it lost, and all it did stands in blocks of the chain
)

// Drawn is one block of the picture.
type Drawn struct {
	Lane    int
	Rank    int // of the author among the admins when it signed, 1 the most senior; 0: no admin
	Fate    Fate
	Again   []wire.BlockHash // for each op of a block that lost: where on the chain the same was done; zero: nowhere
	Loss    *chain.Loss      // why its branch lost; nil on the chain
	Twins   []wire.BlockHash // blocks that the same device signed in the same place: it is no honest device
	Split   *Split           // the group was split after this block; nil almost always
	Settled bool
	Voters  []wire.PersonID // who settled it
	Round   uint64          // of their votes
}

// A Split is a time in which the group went two ways, by the clocks of those
// who signed.
type Split struct {
	From, To uint64 // ms
	Undone   int    // changes that lost, but for renewed keys
	Again    int    // and how many of them were done again
}

// Settler says what is settled; nil stands for nothing.
type Settler interface {
	SettledBy(wire.BlockHash) (by []wire.PersonID, round uint64, ok bool)
}

// canvas is a picture while it is drawn.
type canvas struct {
	blocks *chain.Blocks
	title  func(wire.Digest) string // the title behind a commitment, empty if unknown
	on     map[wire.BlockHash]bool
	drawn  map[wire.BlockHash]*Drawn
	did    map[deed]wire.BlockHash   // the newest block of the chain that did it
	reach  map[wire.BlockHash]uint64 // the height of the highest block of its subtree
	taken  []uint64                  // by lane, from 1: the height up to which it is in use
}

// draw makes the picture of all blocks held, of which the chain ends at head.
func draw(b *chain.Blocks, head wire.BlockHash, title func(wire.Digest) string, settled Settler) map[wire.BlockHash]*Drawn {
	c := &canvas{
		blocks: b, title: title,
		on:    make(map[wire.BlockHash]bool),
		drawn: make(map[wire.BlockHash]*Drawn, b.Len()),
		did:   make(map[deed]wire.BlockHash),
		reach: make(map[wire.BlockHash]uint64, b.Len()),
	}
	line, all := make([]wire.BlockHash, b.Header(head).Height+1), b.All()
	for i := range line {
		line[i] = b.Ancestor(head, uint64(i))
	}
	for _, hash := range line {
		c.on[hash] = true
		for _, op := range b.Header(hash).Ops {
			if d, ok := c.deed(op); ok {
				c.did[d] = hash
			}
		}
	}
	for _, hash := range all {
		c.drawn[hash] = c.block(hash, settled)
	}
	for _, hash := range slices.Backward(all) {
		h := b.Header(hash)
		c.reach[hash] = max(c.reach[hash], h.Height)
		c.reach[h.Parent] = max(c.reach[h.Parent], c.reach[hash])
	}
	c.lanes(line)
	c.splits(line)
	c.twins()
	return c.drawn
}

func (c *canvas) block(hash wire.BlockHash, settled Settler) *Drawn {
	h := c.blocks.Header(hash)
	d := &Drawn{Fate: FateStands}
	if parent := c.blocks.State(h.Parent); parent != nil {
		d.Rank = 1 + slices.Index(parent.Admins(), h.Author.Person)
	}
	if settled != nil {
		d.Voters, d.Round, d.Settled = settled.SettledBy(hash)
	}
	if c.on[hash] {
		return d
	}
	missed, again := 0, 0
	for _, op := range h.Ops {
		at := c.again(h, op)
		d.Again = append(d.Again, at)
		if !quiet(op) {
			missed++
		}
		if at != (wire.BlockHash{}) {
			again++
		}
	}
	if d.Fate = FateUndone; again > 0 && again == missed {
		d.Fate = FateAgain
	}
	return d
}

// quiet reports whether nobody misses the op if it is undone.
func quiet(op chain.Op) bool { return op.Kind() == chain.KindRekey }

// A deed is what an op comes to, so that the same can be found elsewhere: a
// second membership of a person is as good as the first, and a title set anew
// has another commitment.
type deed struct {
	kind   chain.Kind
	person wire.PersonID
	device wire.DeviceID
	role   chain.Role
	info   wire.Digest
	title  string
}

// deed is false for an op that nothing else comes to.
func (c *canvas) deed(op chain.Op) (d deed, ok bool) {
	d.kind = op.Kind()
	switch op := op.(type) {
	case *chain.Add:
		d.person, d.role = op.Person, op.Role
	case *chain.Remove:
		d.person = op.Person
	case *chain.Leave:
		d.person = op.Person
	case *chain.AddDevice:
		d.device = op.Device.ID()
	case *chain.RemoveDevice:
		d.device = op.Device
	case *chain.Carry: // does what a Remove or RemoveDevice did
		if d.kind, d.person = chain.KindRemove, op.Person; (op.Device != wire.DeviceID{}) {
			d.kind, d.person, d.device = chain.KindRemoveDevice, wire.PersonID{}, op.Device
		}
	case *chain.SetRole:
		d.person, d.role = op.Person, op.Role
	case *chain.SetInfo:
		if d.title = c.title(op.Info); d.title == "" {
			d.info = op.Info
		}
	default:
		return d, false
	}
	return d, true
}

// again finds where the chain did what op of a block that lost did, above the
// block from which its branch parts.
func (c *canvas) again(h *chain.Header, op chain.Op) wire.BlockHash {
	d, ok := c.deed(op)
	if at := c.did[d]; ok && at != (wire.BlockHash{}) && c.blocks.Header(at).Height > c.fork(h).Height {
		return at
	}
	return wire.BlockHash{}
}

// fork returns the block of the chain from which the branch of h parts.
func (c *canvas) fork(h *chain.Header) *chain.Header {
	for !c.on[h.Parent] {
		h = c.blocks.Header(h.Parent)
	}
	return c.blocks.Header(h.Parent)
}

// lanes places the branches along the chain, and says why each lost.
func (c *canvas) lanes(line []wire.BlockHash) {
	for _, hash := range line {
		children := c.blocks.Children(hash)
		if len(children) < 2 {
			continue
		}
		losses := c.blocks.Losses(c.next(children))
		for _, child := range children {
			if c.on[child] {
				continue
			}
			c.branch(child, 0)
			loss := losses[child]
			for _, below := range c.subtree(child) {
				c.drawn[below].Loss = &loss
			}
		}
	}
}

// next returns which of the children of a block of the chain is on it.
func (c *canvas) next(children []wire.BlockHash) wire.BlockHash {
	return children[slices.IndexFunc(children, func(hash wire.BlockHash) bool { return c.on[hash] })]
}

// branch draws the branch that begins with hash, in the first lane to the right
// of the one it parts from that is free from its fork to its last block.
func (c *canvas) branch(hash wire.BlockHash, from int) {
	lane := from + 1
	for lane <= len(c.taken) && c.taken[lane-1]+1 >= c.blocks.Header(hash).Height {
		lane++
	}
	for lane > len(c.taken) {
		c.taken = append(c.taken, 0)
	}
	c.taken[lane-1] = c.reach[hash] // before its own branches look for lanes
	for {
		c.drawn[hash].Lane = lane
		next := c.blocks.Children(hash)
		if len(next) == 0 {
			return
		}
		on := c.longest(next)
		for _, child := range next {
			if child != on {
				c.branch(child, lane)
			}
		}
		hash = on
	}
}

// longest returns which of several children has the highest block above it,
// the first of equals: the branch goes on straight there.
func (c *canvas) longest(children []wire.BlockHash) wire.BlockHash {
	return slices.MaxFunc(children, func(a, b wire.BlockHash) int { return cmp.Compare(c.reach[a], c.reach[b]) })
}

// subtree returns a block and all that stand on it, parents first.
func (c *canvas) subtree(hash wire.BlockHash) []wire.BlockHash {
	list := []wire.BlockHash{hash}
	for i := 0; i < len(list); i++ {
		list = append(list, c.blocks.Children(list[i])...)
	}
	return list
}

// splits finds the times in which the group went two ways. Those that overlap
// are one, told at the first.
func (c *canvas) splits(line []wire.BlockHash) {
	var last *Split
	for _, hash := range line {
		children := c.blocks.Children(hash)
		if len(children) < 2 {
			continue
		}
		s := c.split(children)
		if last != nil && s.From <= last.To {
			last.From, last.To = min(last.From, s.From), max(last.To, s.To)
			last.Undone, last.Again = last.Undone+s.Undone, last.Again+s.Again
			continue
		}
		c.drawn[hash].Split, last = &s, &s
	}
}

// split is from the first block after the fork to the last one that lost, or
// to the first that won if that is later.
func (c *canvas) split(children []wire.BlockHash) Split {
	s := Split{From: ^uint64(0)}
	for _, child := range children {
		at := c.blocks.Header(child).CreatedAt
		s.From, s.To = min(s.From, at), max(s.To, at)
		if c.on[child] {
			continue
		}
		for _, below := range c.subtree(child) {
			h := c.blocks.Header(below)
			s.To = max(s.To, h.CreatedAt)
			for i, op := range h.Ops {
				if quiet(op) {
					continue
				}
				s.Undone++
				if c.drawn[below].Again[i] != (wire.BlockHash{}) {
					s.Again++
				}
			}
		}
	}
	return s
}

// maxTwins bounds the blocks named beside one: one proves the lie, and a device may
// sign any number.
const maxTwins = 8

// twins finds blocks that no honest device signs both of: on one parent, or
// with one author_seq.
func (c *canvas) twins() {
	type slot struct {
		device wire.DeviceID
		parent wire.BlockHash
		seq    uint64
	}
	taken := make(map[slot][]wire.BlockHash)
	for _, hash := range c.blocks.All() {
		h := c.blocks.Header(hash)
		for _, s := range []slot{{h.Author.Device, h.Parent, 0}, {device: h.Author.Device, seq: h.AuthorSeq}} {
			for _, other := range taken[s] {
				c.pair(hash, other)
				c.pair(other, hash)
			}
			if len(taken[s]) < maxTwins {
				taken[s] = append(taken[s], hash)
			}
		}
	}
}

func (c *canvas) pair(hash, other wire.BlockHash) {
	if d := c.drawn[hash]; len(d.Twins) < maxTwins && !slices.Contains(d.Twins, other) {
		d.Twins = append(d.Twins, other)
	}
}
