package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/wire"
)

const kindVotes = 14 // docs/spec/sync.md

// TestVotesBeforeTheirBlock: Ben is answered with votes for a block that he does not have yet. Once it is
// here he asks for them again: nobody else would give them a second time.
func TestVotesBeforeTheirBlock(t *testing.T) {
	w, nodes, g := voting(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	part(w, ben)
	must(t, ann.Do(g, group.SetTitle{Title: "Journey"}))
	w.Run(10 * minute)
	if machine(ann, g).Settled() != machine(ann, g).Head() || machine(ben, g).Settled() == machine(ann, g).Head() {
		t.Fatal("the title is not settled without Ben, so the test shows nothing")
	}
	// sent gives a machine a payload and returns what it then sends of a kind.
	sent := func(to, from int, payload []byte, kind byte) (list [][]byte) {
		t.Helper()
		eff, err := machine(nodes[to], g).Step(group.Input{Now: w.Now, Cause: group.Received{From: nodes[from].Self.Member(), Payload: payload}})
		must(t, err)
		for _, f := range eff.Send {
			if f.Payload[0] == kind {
				list = append(list, f.Payload)
			}
		}
		return list
	}
	for i := range nodes[:2] {
		_, err := machine(nodes[i], g).Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: nodes[1-i].Self.Member()}})
		must(t, err)
	}
	held := func(settled wire.BlockHash) []byte {
		var b wire.Writer
		b.U8(kindVotes)
		b.U8(0)
		b.Raw(settled[:])
		b.Raw(make([]byte, 32))
		return b.Bytes()
	}
	for i := range 3 {
		asks := sent(1, 0, held(machine(ann, g).Settled()), kindVotes)
		if len(asks) != 1 {
			t.Fatalf("Ben asks %d times for votes that he could not take, at %d", len(asks), i)
		}
		answers := sent(0, 1, asks[0], kindVotes)
		for _, b := range answers {
			sent(1, 0, b, kindVotes)
		}
		if len(answers) == 0 || machine(ben, g).Settled() == machine(ann, g).Head() {
			t.Fatal("Ben is given no votes for a block that he has not")
		}
		w.Now += minute // each is answered now and then
	}
}
