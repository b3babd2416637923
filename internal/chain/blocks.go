package chain

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// A Block is a valid block and the state after it; not to be changed.
type Block struct {
	Hash   wire.BlockHash
	Header *Header
	Body   *Body
	State  *State

	said  []word   // what words returns, once the block is in a set
	shown []citing // likewise citings
}

// Blocks is the set of valid blocks of one chain that are held here. It is
// not safe for use by several goroutines at once.
type Blocks struct {
	// Keeps, if set, reports whether a block is needed that could be dropped for
	// space: something that is held names it. See [Blocks.Shed].
	Keeps func(wire.BlockHash) bool

	by      map[wire.BlockHash]*node
	genesis *node
	head    *node   // the head when last asked, or where to look for it
	forks   []*fork // blocks with more than one child
	levels  levels
}

// A node is a block in the tree. jump is some ancestor, such that following
// jumps and parents reaches any height in O(log n) steps.
type node struct {
	Block
	parent, jump *node
	children     []*node // by hash
	fork         *fork   // nil unless there are several children
	era          *node   // the start of the era of its state, once asked for
}

// NewBlocks returns an empty set; the first block it takes is the genesis.
func NewBlocks() *Blocks {
	return &Blocks{by: make(map[wire.BlockHash]*node), levels: levels{crowded: make(map[uint64]bool)}}
}

// Check returns the state after a block if it is valid by all that is publicly
// checkable without MLS. It adds nothing. A [MissingError] asks for the parent
// first; a [RejectError] is for ever; [ErrNewer] may change with the program.
func (b *Blocks) Check(h *Header, body *Body) (*State, error) {
	return b.check(h, func(at *node, h *Header) error { return checkBody(at, h, body) })
}

func (b *Blocks) check(h *Header, rest func(at *node, h *Header) error) (*State, error) {
	h, err := canonical(h)
	if err != nil {
		return nil, err
	}
	if n := b.by[h.Hash()]; n != nil {
		return n.State, nil
	}
	at, err := b.parentOf(h)
	if err != nil {
		return nil, err
	}
	s, err := checkHeader(at.state(), h)
	if err != nil {
		return nil, err
	}
	if err := rest(at, h); err != nil {
		return nil, err
	}
	return s, nil
}

// parentOf returns the block before h, nil for the genesis of an empty set.
func (b *Blocks) parentOf(h *Header) (*node, error) {
	switch {
	case b.genesis == nil && h.IsGenesis():
		return nil, nil
	case b.genesis == nil:
		return nil, &MissingError{h.Parent}
	case h.Group != wire.GroupID(b.genesis.Hash):
		return nil, &RejectError{"V1", ReasonOther, h.Height}
	}
	n := b.by[h.Parent]
	if n == nil {
		return nil, &MissingError{h.Parent}
	}
	return n, nil
}

// block returns the block of n, nil of none.
func (n *node) block() *Block {
	if n == nil {
		return nil
	}
	return &n.Block
}

// state returns the state after n; nil is what stands before genesis.
func (n *node) state() *State {
	if n == nil {
		return nil
	}
	return n.State
}

// Add takes in a block that Check and the MLS rules found valid; s is the state
// that Check returned. A block held already changes nothing.
func (b *Blocks) Add(h *Header, body *Body, s *State) error {
	hash := h.Hash()
	if b.by[hash] != nil {
		return nil
	}
	if _, err := b.parentOf(h); err != nil {
		return err
	}
	if s == nil || s.height != h.Height || s.root != h.StateRoot {
		return &RejectError{"V5", ReasonStateRoot, h.Height}
	}
	b.insert(&node{Block: Block{Hash: hash, Header: h, Body: body, State: s}})
	return nil
}

// insert puts n where its header says.
func (b *Blocks) insert(n *node) {
	b.by[n.Hash] = n
	b.levels.add(n)
	n.shown, n.said = n.citings(), n.words()
	if b.genesis == nil {
		n.jump = n
		b.genesis, b.head = n, n
		return
	}
	n.parent = b.by[n.Header.Parent]
	n.jump = n.parent.skip()
	at, _ := slices.BinarySearchFunc(n.parent.children, n.Hash, func(c *node, hash wire.BlockHash) int {
		return bytes.Compare(c.Hash[:], hash[:])
	})
	n.parent.children = slices.Insert(n.parent.children, at, n)
	b.hear(n)
}

