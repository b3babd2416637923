package chain

import (
	"maps"
	"slices"

	"kith/internal/wire"
)

// readForks returns what the subtree of every child of a fork point says that is
// root or descends from it: in one walk, since a hostile member can make every block
// a fork point, and to read each by itself would take the square of them.
func readForks(root *node) map[*node]*facts {
	list := root.descent() // parents first
	said := make(map[*node]*facts, len(list))
	all := make(map[*node]*facts)
	for _, n := range slices.Backward(list) {
		f := gather(n, said)
		said[n] = f
		if n != root && len(n.parent.children) > 1 {
			all[n], said[n] = f, f.clone() // gather uses that up
		}
	}
	return all
}

// clone returns a copy that shares nothing which join or leaf changes.
func (f *facts) clone() *facts {
	c := &facts{
		signed: make(map[wire.Member]*deeds, len(f.signed)), revoked: maps.Clone(f.revoked),
		told: maps.Clone(f.told), let: maps.Clone(f.let),
	}
	for by, d := range f.signed {
		c.signed[by] = d.clone()
	}
	if f.keepers != nil {
		c.keepers = maps.Clone(f.keepers)
		for of, by := range c.keepers {
			c.keepers[of] = slices.Clone(by)
		}
	}
	if f.kept != nil {
		c.kept = maps.Clone(f.kept)
		for k, d := range c.kept {
			c.kept[k] = d.clone()
		}
	}
	return c
}

func (d *deeds) clone() *deeds {
	c := *d
	c.strikes = maps.Clone(d.strikes)
	return &c
}

// reread reads again what is said at some fork points, and forgets those that are
// none any more. With two of them at holds the one where they part.
func (b *Blocks) reread(at map[*node]bool) {
	var lowest *node
	for _, f := range b.forks {
		if at[f.at] && (lowest == nil || f.at.State.height < lowest.State.height) {
			lowest = f.at
		}
	}
	if lowest == nil {
		return
	}
	said := readForks(lowest)
	b.forks = slices.DeleteFunc(b.forks, func(f *fork) bool {
		if !at[f.at] {
			return false
		}
		if f.at.fork = nil; len(f.at.children) < 2 {
			return true
		}
		f.at.fork, f.stale = f, true
		clear(f.said)
		for _, c := range f.at.children {
			f.said[c] = said[c]
		}
		if !slices.Contains(f.at.children, f.next) {
			f.next = f.at.children[0]
		}
		return false
	})
}

// under adds n's proper ancestors to a set.
func (n *node) under(set map[*node]bool) {
	for p := n.parent; p != nil && !set[p]; p = p.parent {
		set[p] = true
	}
}
