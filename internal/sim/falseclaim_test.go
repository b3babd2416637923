package sim_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
)

// TestFalseClaimPassedOn: Cleo gives Ann an entry whose claims are false, and keeps from her
// the one before it, by which that shows. Ben, who has that one, refuses what Ann passes
// on in good faith, and does not accuse her; Cleo he does.
func TestFalseClaimPassedOn(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	first := hidden(t, w, cleo, g, "first")
	hidden(t, w, cleo, g, "second")
	second := group.Packed{}
	var h *dag.Header
	for key, header := range cleo.Groups[g].Records[group.KindEntry] {
		if e, err := dag.ParseHeader(header); err == nil && e.Seq == 2 && e.Device == cleo.Self.Device.ID() {
			h, second = e, group.Packed{Header: header, Ciphertext: cleo.Groups[g].Records[group.KindCipher][key]}
		}
	}
	h.Lamport += 5
	h.Sign(cleo.Self.Device.Sign)
	false2 := group.Packed{Header: h.Bytes(), Ciphertext: second.Ciphertext}
	w.Deliver(ben, ann, g, entries(false2)) // as if it came from her
	if row, there := ann.Groups[g].Rows[h.Place()]; !there || !row.Waiting {
		t.Fatal("Ann has not got it, or knows all before it")
	}
	w.Deliver(ann, ben, g, entries(first))
	w.Deliver(ann, ben, g, entries(false2))
	w.Run(10_000)
	for _, n := range []*sim.Node{ann, ben} {
		if rules := accusations(n, g); len(rules) > 0 {
			t.Errorf("%s accuses somebody of %q", n.Name, rules)
		}
		if row, there := n.Groups[g].Rows[h.Place()]; there && row.State != group.RowWithdrawn {
			t.Errorf("%s shows it", n.Name)
		}
	}
	cleo.Start()
	w.Deliver(cleo, ben, g, entries(false2))
	if rules := accusations(ben, g); len(rules) != 1 || rules[0] != "entry-claim" {
		t.Errorf("Ben accuses Cleo of %q", rules)
	}
}
