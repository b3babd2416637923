package chain

import "kith/internal/wire"

// Head is the fork choice: the block whose state counts, of all valid blocks
// that descend from root. It is a function of the set of blocks alone.
//
//	          ┌ c1 ── · ── ·          One child: take it.
//	root ── P ┤                       More than one: all are in; then
//	          ├ c2 ── ·
//	          │    └ · (lost inside)    void    what a device signed that any of the
//	          └ c3                              subtrees revokes, or that came in by one
//	                                            revoked, unless another device of its
//	                                            person built on it knowing that
//	                                    strike  admins of P, most senior first:
//	                                            whoever one of them removed or demoted
//	                                            anywhere in the subtree of a child c
//	                                            loses every other child it signed;
//	                                            whom a removal carried over takes out
//	                                            is not heard where it stays
//	                                    weigh   the highest class that an unstruck
//	                                            admin of P signed in the subtree
//	                                    rank    what is not void, then the more senior
//	                                            author, then the earlier device, then
//	                                            (one device only) the lower hash
//
// Only admins of P strike and weigh, so accomplices promoted inside a back-dated
// branch have no power. Blocks that do not descend from root are ignored; root
// itself must be among the blocks. docs/spec/chain.md walks through examples.
//
// [Blocks.Head] says the same of a set that grows, at a fraction of the cost.
func Head(root wire.BlockHash, blocks []*Block) wire.BlockHash {
	return rules{}.head(root, blocks)
}

// rules switches single rules of the fork choice off, so that a test can show
// what each of them is for. The zero value has all of them.
type rules struct {
	noStrike      bool // removals and demotions drop nothing
	noDemotion    bool // a demotion does not strike
	noCarry       bool // a removal that was carried over changes nothing there
	carryDrops    bool // it drops children as if it stood there by itself
	carriedOnly   bool // only Carry lets what a person signed beside its removal count
	absentRanks   bool // who was removed by a Carry elsewhere ranks as before
	noWeight      bool // only rank decides
	noRank        bool // the lower hash decides between authors
	noDeviceRank  bool // and between the devices of one person
	anyStriker    bool // who is no admin of the fork point strikes too
	anyWeigher    bool // and weighs
	noInnerForks  bool // what lost inside a subtree does not count
	juniorFirst   bool // the most junior admin strikes first
	struckStrikes bool // who was struck from elsewhere strikes on
	struckWeighs  bool // and weighs on
	ownChildToo   bool // a strike from c drops c as well if the struck signed it
	noSelfDefeat  bool // an admin contradicts itself only if it would drop every child
	droppedSpeaks bool // what is signed under a dropped child strikes on
	voidCounts    bool // revoked devices strike and weigh on
	voidRanks     bool // and rank as if they were not revoked
	noKeeping     bool // nobody can keep what a revoked device signed
	keptByRevoked bool // a revoked device can
	noDoubt       bool // what revokes a device says nothing of those that came after
	doubtNew      bool // it says that none of them counts
	noShown       bool // not even that it knows them
	noPassing     bool // a device let in later is as one that it does not know
	noRecovery    bool // and so is one that the recovery key let in
	anyTold       bool // one revocation speaks for a device against all others
	noBreak       bool // who lost the role and has it again carries on from before
	allPass       bool // one who lets a device in speaks against all others
}

// head is Head from scratch: from the leaves down to the root, every fork point
// chooses by what its subtrees say, then hands that on to its parent.
func (r rules) head(root wire.BlockHash, blocks []*Block) wire.BlockHash {
	nodes := plant(root, blocks)
	if nodes == nil {
		return root
	}
	said := make(map[*node]*facts, len(nodes))
	next := make(map[*node]*node)
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if len(n.children) > 1 {
			branches := make([]branch, len(n.children))
			for j, c := range n.children {
				branches[j] = branch{Block: &c.Block, facts: said[c]}
			}
			next[n] = n.children[r.contest(n.State, branches).winner()]
			if r.noInnerForks {
				said[n] = said[next[n]].under(&n.Block)
				continue
			}
		}
		said[n] = gather(n, said)
	}
	at := nodes[0]
	for len(at.children) > 0 {
		if next[at] != nil {
			at = next[at]
		} else {
			at = at.children[0]
		}
	}
	return at.Hash
}

// plant returns the tree of those blocks that descend from root, root first and
// parents before children; nil if root is not among them.
func plant(root wire.BlockHash, blocks []*Block) []*node {
	by := make(map[wire.BlockHash]*node, len(blocks))
	below := make(map[wire.BlockHash][]*node, len(blocks))
	for _, b := range blocks {
		if by[b.Hash] == nil {
			n := &node{Block: *b}
			by[b.Hash] = n
			below[b.Header.Parent] = append(below[b.Header.Parent], n)
		}
	}
	if by[root] == nil {
		return nil
	}
	nodes := append(make([]*node, 0, len(blocks)), by[root])
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		n.children = below[n.Hash]
		for _, c := range n.children {
			c.parent = n
		}
		nodes = append(nodes, n.children...)
	}
	return nodes
}

// descent returns n and what descends from it, parents before children.
func (n *node) descent() []*node {
	list := []*node{n}
	for i := 0; i < len(list); i++ {
		list = append(list, list[i].children...)
	}
	return list
}
