package chain_test

import (
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// stolen is a group with whole bodies, in which ann's first device was stolen:
//
//	G -> P -> A -> R | P -> X -> Y    P: ann's second device comes in
//	                                  A: cat rekeys, R: ben revokes ann's first device
//	                                  X: that lets the third in, Y: which removes ben
func stolen(t testing.TB) (*group, map[string]wire.BlockHash) {
	g := newGroup(t, chain.Policy{}, "zoe", "ann*", "ben*", "cat")
	ann := g.person("ann")
	ann.second(t)
	op, papers := g.addDevice(ann, 1, false)
	g.commit("ann", papers, op)
	at := map[string]wire.BlockHash{"P": g.blocks.Head()}
	on := func(parent, name string, who *person, device int, papers [][]byte, op chain.Op) {
		t.Helper()
		who.seq[device]++
		s := g.blocks.State(at[parent])
		h, _, err := chain.Draft(s, chain.DraftParams{
			Suite: s.Suite(), Parent: at[parent], Group: wire.GroupID(g.blocks.Genesis()),
			Author: who.member(device), AuthorSeq: who.seq[device], Ops: []chain.Op{op},
		})
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(false, papers...)
		seal(h, body, who.keys[device])
		g.take(h, body)
		at[name] = h.Hash()
	}
	thief := *ann
	thief.headers, thief.bodies = slices.Clone(ann.headers), slices.Clone(ann.bodies)
	thief.extendAs(t, 0, [][]byte{ann.knock[2]}, ann.addOwn(2))
	ann.extendAs(t, 1, nil, drop(ann.device(0)))
	gone, goneBy := g.removeDevice(ann, 0)
	in, inBy := g.addDevice(&thief, 2, false)
	ben, _ := g.state().Person(g.person("ben").id)
	on("P", "A", g.person("cat"), 0, nil, &chain.Rekey{})
	on("A", "R", g.person("ben"), 0, goneBy, gone)
	on("P", "X", ann, 0, inBy, in)
	on("X", "Y", ann, 2, nil, &chain.Remove{Person: ben.Person, Instance: ben.Instance})
	return g, at
}

func TestStolenDevice(t *testing.T) {
	g, at := stolen(t)
	if g.blocks.Head() != at["R"] {
		t.Error("a device speaks that a stolen one let in")
	}
	loss := g.blocks.Losses(at["A"])[at["X"]]
	if loss.Why != chain.WhyWeight || loss.By != at["R"] {
		t.Errorf("lost for %d, by %s", loss.Why, loss.By)
	}
}

// An outsider finds the same head, by the proofs in the file.
func TestStolenDeviceInRecord(t *testing.T) {
	g, at := stolen(t)
	for _, named := range []bool{false, true} {
		made := chain.NewRecord(g.blocks)
		if named {
			made.Name(g.blocks, nil)
		}
		r, err := chain.ParseRecord(made.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Verify()
		if err != nil {
			t.Fatal(err)
		}
		if v.Head != at["R"] || len(r.Proofs) != 2 {
			t.Errorf("head %s by %d proofs", v.Head, len(r.Proofs))
		}
	}
	// Without them nothing speaks against the device.
	r := chain.NewRecord(g.blocks)
	r.Proofs = nil
	if v, err := r.Verify(); err != nil || v.Head != at["Y"] {
		t.Errorf("without proofs: %v", err)
	}
}
