package chain_test

import (
	"fmt"
	"slices"

	"kith/internal/chain"
	"kith/internal/wire"
)

// naivePending returns "block person" of each removal that is pending.
func naivePending(root wire.BlockHash, blocks []*chain.Block) (list []string) {
	n := naive{blocks}
	head := n.find(naiveHead(root, blocks))
	for p := n.find(root); p != head; {
		o := n.choose(p, n.children(p))
		for _, c := range n.children(p) {
			if c == o.winner {
				continue
			}
			for _, b := range n.subtree(c) {
				a := b.Header.Author.Person
				if !p.State.IsAdmin(a) || o.elsewhere(a, c) || !n.ruled(p, head, a) || o.void(b) {
					continue
				}
				for _, op := range b.Header.Ops {
					op, ok := op.(*chain.Remove)
					if !ok {
						continue
					}
					now, _ := head.State.Person(op.Person)
					before, known := p.State.Person(op.Person)
					begun := (!known || before.Instance != op.Instance) && !n.ended(p, head, op.Person)
					if slices.ContainsFunc(head.State.Members(), func(m chain.Member) bool { return m.Person == op.Person }) &&
						(now.Instance == op.Instance || begun) {
						list = append(list, fmt.Sprint(b.Hash, op.Person))
					}
				}
			}
		}
		p = o.winner
	}
	slices.Sort(list)
	return list
}

// ruled reports whether a person, who is an admin at p, lost the role nowhere on
// the way to b.
func (n naive) ruled(p, b *chain.Block, person wire.PersonID) bool {
	if n.ended(p, b, person) {
		return false
	}
	for ; b != p; b = n.find(b.Header.Parent) {
		for _, op := range b.Header.Ops {
			if op, ok := op.(*chain.SetRole); ok && op.Person == person && op.Role == chain.RoleMember {
				return false
			}
		}
	}
	return true
}

// ended reports whether a membership of a person ended above p, on the way to b.
func (n naive) ended(p, b *chain.Block, person wire.PersonID) bool {
	for ; b != p; b = n.find(b.Header.Parent) {
		for _, op := range b.Header.Ops {
			switch op := op.(type) {
			case *chain.Remove:
				if op.Person == person {
					return true
				}
			case *chain.Carry:
				if op.Person == person && op.Device == (wire.DeviceID{}) {
					return true
				}
			}
		}
	}
	return false
}
