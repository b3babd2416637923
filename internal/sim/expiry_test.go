package sim_test

import (
	"encoding/binary"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// keeps lists what a node has stored of what an entry says.
func keeps(n *sim.Node, g wire.GroupID, row group.Row) (list []group.Kind) {
	key := group.EntryKey(row.Place.Ref())
	for _, k := range []group.Kind{group.KindCipher, group.KindShelved, group.KindSalt, group.KindLate, group.KindHollow, group.KindMissed, group.KindLacking} {
		if v, there := n.Groups[g].Records[k][string(key)]; there && (len(v) > 0 || k != group.KindCipher) {
			list = append(list, k)
		}
	}
	if r := n.Groups[g].Rows[row.Place]; len(r.Content) > 0 {
		list = append(list, 0)
	}
	return list
}

// packed is an entry as a node has it.
func packed(n *sim.Node, g wire.GroupID, row group.Row) group.Packed {
	key := group.EntryKey(row.Place.Ref())
	return group.Packed{Header: n.Groups[g].Records[group.KindEntry][string(key)], Ciphertext: n.Groups[g].Records[group.KindCipher][string(key)]}
}

// TestDisappear: what is written under a setting is gone everywhere when its time is over:
// where it was read, where it was off meanwhile, and where it never came. Nobody waits for
// it, and what was written before and after stays.
func TestDisappear(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	must(t, ann.Say(g, "before"))
	w.Run(5000)
	dan.Stop()
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	must(t, ben.Say(g, "secret"))
	w.Run(5000)
	row := line(t, ann, g, "secret")
	if group.Lifetime(g, row.ID) != 60 {
		t.Fatalf("it lasts %d s", group.Lifetime(g, row.ID))
	}
	must(t, ben.SayBody(g, group.Edit{Of: row.Target(), Text: "another secret"}))
	must(t, cleo.SayBody(g, group.Reaction{To: row.Target(), On: true, Emoji: "+"}))
	w.Run(5000)
	cleo.Stop() // has read it
	must(t, ann.SayBody(g, group.Expiry{}))
	must(t, ann.Say(g, "after"))
	w.Run(20_000)
	if got := ann.Groups[g].Page(); len(got) != 5 || len(keeps(ben, g, row)) == 0 {
		t.Fatalf("before its time: %q, %v", got, keeps(ben, g, row))
	}
	copied := packed(ann, g, row)
	w.Run(60_000)
	cleo.Start()
	dan.Start()
	w.Run(60_000)
	for _, n := range nodes {
		if got := keeps(n, g, row); len(got) > 0 {
			t.Errorf("%s still has kinds %v", n.Name, got)
		}
		for _, about := range n.Groups[g].Annotations() {
			if c, err := group.ParseContent(about.Content); err == nil && c.Kind != group.ContentPin {
				t.Errorf("%s still has %q about it", n.Name, c.Body)
			}
		}
		if v := n.Groups[g].Machine.View(); v.Missing+v.Missed > 0 {
			t.Errorf("%s waits for %d and %d", n.Name, v.Missing, v.Missed)
		}
		if left := n.Groups[g].Machine.Unreached(); left > 0 {
			t.Errorf("%s has %d messages that nobody acknowledged", n.Name, left)
		}
	}
	state := "state 1"
	pages(t, g, []string{"before", state, state, "after"}, nodes...)

	// Nothing brings it back: neither who kept it, nor a clock that is set back, nor a restart.
	for _, n := range []*sim.Node{cleo, dan} {
		n.Clock -= 3_600_000
		w.Deliver(ann, n, g, entries(copied))
		w.Run(2000)
		n.Stop()
		n.Start()
		w.Run(2000)
		w.Deliver(ann, n, g, entries(copied))
		w.Run(2000)
		if got := keeps(n, g, row); len(got) > 0 {
			t.Errorf("%s has kinds %v again", n.Name, got)
		}
	}
}

// TestDisappearWhole: what comes whole when its time is over is shown to nobody.
func TestDisappearWhole(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	cleo.Stop()
	must(t, ben.Say(g, "secret"))
	w.Run(5000)
	row := line(t, ann, g, "secret")
	copied := packed(ben, g, row)
	part(w, cleo)
	w.Run(70_000)
	cleo.Start()
	w.HealAll()
	w.Deliver(ben, cleo, g, entries(copied))
	w.Run(10_000)
	if r, there := cleo.Groups[g].Rows[row.Place]; !there || r.State != group.RowDeleted || len(keeps(cleo, g, row)) > 0 {
		t.Errorf("Cleo has a row of state %d, and kinds %v", r.State, keeps(cleo, g, row))
	}
}

// TestDisappearAhead: the clock of who writes is days ahead. The time counts from when the
// message comes, on every device, also across a restart.
func TestDisappearAhead(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	ben.Clock = 10 * 24 * 3_600_000
	must(t, ben.Say(g, "secret"))
	w.Run(5000)
	row := line(t, ann, g, "secret")
	if row.Place.Order < w.Now+9*24*3_600_000 {
		t.Fatal("its order is not ahead")
	}
	nodes[2].Stop()
	w.Run(1000)
	nodes[2].Start()
	w.Run(70_000)
	for _, n := range nodes {
		if got := keeps(n, g, row); len(got) > 0 {
			t.Errorf("%s still has kinds %v", n.Name, got)
		}
	}
}

// TestDisappearBehind: the clock of who reads is ten days behind when a message comes, and set
// right while it can be read, also while the program is off. It stays until its time is over,
// and no longer.
func TestDisappearBehind(t *testing.T) {
	const days = 24 * 3_600_000
	for _, off := range []bool{false, true} {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		ann, ben := nodes[0], nodes[1]
		must(t, ann.SayBody(g, group.Expiry{Seconds: 600}))
		w.Run(5000)
		ben.Clock = -10 * days
		w.Run(60_000)
		must(t, ann.Say(g, "secret"))
		w.Run(60_000)
		row := line(t, ann, g, "secret")
		if off {
			ben.Stop()
		}
		w.Run(1000)
		ben.Clock = 0
		if off {
			ben.Start()
		}
		w.Run(480_000) // nine of its ten minutes are over
		if got := keeps(ben, g, row); len(got) == 0 {
			t.Fatalf("off %v: it is gone before its time", off)
		}
		ben.Stop()
		ben.Start()
		w.Run(10_000)
		if got := keeps(ben, g, row); len(got) == 0 {
			t.Fatalf("off %v: it is gone at a restart before its time", off)
		}
		w.Run(60_000)
		if got := keeps(ben, g, row); len(got) > 0 {
			t.Errorf("off %v: Ben still has kinds %v", off, got)
		}
	}
}

// TestDisappearByRunning: the clock of who writes is ten days ahead. Who reads sees the message for as long as
// it lasts by a program that runs, also if it is started often; what it is off for long is not counted.
func TestDisappearByRunning(t *testing.T) {
	const hour = 3_600_000
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.SayBody(g, group.Expiry{Seconds: 8 * 3600}))
	w.Run(5000)
	ann.Clock = 10 * 24 * hour
	must(t, ann.Say(g, "secret"))
	w.Run(5000)
	row := line(t, ann, g, "secret")
	for range 4 { // often, and for a short time
		w.Run(hour / 2)
		ben.Stop()
		w.Run(hour / 4)
		ben.Start()
	}
	w.Run(hour)
	ben.Stop()
	w.Run(20 * hour)
	ben.Start()
	w.Run(2 * hour)
	if got := keeps(ben, g, row); len(got) == 0 {
		t.Fatal("it is gone before Ben has run for its time")
	}
	w.Run(4 * hour)
	if got := keeps(ben, g, row); len(got) > 0 {
		t.Errorf("Ben still has kinds %v", got)
	}
	if _, there := ben.Groups[g].Records[group.KindEnding][""]; there {
		t.Error("the clock is still stored")
	}
}

