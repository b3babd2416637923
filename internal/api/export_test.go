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

// ByPerson tells of a call whether it shows that somebody is there: on the web side,
// and on the socket.
func ByPerson(procedure string) [2]bool {
	return [2]bool{byPerson(sideWeb, procedure), byPerson(sideSocket, procedure)}
}