// skip returns where a child of n jumps to: over two jumps of equal length, or
// to n.
func (n *node) skip() *node {
	j := n.jump
	if n.State.height-j.State.height == j.State.height-j.jump.State.height {
		return j.jump
	}
	return n
}

// Has reports whether the block is held.
func (b *Blocks) Has(hash wire.BlockHash) bool { return b.by[hash] != nil }

// Header returns the header of a block held, or nil.
func (b *Blocks) Header(hash wire.BlockHash) *Header {
	if n := b.by[hash]; n != nil {
		return n.Header
	}
	return nil
}

// Body returns the body of a block held, or nil.
func (b *Blocks) Body(hash wire.BlockHash) *Body {
	if n := b.by[hash]; n != nil {
		return n.Body
	}
	return nil
}

// State returns the state after a block held, or nil.
func (b *Blocks) State(hash wire.BlockHash) *State {
	if n := b.by[hash]; n != nil {
		return n.State
	}
	return nil
}

// Genesis returns the hash of the genesis block, which is the id of the chain;
// zero before there is one.
func (b *Blocks) Genesis() wire.BlockHash {
	if b.genesis == nil {
		return wire.BlockHash{}
	}
	return b.genesis.Hash
}

// Len returns how many blocks are held.
func (b *Blocks) Len() int { return len(b.by) }

// Weight returns how many bytes a block keeps that grow with the group: the list of
// everybody ever admitted, which a block that changes no member shares with its parent.
func (b *Blocks) Weight(hash wire.BlockHash) int {
	n := b.by[hash]
	if n == nil || n.parent != nil && &n.State.records[0] == &n.parent.State.records[0] {
		return 0
	}
	return 8 * cap(n.State.records) // a pointer each
}

// Chain returns the blocks from genesis to the head.
func (b *Blocks) Chain() []wire.BlockHash {
	var chain []wire.BlockHash
	for n := b.by[b.Head()]; n != nil; n = n.parent {
		chain = append(chain, n.Hash)
	}
	slices.Reverse(chain)
	return chain
}

// Tips returns the blocks without a child, sorted.
func (b *Blocks) Tips() []wire.BlockHash {
	var tips []wire.BlockHash
	for hash, n := range b.by {
		if len(n.children) == 0 {
			tips = append(tips, hash)
		}
	}
	slices.SortFunc(tips, compareHashes)
	return tips
}

// Children returns the children of a block, sorted.
func (b *Blocks) Children(hash wire.BlockHash) []wire.BlockHash {
	n := b.by[hash]
	if n == nil {
		return nil
	}
	list := make([]wire.BlockHash, len(n.children))
	for i, c := range n.children {
		list[i] = c.Hash
	}
	return list
}

// All returns every block, by height and then hash: parents before children.
func (b *Blocks) All() []wire.BlockHash {
	all := make([]wire.BlockHash, 0, len(b.by))
	for _, level := range b.levels.at {
		for _, n := range level {
			all = append(all, n.Hash)
		}
	}
	return all
}

func inOrder(nodes []*node) []wire.BlockHash {
	slices.SortFunc(nodes, func(a, b *node) int {
		if a.State.height != b.State.height {
			if a.State.height < b.State.height {
				return -1
			}
			return 1
		}
		return compareHashes(a.Hash, b.Hash)
	})
	hashes := make([]wire.BlockHash, len(nodes))
	for i, n := range nodes {
		hashes[i] = n.Hash
	}
	return hashes
}

func compareHashes(a, b wire.BlockHash) int { return bytes.Compare(a[:], b[:]) }

// IsAncestor reports whether older is newer or one of its ancestors; false if
// either is not held.
func (b *Blocks) IsAncestor(older, newer wire.BlockHash) bool {
	o, n := b.by[older], b.by[newer]
	return o != nil && n != nil && o.below(n)
}

// Ancestor returns the ancestor of a block at height, or the block itself; zero
// if it is not held or lower.
func (b *Blocks) Ancestor(hash wire.BlockHash, height uint64) wire.BlockHash {
	n := b.by[hash]
	if n == nil || n.State.height < height {
		return wire.BlockHash{}
	}
	return n.at(height).Hash
}

// at returns the ancestor of n at height, which is not above its own.
func (n *node) at(height uint64) *node {
	for n.State.height > height {
		if n.jump.State.height >= height {
			n = n.jump
		} else {
			n = n.parent
		}
	}
	return n
}