// TestDisappearRight: in a group only admins set it; whoever does it all the same changes
// nothing for anybody. In a direct chat both do.
func TestDisappearRight(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	if ben.SayBody(g, group.Expiry{Seconds: 60}) == nil {
		t.Error("an honest program sets it")
	}
	forged := forge(t, w, ben, g, group.Expiry{Seconds: 60})
	ben.Stop()
	for _, n := range []*sim.Node{ann, cleo} {
		w.Deliver(ben, n, g, entries(forged))
	}
	ben.Start()
	for _, n := range []*sim.Node{ann, cleo} {
		w.Deliver(ben, n, g, entries(forged))
	}
	w.Run(5000)
	h, err := dag.ParseHeader(forged.Header)
	must(t, err)
	for _, n := range []*sim.Node{ann, cleo} {
		if r := n.Groups[g].Rows[h.Place()]; r.State != group.RowShown {
			t.Fatalf("%s has not got it", n.Name)
		}
		if got := n.Groups[g].Machine.View().Lifetime; got != 0 {
			t.Errorf("%s: messages last %d s", n.Name, got)
		}
	}
}

// TestDisappearLast: of two settings that were made apart the later in the order of display is
// in force everywhere, whichever came first.
func TestDisappearLast(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	promote(t, w, g, ann, ben)
	w.Run(5000)
	part(w, ben)
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(1000)
	must(t, ben.SayBody(g, group.Expiry{Seconds: 3600}))
	w.Run(1000)
	w.HealAll()
	w.Run(60_000)
	for _, n := range nodes {
		if got := n.Groups[g].Machine.View().Lifetime; got != 3600 {
			t.Errorf("%s: messages last %d s", n.Name, got)
		}
		n.Stop()
		n.Start()
		if got := n.Groups[g].Machine.View().Lifetime; got != 3600 {
			t.Errorf("%s, started again: messages last %d s", n.Name, got)
		}
	}
}

