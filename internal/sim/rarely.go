package sim

import (
	"testing"
	"testing/cryptotest"
)

// seldom is after how many steps the invariants are looked at in a run that looks
// rarely; a machine is loaded again after fifty times as many, beside where it starts.
const seldom = 16

// looked reports whether a node is one that the dear oracles look at when all is at rest: in
// a run that looks rarely, one of them by the seed.
func (r *run) looked(n *Node) bool {
	return !r.rarely || n.index == r.count%len(r.Nodes)
}

// acquaintances are the people of all runs that look rarely: who they are decides nothing in
// a schedule, and their chains, phrases and keys are a tenth of its cost.
var acquaintances []person

// known returns so many of them, the same whichever runs were played before.
func known(t *testing.T, most int) []person {
	if len(acquaintances) < most {
		cryptotest.SetGlobalRandom(t, 1<<63) // no seed of a run: it would make the same keys again
		acquaintances = acquaintances[:0]
		for i := range most {
			acquaintances = append(acquaintances, newPerson(called(i), Start))
		}
	}
	return acquaintances[:most]
}
