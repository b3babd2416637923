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

// TestWithdrawnLeavesNothing: of an entry that was shown, and whose claims then prove false,
// nothing of what it said is kept, to be handed over or otherwise.
func TestWithdrawnLeavesNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	dan.Stop()
	must(t, ann.Do(g, group.Park{Device: dan.Self.Device.ID()})) // for whom what is said is kept
	w.Run(5000)
	f := newForger(t, w, cleo, g)
	first := f.next("first", nil)
	lie := f.next("second", func(d *draft) { d.Lamport += 5 })
	w.Deliver(cleo, ben, g, entries(f.log[1]))
	row := ben.Groups[g].Rows[lie.Place()]
	if kinds := keeps(ben, g, row); !row.Waiting || row.State != group.RowShown || len(kinds) < 4 {
		t.Fatalf("Ben shows %+v, and keeps kinds %v", row, kinds)
	}
	shelved, key := ben.Groups[g].Records[group.KindShelved], string(group.EntryKey(row.Place.Ref()))
	said := shelved[key]
	w.Deliver(cleo, ben, g, entries(f.log[0]))
	for range 2 {
		row = ben.Groups[g].Rows[lie.Place()]
		if kinds := keeps(ben, g, row); row.State != group.RowWithdrawn || len(kinds) > 0 {
			t.Errorf("Ben's row has state %d, and of it he keeps kinds %v", row.State, kinds)
		}
		ben.Stop()
		shelved[key] = said // as a program left it that kept it, and asked for more
		if ben.Groups[g].Records[group.KindLacking] == nil {
			ben.Groups[g].Records[group.KindLacking] = make(map[string][]byte)
		}
		ben.Groups[g].Records[group.KindLacking][key] = []byte{}
		ben.Start()
		w.Run(1000)
	}
	if kinds := keeps(ben, g, ben.Groups[g].Rows[first.Place()]); len(kinds) == 0 {
		t.Error("Ben keeps nothing of the first")
	}
}
