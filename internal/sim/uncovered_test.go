package sim_test

import (
	"fmt"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// The limit on what nobody covers (docs/spec/group.md).

// most is how many entries of a device that nobody covers are taken in.
const most = int(chain.DefaultMaxEntries)

// TestNobodyCoversTheFlood: Cleo, with a program of her own, writes 2,500 entries in one
// moment and gives them to Ben. He takes as many as may be and no more, passes on no more,
// and accuses nobody; what others say meanwhile comes through. Each time he has said to have
// them he takes more, so that in the end nothing is lost.
func TestNobodyCoversTheFlood(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(10 * minute)
	f := newForger(t, w, cleo, g)
	for i := range 2500 {
		f.next(fmt.Sprint("flood ", i), nil)
	}
	cleo.Stop()
	ann.Stop()
	cleo.Start()
	for part := range slices.Chunk(f.log, 500) {
		w.Deliver(cleo, ben, g, entries(part...))
	}
	if n := len(ben.Texts(g)); n != most {
		t.Errorf("at once Ben takes %d", n)
	}
	cleo.Stop() // and her own program knows nothing of them
	before := ben.Groups[g].Machine.Frontier()[cleo.Self.Device.ID()].Seq
	if before != uint64(most) {
		t.Errorf("Ben holds %d", before)
	}
	if rules := accusations(ben, g); len(rules) > 0 {
		t.Errorf("Ben accuses of %q", rules)
	}
	must(t, ben.Say(g, "Ben goes on")) // he names the last of hers, and so covers what is here
	ann.Start()
	w.Run(60_000)
	alike(t, g, ann, ben)
	if got := ann.Texts(g); len(got) != most+1 {
		t.Errorf("Ann sees %d", len(got))
	}
	// The rest, in as many parts as there is room for.
	for range 2 {
		for part := range slices.Chunk(f.log[before:], 500) {
			cleo.Start()
			w.Deliver(cleo, ben, g, entries(part...))
			cleo.Stop()
		}
		w.Run(10_000)
		now := ben.Groups[g].Machine.Frontier()[cleo.Self.Device.ID()].Seq
		if now-before > uint64(most) {
			t.Errorf("Ben takes %d at once", now-before)
		}
		before = now
	}
	if before != 2500 {
		t.Errorf("Ben has %d of 2,500", before)
	}
	w.Run(60_000)
	alike(t, g, ann, ben)
}

// TestCoverOfNothing: an entry of Dan's that names one of Cleo's which she never wrote covers
// nothing: it lets through no more of her flood than there may be.
func TestCoverOfNothing(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ben, cleo, dan := nodes[1], nodes[2], nodes[3]
	w.Run(10 * minute)
	f := newForger(t, w, cleo, g)
	for i := range 1500 {
		f.next(fmt.Sprint("flood ", i), nil)
	}
	names := newForger(t, w, dan, g)
	names.next("I have seen it", func(d *draft) {
		d.Parents = []dag.Ref{{Device: cleo.Self.Device.ID(), Seq: 1_000_000, Hash: wire.Short{1}}}
		d.Lamport = 1_000_001
	})
	w.Deliver(dan, ben, g, entries(names.log...))
	for part := range slices.Chunk(f.log, 500) {
		w.Deliver(cleo, ben, g, entries(part...))
	}
	if rules := accusations(ben, g); len(rules) > 0 {
		t.Fatalf("Ben accuses of %q", rules)
	}
	if machine(ben, g).View().Missing == 0 {
		t.Error("Ben does not wait for what Dan names")
	}
	if seq := machine(ben, g).Frontier()[cleo.Self.Device.ID()].Seq; seq > uint64(most) {
		t.Errorf("at once Ben takes %d", seq)
	}
}

// TestWriterWaitsForOthers: who has written 1,000 messages that nobody has said to have may
// write no more, and is told so; when somebody has them it goes on, and so it does after a
// restart. A group in which nobody else has come in yet is exempt.
func TestWriterWaitsForOthers(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	must(t, ann.Say(g, "with the others"))
	w.Run(5000)
	ben.Stop()
	cleo.Stop()
	for i := range most {
		must(t, ann.Say(g, fmt.Sprint(i)))
	}
	for range 2 {
		if err := ann.Say(g, "one too many"); reason(err) != group.ReasonUncovered {
			t.Fatalf("one too many: %v", err)
		}
		ann.Stop()
		ann.Start()
	}
	w.Run(24 * 60 * minute)
	if err := ann.Say(g, "a day later"); reason(err) != group.ReasonUncovered {
		t.Fatalf("a day later: %v", err)
	}
	ben.Start()
	w.Run(10_000)
	must(t, ann.Say(g, "and on"))
	w.Run(10_000)
	alike(t, g, ann, ben)
	if got := len(ben.Texts(g)); got != most+2 {
		t.Errorf("Ben sees %d", got)
	}

	alone := ann.Create(group.CreateParams{Title: "Notes"})
	waits := ann.Create(group.CreateParams{Title: "Waits", Newcomers: []group.Newcomer{cleo.Newcomer()}})
	for _, of := range []wire.GroupID{alone, waits} {
		for i := range most + 50 {
			must(t, ann.Say(of, fmt.Sprint(i)))
		}
	}
	cleo.Start()
	w.Run(5000)
	must(t, cleo.Do(waits, group.Accept{}))
	w.Run(20_000)
	must(t, ann.Say(waits, "welcome"))
	w.Run(5000)
	if got := cleo.Texts(waits); len(got) == 0 || got[len(got)-1] != "welcome" {
		t.Errorf("Cleo sees %d", len(got))
	}
}

// TestBytesNobodyCovers: the limit in bytes holds as the one in entries does.
func TestBytesNobodyCovers(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	must(t, ann.Say(g, "with Ben"))
	w.Run(5000)
	ben.Stop()
	long := fmt.Sprintf("%060000d", 0)
	written := 0
	for ; written < most; written++ {
		if err := ann.Say(g, long); err != nil {
			if reason(err) != group.ReasonUncovered {
				t.Fatal(err)
			}
			break
		}
	}
	if written < 900 || written > 1000 || written*len(long) > int(chain.DefaultMaxBytes) {
		t.Errorf("Ann writes %d times %d bytes", written, len(long))
	}
	ben.Start()
	w.Run(60_000)
	alike(t, g, ann, ben)
	must(t, ann.Say(g, "and on"))
}

// TestManyBehind: 2,400 messages of three people, of which one comes back who missed all:
// what the others have said to have is taken at once.
func TestManyBehind(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	dan := nodes[3]
	dan.Stop()
	for i := range 2400 {
		must(t, nodes[i%2].Say(g, fmt.Sprint(i)))
		if i%300 == 0 {
			w.Run(5000)
		}
	}
	w.Run(10_000)
	began := w.Now
	dan.Start()
	for len(dan.Texts(g)) < 2400 && w.Now < began+60_000 {
		w.Run(100)
	}
	t.Logf("Dan has all after %d ms", w.Now-began)
	if w.Now-began > 20_000 {
		t.Error("Dan waits for long")
	}
	alike(t, g, nodes[0], nodes[1], nodes[2], dan)
}
