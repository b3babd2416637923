package sim_test

import (
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// rekeyOf makes a Rekey of by whose leaf has n extensions of a size each.
func rekeyOf(t *testing.T, by *sim.Node, g wire.GroupID, n, size int) []byte {
	c := crafted{by, &chain.Rekey{}, nil, func(core []byte) (*mls.StagedCommit, error) {
		p := mls.CommitParams{AuthenticatedData: core, Signer: by.Self.Device}
		for i := range n {
			p.LeafExtensions = append(p.LeafExtensions, mls.Extension{Type: uint16(0xF100 + i), Data: make([]byte, size)})
		}
		return epochOf(t, by, g).Commit(p)
	}, nil}
	return c.payload(t, by, g)
}

// TestLargeLeafIsRefused: a leaf stays in the tree and in what every newcomer is
// sent, so a member cannot make it large.
func TestLargeLeafIsRefused(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	blocks := machine(ben, g).Blocks().Len()
	for _, c := range []struct{ n, size int }{{10, 1<<20 - 64}, {1, 8 << 10}, {3, 3 << 10}} {
		w.Deliver(cleo, ben, g, rekeyOf(t, cleo, g, c.n, c.size))
		if n := machine(ben, g).Blocks().Len(); n != blocks {
			t.Fatalf("a leaf with %d extensions of %d bytes is taken", c.n, c.size)
		}
	}
	w.Deliver(cleo, ben, g, rekeyOf(t, cleo, g, 1, 4<<10))
	if n := machine(ben, g).Blocks().Len(); n != blocks+1 {
		t.Error("a leaf of 6 KiB is refused")
	}
	w.Run(5000)
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	w.Run(5000)
	if machine(dan, g) == nil {
		t.Error("Dan is not invited")
	}
}

// TestLargeNewcomerIsNotAdded: who brings a key package that others would refuse is
// refused before a block is made of it.
func TestLargeNewcomerIsNotAdded(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	dan := w.Add("Dan")
	kp, _, err := mls.NewKeyPackage(dan.Self.Device, mls.KeyPackageParams{
		Suite: group.NewSuite, Identity: credential(dan), NotBefore: 0, NotAfter: w.Now/1000 + 1000,
		LeafExtensions: []mls.Extension{{Type: 0xF100, Data: make([]byte, 8<<10)}},
	})
	must(t, err)
	n := dan.Newcomer()
	n.KeyPackage = kp.Bytes()
	if err := nodes[0].Do(g, group.Invite{Newcomers: []group.Newcomer{n}}); err == nil {
		t.Error("a key package of more than 8 KiB is taken")
	}
}
