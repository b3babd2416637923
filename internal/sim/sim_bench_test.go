package sim_test

import (
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// rested is a group of four who have told each other everything.
func rested(b *testing.B) (*sim.World, []*sim.Node, wire.GroupID) {
	w, nodes, g := voting(b, "Ann", "Ben", "Cleo", "Dan")
	must(b, nodes[0].Say(g, "hello"))
	w.Run(60 * minute)
	return w, nodes, g
}

// BenchmarkDuplicate is a step that brings what is here: an entry, pushed again.
func BenchmarkDuplicate(b *testing.B) {
	w, nodes, g := rested(b)
	m := machine(nodes[1], g)
	var payload []byte
	for _, p := range w.History {
		if p.From == nodes[0] && p.To == nodes[1] && p.Bytes[0] == kindEntries {
			payload = p.Bytes
		}
	}
	in := group.Input{Now: w.Now, Cause: group.Received{From: nodes[0].Self.Member(), Payload: payload}}
	for b.Loop() {
		if _, err := m.Step(in); err != nil {
			b.Fatal(err)
		}
	}
}
