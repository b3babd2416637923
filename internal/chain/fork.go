package chain

import (
	"bytes"

	"kith/internal/wire"
)

// Head is the fork choice: the block whose state counts, of all valid blocks
// that descend from root. It is a function of the set of blocks alone.
//
//	          ┌ c1 ── · ── ·          One child: take it.
//	root ── P ┤                       More than one: all are in; then
//	          ├ c2 ── ·
//	          │    └ · (lost inside)    strike  admins of P, most senior first:
//	          └ c3                              whoever one of them removed or demoted
//	                                            anywhere in the subtree of a child c
//	                                            loses every other child it signed
//	                                    weigh   the highest class that an unstruck
//	                                            admin of P signed in the subtree
//	                                    rank    the more senior author, then the
//	                                            earlier device, then (one device
//	                                            only) the lower hash
//
// Only admins of P strike and weigh, so accomplices promoted inside a back-dated
// branch have no power. Blocks that do not descend from root are ignored; root
// itself must be among the blocks. docs/spec/chain.md walks through examples.
func Head(root wire.BlockHash, blocks []*Block) wire.BlockHash {
	f := forest{children: make(map[wire.BlockHash][]*Block, len(blocks))}
	seen := make(map[wire.BlockHash]bool, len(blocks))
	var at *Block
	for _, b := range blocks {
		if seen[b.Hash] {
			continue
		}
		seen[b.Hash] = true
		if b.Hash == root {
			at = b
		} else {
			f.children[b.Header.Parent] = append(f.children[b.Header.Parent], b)
		}
	}
	if at == nil {
		return root
	}
	for {
		switch next := f.children[at.Hash]; len(next) {
		case 0:
			return at.Hash
		case 1:
			at = next[0]
		default:
			at = f.choose(at.State, next)
		}
	}
}

type forest struct{ children map[wire.BlockHash][]*Block }

// A branch is one child of the fork point with what its subtree says.
type branch struct {
	*Block
	in      bool
	strikes map[wire.PersonID][]wire.PersonID // by whom: whom it removed or demoted
	best    map[wire.PersonID]Class           // by whom: the highest class it signed
	weight  Class
}

// choose picks one of the children of the block after which p holds.
func (f forest) choose(p *State, children []*Block) *Block {
	branches := make([]*branch, len(children))
	for i, c := range children {
		branches[i] = f.branch(c)
	}
	admins := p.Admins()
	struck := strike(admins, branches)
	var won *branch
	for i, c := range branches {
		if !c.in {
			continue
		}
		for _, a := range admins {
			if !struck.elsewhere(a, i) {
				c.weight = max(c.weight, c.best[a])
			}
		}
		if won == nil || c.beats(won, p) {
			won = c
		}
	}
	return won.Block
}

// branch reads the subtree of c, inner losing forks included.
func (f forest) branch(c *Block) *branch {
	b := &branch{
		Block: c, in: true,
		strikes: make(map[wire.PersonID][]wire.PersonID),
		best:    make(map[wire.PersonID]Class),
	}
	for todo := []*Block{c}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], f.children[at.Hash]...)
		by := at.Header.Author.Person
		b.best[by] = max(b.best[by], at.Header.Class)
		for _, op := range at.Header.Ops {
			if target, ok := strikes(op); ok && target != by {
				b.strikes[by] = append(b.strikes[by], target)
			}
		}
	}
	return b
}

// strikes returns whom op removes or demotes.
func strikes(op Op) (wire.PersonID, bool) {
	switch op := op.(type) {
	case *Remove:
		return op.Person, true
	case *SetRole:
		return op.Person, op.Role == RoleMember
	}
	return wire.PersonID{}, false
}

// marks says from which branches, by index, a person was struck.
type marks map[wire.PersonID]map[int]bool

// elsewhere reports whether person was struck from a branch other than i.
func (m marks) elsewhere(person wire.PersonID, i int) bool {
	n := len(m[person])
	return n > 1 || n == 1 && !m[person][i]
}

func (m marks) add(person wire.PersonID, i int) {
	if m[person] == nil {
		m[person] = make(map[int]bool)
	}
	m[person][i] = true
}

// strike takes branches out, admin by admin. An admin whose strikes would take
// out every branch that is left contradicts itself: none of them counts.
func strike(admins []wire.PersonID, branches []*branch) marks {
	struck := make(marks)
	left := len(branches)
	for _, a := range admins {
		targets := make(marks)
		dropped := make(map[int]bool)
		for i, c := range branches {
			if !c.in || struck.elsewhere(a, i) {
				continue
			}
			for _, u := range c.strikes[a] {
				targets.add(u, i)
				for j, other := range branches {
					if j != i && other.in && other.Header.Author.Person == u {
						dropped[j] = true
					}
				}
			}
		}
		if len(dropped) == left {
			continue
		}
		left -= len(dropped)
		for j := range dropped {
			branches[j].in = false
		}
		for u, from := range targets {
			for i := range from {
				struck.add(u, i)
			}
		}
	}
	return struck
}

// beats orders the branches that are left.
func (b *branch) beats(o *branch, p *State) bool {
	if b.weight != o.weight {
		return b.weight > o.weight
	}
	if d := p.senior(b.Header.Author, o.Header.Author); d != 0 {
		return d < 0
	}
	return bytes.Compare(b.Hash[:], o.Hash[:]) < 0 // two blocks of one device
}
