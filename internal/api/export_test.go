package api

import (
	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

// Blocks is the answer of ListBlocks for these blocks.
func Blocks(list []node.Block) []*v1.Block { return blocksOf(list) }

// PersonOf is a person as the interface shows them.
var PersonOf = personOf

// What is made of what is settled in a group, and of what happened there.
var (
	SettlementOf = settlementOf
	IncidentOf   = incidentOf
	NoticeOf     = noticeOf

	ClockSentence = clockSentence
)