// TestAboutWhatIsOver: what is said about a message whose time is over goes too, and stays with
// nobody for ever.
func TestAboutWhatIsOver(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	must(t, ben.Say(g, "secret"))
	w.Run(5000)
	row := line(t, ann, g, "secret")
	w.Run(60_000)
	must(t, ann.SayBody(g, group.Reaction{To: row.Target(), On: true, Emoji: "+"}))
	w.Run(10_000)
	for _, n := range nodes {
		for _, about := range n.Groups[g].Annotations() {
			if len(about.Content) > 0 {
				t.Errorf("%s still has %q", n.Name, about.Content)
			}
		}
	}
}

// TestTimedDelete: a Delete whose id says that it lasts for half a minute stays all the same: who
// comes later hears of it, or would wait for the message for ever. No honest program makes one.
func TestTimedDelete(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben, cleo, dan := nodes[0], nodes[1], nodes[2], nodes[3]
	w.Run(10 * minute)
	dan.Stop()
	f := newForger(t, w, cleo, g)
	said := f.next("said", nil)
	f.next("delete", func(d *draft) {
		of := group.Target{Person: cleo.Self.Person, ID: said.ContentID, Commit: said.ContentCommit}
		c, err := group.Say(group.Delete{Of: of})
		must(t, err)
		d.content = c.Bytes()
		binary.BigEndian.PutUint32(d.ContentID[4:], 30)
		tag := wire.Hash(wire.HashLifetime, g[:], d.ContentID[:8])
		copy(d.ContentID[8:], tag[:])
	})
	cleo.Stop()
	cleo.Start()
	for _, n := range []*sim.Node{ann, ben} {
		w.Deliver(cleo, n, g, entries(f.log...))
	}
	w.Run(60_000)
	dan.Start()
	w.Run(60_000)
	for _, n := range []*sim.Node{ann, ben, dan} {
		for range 2 {
			if row := n.Groups[g].Rows[said.Place()]; row.State != group.RowDeleted {
				t.Errorf("%s shows it with state %d", n.Name, row.State)
			}
			n.Stop()
			n.Start()
			w.Run(1000)
		}
	}
	if left := ann.Groups[g].Machine.AckedUpTo(dan.Self.Device.ID(), cleo.Self.Device.ID()); left != 2 {
		t.Errorf("Dan says to have %d", left)
	}
}
