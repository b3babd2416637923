package group_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// TestFalseStatementsAreLimited: of who brings Leaves, Nacks or evidence that nobody signed without end the next are
// passed over, also a good one, until a while later.
func TestFalseStatementsAreLimited(t *testing.T) {
	const burst, every = 32, 2000 // docs/spec/sync.md
	for what, c := range map[string]struct {
		make func(w *sim.World, g wire.GroupID, who, at *sim.Node) (good, lie []byte)
		kind group.Kind
	}{
		"Leaves": {
			func(_ *sim.World, g wire.GroupID, who, at *sim.Node) (good, lie []byte) {
				m := machineOf(at, g)
				p, _ := m.Blocks().State(m.Head()).Person(who.Self.Person)
				s := chain.SignLeave(who.Self.Device.Sign, g, who.Self.Member(), p.Instance, wire.PersonID{})
				good = group.Leaves(s.Marshal())
				s.Signature[0]++
				return good, group.Leaves(s.Marshal())
			},
			group.KindLeave,
		},
		"Nacks": {
			func(_ *sim.World, g wire.GroupID, who, at *sim.Node) (good, lie []byte) {
				n := chain.SignNack(who.Self.Device.Sign, g, who.Self.Device.ID(), machineOf(at, g).Head(), chain.NackPath)
				good = group.Nacks(n.Marshal())
				n.Signature[0]++
				return good, group.Nacks(n.Marshal())
			},
			group.KindNack,
		},
		"evidence": {
			func(_ *sim.World, g wire.GroupID, who, at *sim.Node) (good, lie []byte) {
				h := dag.Header{Version: dag.Version, SigAlg: wire.SigEd25519, Group: g, Device: who.Self.Device.ID(), Seq: 1, Lamport: 1, Block: machineOf(at, g).Head()}
				twin := h
				twin.ContentID[0]++
				h.Sign(who.Self.Device.Sign)
				twin.Sign(who.Self.Device.Sign)
				good = group.TwoEntries(h.Bytes(), twin.Bytes())
				twin.Signature[0]++
				return good, group.TwoEntries(h.Bytes(), twin.Bytes())
			},
			group.KindEvidence,
		},
	} {
		t.Run(what, func(t *testing.T) {
			w, g, nodes := fourInLine(t)
			ann, ben, dan := nodes[0], nodes[1], nodes[3]
			do(t, w, ann, g, group.SetTitle{Title: "Journey"})
			w.Run(5000)
			taken := func() bool { return len(ann.Groups[g].Records[c.kind]) > 0 }
			good, lie := c.make(w, g, dan, ann)
			for range 2 * burst {
				w.Deliver(ben, ann, g, lie)
			}
			if w.Deliver(ben, ann, g, good); taken() {
				t.Error("one is looked at after many false ones")
			}
			w.Run(every)
			if w.Deliver(ben, ann, g, good); !taken() {
				t.Error("none is looked at any more")
			}
		})
	}
}
