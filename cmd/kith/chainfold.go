package main

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	v1 "kith/proto/kith/v1"
)

// foldRenames puts the last of several renames in a row by one person in place of all
// of them, where nothing else is to be said of any. --json shows each.
func (c *chart) foldRenames(blocks []*v1.Block) (list []*v1.Block) {
	children := make(map[string]int)
	for _, b := range blocks {
		children[b.Parent]++
	}
	for _, b := range blocks {
		last := len(list) - 1
		if last < 0 || !goesOnRenaming(list[last], b) || children[b.Parent] != 1 {
			list = append(list, b)
			continue
		}
		n := max(c.runs[list[last].Hash], 1) + 1
		delete(c.runs, list[last].Hash)
		c.runs[b.Hash] = n
		b = proto.CloneOf(b)
		b.Parent = list[last].Parent
		list[last] = b
	}
	return list
}

// goesOnRenaming reports whether b, after a, is one more of the same.
func goesOnRenaming(a, b *v1.Block) bool {
	return onlyRenames(a) && onlyRenames(b) && a.Hash == b.Parent && a.Author.GetId() == b.Author.GetId() &&
		a.Settled == b.Settled && openLine(a) == openLine(b)
}

func onlyRenames(b *v1.Block) bool {
	return b.OnChain && b.SignatureValid && len(b.Stuck) == 0 && b.Contradiction == "" && b.Split == nil &&
		b.Fate == v1.BlockFate_BLOCK_FATE_STANDS && len(b.Changes) > 0 &&
		!slices.ContainsFunc(b.Changes, func(c *v1.Change) bool { return c.Kind != v1.ChangeKind_CHANGE_KIND_TITLE })
}

// runText says how many blocks the line of one stands for.
func (c *chart) runText(b *v1.Block) string {
	n := c.runs[b.Hash]
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" The last of %d renames in a row, blocks %d to %d.", n, b.Height+1-uint64(n), b.Height)
}
