package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Entries of which a member gives the header alone to who is entitled to the text.

// bare has n give a header in place of an entry that it holds, and no text.
func bare(n *sim.Node, g wire.GroupID, key string, header []byte) {
	n.Groups[g].Records[group.KindEntry][key] = header
	delete(n.Groups[g].Records[group.KindCipher], key)
}

// TestTextHandedToWhoHasHeader: Ben gets Cleo's header by Ann, who has not the ciphertext, and
// then, when she has said something herself, what it says. He reads it, and Cleo hears at once that
// he has it.
func TestTextHandedToWhoHasHeader(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(10 * minute)
	ben.Stop()
	must(t, cleo.Say(g, "hello"))
	w.Run(10_000)
	row := line(t, cleo, g, "hello")
	key := string(group.EntryKey(row.Place.Ref()))
	bare(ann, g, key, ann.Groups[g].Records[group.KindEntry][key])
	cleo.Withhold(func(to *sim.Node, kind byte) bool { return to == ben && (kind == kindEntries || kind == kindEarlier) })
	silent := true
	ann.Withhold(func(to *sim.Node, kind byte) bool { return silent && to == ben && kind == kindEarlier })
	ben.Start()
	w.Run(3000)
	must(t, ann.Say(g, "and I"))
	w.Run(5000)
	if kinds := keeps(ben, g, row); !slices.Contains(kinds, group.KindHollow) {
		t.Fatalf("Ben has of the header that came alone kinds %v", kinds)
	}
	silent = false
	w.Run(20_000)
	if got := ben.Texts(g); len(got) != 2 {
		t.Errorf("Ben reads %q", got)
	}
	for _, k := range keeps(ben, g, row) {
		if k == group.KindHollow || k == group.KindLacking {
			t.Errorf("Ben asks for it still, by kind %d", k)
		}
	}
	if seq := cleo.Groups[g].Machine.AckedUpTo(ben.Self.Device.ID(), cleo.Self.Device.ID()); seq != row.Place.Seq {
		t.Errorf("Cleo hears from Ben that he has %d of %d", seq, row.Place.Seq)
	}
}

// TestWithdrawnIsNotAskedFor: of an entry whose header alone came, and whose claims then prove
// false, the text is asked for no more.
func TestWithdrawnIsNotAskedFor(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	f := newForger(t, w, cleo, g)
	f.next("first", nil)
	lie := f.next("second", func(d *draft) { d.Lamport += 5 })
	cleo.Stop()
	ben.Stop()
	must(t, ann.Say(g, "carries it"))
	bare(ann, g, string(group.EntryKey(line(t, ann, g, "carries it").Place.Ref())), f.log[1].Header)
	ben.Start()
	w.Run(10_000)
	row := ben.Groups[g].Rows[lie.Place()]
	if kinds := keeps(ben, g, row); !row.Waiting || len(kinds) < 2 {
		t.Fatalf("Ben shows %+v, and asks for it by kinds %v", row, kinds)
	}
	cleo.Start()
	w.Deliver(cleo, ben, g, entries(f.log[0]))
	row = ben.Groups[g].Rows[lie.Place()]
	if kinds := keeps(ben, g, row); row.State != group.RowWithdrawn || len(kinds) > 0 {
		t.Errorf("Ben's row has state %d, and he asks for it by kinds %v", row.State, kinds)
	}
}

// TestDamagedIsNotAskedFor: of an entry whose header alone came, and whose text then opens for
// nobody, the text is asked for no more.
func TestDamagedIsNotAskedFor(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	f := newForger(t, w, cleo, g)
	spoilt := f.next("spoilt", func(d *draft) { d.spoilt = true })
	cleo.Stop()
	ben.Stop()
	must(t, ann.Say(g, "carries it"))
	bare(ann, g, string(group.EntryKey(line(t, ann, g, "carries it").Place.Ref())), f.log[0].Header)
	ben.Start()
	w.Run(10_000)
	row := ben.Groups[g].Rows[spoilt.Place()]
	if kinds := keeps(ben, g, row); len(kinds) < 2 {
		t.Fatalf("Ben asks for it by kinds %v", kinds)
	}
	cleo.Start()
	w.Deliver(cleo, ben, g, entries(f.log[0]))
	row = ben.Groups[g].Rows[spoilt.Place()]
	if kinds := keeps(ben, g, row); row.State != group.RowDamaged || len(kinds) != 1 || kinds[0] != group.KindCipher {
		t.Errorf("Ben's row has state %d, and he keeps of it kinds %v", row.State, kinds)
	}
}

// TestLateTextIsNotHanded: what Eve wrote after her removal is not shown by who gets it handed over
// either, though it is the newest of so much of hers that no more of it is kept back.
func TestLateTextIsNotHanded(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Dan", "Eve")
	ann, ben, dan, eve := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, eve.Say(g, "before"))
	w.Run(5000)
	part(w, ann, ben)
	must(t, ann.Do(g, group.Remove{Person: eve.Self.Person}))
	for i := range 300 {
		must(t, eve.Say(g, fmt.Sprint("late ", i)))
	}
	w.Run(10_000)
	eve.Stop()
	for i := range 10 {
		key := string(group.EntryKey(line(t, dan, g, fmt.Sprint("late ", 290+i)).Place.Ref()))
		bare(dan, g, key, dan.Groups[g].Records[group.KindEntry][key])
	}
	w.HealAll()
	w.Run(60_000)
	sees(t, g, []string{"before"}, ann, ben)
	if n := len(ben.Groups[g].Records[group.KindHollow]); n != 10 {
		t.Errorf("Ben has %d headers without their text", n)
	}
}
