package chain

import (
	"cmp"
	"slices"

	"kith/internal/wire"
)

// MaxUnsettled is how far the head may be beyond the settled block before honest
// devices sign no more than removals there, so that voters catch up first.
const MaxUnsettled = 16

// Restrained reports whether an honest device signs only what is [Pressing] on
// the head, as long as voters can be reached.
func Restrained(settled, head *State) bool { return head.height >= settled.height+MaxUnsettled }

// Pressing reports whether ops do not wait for settlement: removals and Carry.
func Pressing(ops []Op) bool {
	return len(ops) > 0 && (computedClass(ops) == ClassRemoval ||
		!slices.ContainsFunc(ops, func(op Op) bool { return op.Kind() != KindCarry }))
}

// A PendingRemoval is a removal that lost, with the membership at the head that
// it still ends once somebody carries it over.
type PendingRemoval struct {
	Block    wire.BlockHash // that holds the Remove
	Author   wire.PersonID
	Person   wire.PersonID
	Instance wire.Instance
}

// Pending returns the removals that lost at a fork point between root and the
// head and hold nevertheless: the author was an admin of the fork point and ever
// since up to the head, and was struck there from no other branch; the target's
// membership is the one at the head, or one that only the losing branch began. Until they are
// carried over, nobody writes under the head. Sorted by height and hash; one
// membership may stand in it several times.
func Pending(root wire.BlockHash, blocks []*Block) []PendingRemoval {
	return rules{}.pending(root, blocks)
}

func (r rules) pending(root wire.BlockHash, blocks []*Block) []PendingRemoval {
	return r.pendingAt(root, r.head(root, blocks), blocks)
}

// pendingAt is pending at a head that other reasons than fork choice from root may
// have made it: what is settled excludes branches, but takes back no removal.
func (r rules) pendingAt(root, at wire.BlockHash, blocks []*Block) []PendingRemoval {
	nodes := plant(root, blocks)
	by := make(map[wire.BlockHash]*node, len(nodes))
	for _, n := range nodes {
		by[n.Hash] = n
	}
	head := by[at]
	if head == nil {
		return nil
	}
	var lost []*node
	pending := make(map[wire.BlockHash][]PendingRemoval)
	said := readForks(by[root])
	for n := head; n.Hash != root; n = n.parent {
		if len(n.parent.children) > 1 {
			lost = append(lost, r.lost(n, head, said, pending)...)
		}
	}
	slices.SortFunc(lost, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.State.height, b.State.height), compareHashes(a.Hash, b.Hash))
	})
	var list []PendingRemoval
	for _, n := range lost {
		list = append(list, pending[n.Hash]...)
	}
	return list
}

// lost adds what is pending of the branches that lost against next, and returns
// the blocks that hold it.
func (r rules) lost(next, head *node, said map[*node]*facts, into map[wire.BlockHash][]PendingRemoval) (blocks []*node) {
	n := next.parent
	branches := make([]branch, len(n.children))
	for i, c := range n.children {
		branches[i] = branch{Block: &c.Block, facts: said[c]}
	}
	contest := r.contest(n.State, branches)
	for i, c := range n.children {
		if c == next {
			continue
		}
		for _, lost := range c.descent() {
			if into[lost.Hash] = contest.pendingOf(i, lost, n, head); into[lost.Hash] != nil {
				blocks = append(blocks, lost)
			}
		}
	}
	return blocks
}

// pendingOf returns what is pending of one block of branch i, which lost at p,
// that lies below the head.
func (c *contest) pendingOf(i int, lost, p, head *node) (list []PendingRemoval) {
	a := lost.Header.Author
	if lost.Header.Class != ClassRemoval || c.silent(a.Person, i) || !c.at.IsAdmin(a.Person) || !head.State.IsAdmin(a.Person) {
		return nil
	}
	if !head.adminSince(p, a.Person) && !c.noBreak || c.mute(a) && !c.keeps(lost.read(), a) {
		return nil
	}
	for _, op := range lost.Header.Ops {
		op, ok := op.(*Remove)
		if !ok {
			continue
		}
		before, _ := c.at.Person(op.Person)
		now, member := head.State.Person(op.Person)
		if !member || now.Status == StatusRemoved {
			continue
		}
		if now.Instance == op.Instance || before.Instance != op.Instance && !head.parted(p, op.Person) {
			list = append(list, PendingRemoval{lost.Hash, a.Person, op.Person, now.Instance})
		}
	}
	return list
}
