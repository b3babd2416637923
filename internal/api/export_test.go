package api

import (
	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

// Blocks is the answer of ListBlocks for these blocks.
func Blocks(list []node.Block) []*v1.Block { return blocksOf(list) }
