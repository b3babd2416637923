package group_test

import (
	"fmt"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// logOf returns the log of a node as it is stored there.
func logOf(t *testing.T, n *sim.Node, g wire.GroupID) []group.Packed {
	t.Helper()
	log := make([]group.Packed, machineOf(n, g).Frontier()[n.Self.Device.ID()].Seq)
	for key, header := range n.Groups[g].Records[group.KindEntry] {
		h, err := dag.ParseHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if h.Device == n.Self.Device.ID() {
			log[h.Seq-1] = group.Packed{Header: header, Ciphertext: n.Groups[g].Records[group.KindCipher][key]}
		}
	}
	return log
}

// TestManyFlood: what is dropped of a flood costs the same whether one device floods or more of
// them than there is kept what was acknowledged of.
func TestManyFlood(t *testing.T) {
	const devices, most = 18, 4
	w := sim.New(1)
	ann := w.Add("Ann")
	var newcomers []group.Newcomer
	for i := range devices + 1 {
		newcomers = append(newcomers, w.Add(fmt.Sprint("N", i)).Newcomer())
	}
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: newcomers})
	w.Run(1000)
	for _, n := range w.Nodes[1:] {
		if err := n.Do(g, group.Accept{}); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(5000)
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[:i] {
			w.Cut(a, b)
		}
	}
	ben, flooders := w.Nodes[1], w.Nodes[2:]
	for _, n := range flooders {
		for i := range most + 1 {
			if err := n.Say(g, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Heal(ann, ben)
	if err := machineOf(ann, g).Commit(w.Now, &chain.SetPolicy{Policy: &chain.Policy{MaxEntries: most}}); err != nil {
		t.Fatal(err)
	}
	do(t, w, ann, g, says(t, "few"))
	m := machineOf(ben, g)
	if m.Picked() != machineOf(ann, g).Picked() {
		t.Fatal("Ben has not heard of the limit")
	}
	give := func(e group.Packed) group.Effects {
		eff, err := m.Step(group.Input{Now: w.Now, Cause: group.Received{From: ann.Self.Member(), Payload: group.Batches([]group.Packed{e})[0]}})
		if err != nil {
			t.Fatal(err)
		}
		return eff
	}
	var more []group.Packed // of each the first that is too much
	for _, n := range flooders {
		log := logOf(t, n, g)
		for _, e := range log[:most] {
			give(e)
		}
		more = append(more, log[most])
		if seq := m.Frontier()[n.Self.Device.ID()].Seq; seq != most {
			t.Fatalf("of %s Ben has %d", n.Name, seq)
		}
	}
	for _, e := range more {
		give(e)
	}
	of := func(list func(i int) group.Packed) float64 {
		return testing.AllocsPerRun(5, func() {
			for i := range devices {
				give(list(i))
			}
		})
	}
	one, all := of(func(int) group.Packed { return more[0] }), of(func(i int) group.Packed { return more[i] })
	t.Logf("%.0f allocations for %d entries of one device, %.0f of as many", one, devices, all)
	if all > one*11/10 {
		t.Error("a flood of many devices costs more")
	}
	for _, n := range flooders {
		if seq := m.Frontier()[n.Self.Device.ID()].Seq; seq != most {
			t.Errorf("of %s Ben has %d", n.Name, seq)
		}
	}
	w.Run(5000) // Ben's own Ack covers what is here
	for i, n := range flooders {
		if give(more[i]); m.Frontier()[n.Self.Device.ID()].Seq != most+1 {
			t.Errorf("of %s nothing is taken any more", n.Name)
		}
	}
}
