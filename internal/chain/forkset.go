package chain

import (
	"slices"

	"kith/internal/wire"
)

// A fork is a block with several children, what each of their subtrees says,
// and the child that was chosen when that was last asked.
type fork struct {
	at    *node
	said  map[*node]*facts
	next  *node
	stale bool
}

// Head returns the block whose state counts, by the function [Head]; zero
// before there is a genesis.
func (b *Blocks) Head() wire.BlockHash {
	if b.genesis == nil {
		return wire.BlockHash{}
	}
	b.settleForks()
	if root := b.by[b.root()]; !root.below(b.head) {
		b.head = root
	}
	b.head = b.head.end()
	return b.head.Hash
}

// HeadFrom returns the block whose state counts among those that descend from
// root; root itself if it is not held.
func (b *Blocks) HeadFrom(root wire.BlockHash) wire.BlockHash {
	n := b.by[root]
	if n == nil {
		return root
	}
	b.settleForks()
	return n.end().Hash
}

// settleForks chooses again at every fork point under which a block has come
// that says something new. If it chose otherwise anywhere, the head is looked for
// from the beginning.
func (b *Blocks) settleForks() {
	for _, f := range b.forks {
		if !f.stale {
			continue
		}
		branches := f.branches()
		next := f.at.children[rules{}.contest(f.at.State, branches).winner()]
		if f.stale = false; next != f.next {
			f.next, b.head = next, b.genesis
		}
	}
}

func (f *fork) branches() []branch {
	list := make([]branch, len(f.at.children))
	for i, c := range f.at.children {
		list[i] = branch{Block: &c.Block, facts: f.said[c]}
	}
	return list
}

// below reports whether n is o or one of its ancestors.
func (n *node) below(o *node) bool {
	return n.State.height <= o.State.height && o.at(n.State.height) == n
}

// end follows what was chosen from n to a block without children.
func (n *node) end() *node {
	for len(n.children) > 0 {
		if n.fork != nil {
			n = n.fork.next
		} else {
			n = n.children[0]
		}
	}
	return n
}

// hear tells the fork points below n, which is new, what it says.
func (b *Blocks) hear(n *node) {
	outdated := len(n.outdated()) > 0
	if outdated { // what n keeps lies on the way to it
		below := make(map[*node]bool)
		n.under(below)
		b.reread(below)
	}
	for _, f := range b.forks {
		if f.at == n || outdated || !f.at.below(n) {
			continue
		}
		c := n.at(f.at.State.height + 1)
		switch {
		case c == n:
			f.said[c] = c.read()
			f.stale = true
		case f.said[c].leaf(&n.Block):
			f.stale = true
		}
	}
	if p := n.parent; p.fork == nil && len(p.children) > 1 {
		old := p.children[0]
		if old == n {
			old = p.children[1]
		}
		b.split(p, old)
	}
}

// split makes p a fork point at which next is chosen until somebody asks.
func (b *Blocks) split(p, next *node) {
	f := &fork{at: p, said: make(map[*node]*facts, len(p.children)), next: next, stale: true}
	for _, c := range p.children {
		f.said[c] = c.read()
	}
	p.fork = f
	b.forks = append(b.forks, f)
}

// Shed drops what [Surplus] says of the set, but for what Keeps holds and what
// that is built on, and returns it. A hash in it may have to be fetched again, when
// somebody has built on it, or named it, or more is settled. In a person's chain
// the recovery key settles, whatever the caller says.
func (b *Blocks) Shed(root wire.BlockHash) (dropped []*Block) {
	if b.genesis != nil && b.genesis.State.ofPerson {
		root = b.root()
	}
	below := make(map[*node]bool)
	for _, hash := range b.surplus(b.by[root]) { // children before parents
		n := b.by[hash]
		if len(n.children) > 0 || b.Keeps != nil && b.Keeps(hash) {
			continue
		}
		delete(b.by, hash)
		b.levels.remove(n)
		n.under(below)
		n.parent.children = slices.DeleteFunc(n.parent.children, func(c *node) bool { return c == n })
		dropped = append(dropped, &n.Block)
	}
	if len(dropped) == 0 {
		return nil
	}
	b.head = b.genesis
	b.reread(below)
	return dropped
}

// PendingAt returns the removals that wait for a Carry on a head, of all forks
// since genesis, also those that are settled; see [Pending].
func (b *Blocks) PendingAt(head wire.BlockHash) []PendingRemoval {
	if b.genesis == nil {
		return nil
	}
	return rules{}.pendingAt(b.genesis.Hash, head, b.list())
}

func (b *Blocks) list() []*Block {
	all := make([]*Block, 0, len(b.by))
	for _, n := range b.by {
		all = append(all, &n.Block)
	}
	return all
}
