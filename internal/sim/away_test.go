package sim_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// People who are never on at once, and what they carry to each other (docs/spec/group.md,
// "Without a session").

// apart cuts all sessions for good.
func apart(w *sim.World) {
	for i, a := range w.Nodes {
		for _, b := range w.Nodes[:i] {
			w.Cut(a, b)
		}
	}
}

// carry gives what one exports for another to that one.
func carry(from, to *sim.Node, g wire.GroupID) (items []sim.Item) {
	items = from.Export(g, group.ExportTo{Device: to.Self.Device.ID()}, 1000)
	for _, i := range items {
		to.Import(i)
	}
	return items
}

// TestNeverAtOnce: for a week Ann is on in the mornings and Ben in the evenings, and each takes
// home what the other left. Both see all, in one order, and each sees that the other has it; a
// title and a member come that way too.
func TestNeverAtOnce(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	apart(w)
	var want []string
	say := func(n *sim.Node, text string) {
		must(t, n.Say(g, text))
		want = append(want, text)
	}
	ben.Stop()
	for d := range 7 {
		say(ann, fmt.Sprint("morning ", d))
		if d == 3 {
			must(t, ann.Do(g, group.SetTitle{Title: "Long trip"}))
			say(ann, "a title")
		}
		w.Run(6 * 60 * minute)
		left := ann.Export(g, group.ExportTo{Device: ben.Self.Device.ID()}, 1000)
		ann.Stop()
		w.Run(6 * 60 * minute)
		ben.Start()
		for _, i := range left {
			ben.Import(i)
		}
		w.Run(minute)
		say(ben, fmt.Sprint("evening ", d))
		w.Run(6 * 60 * minute)
		left = ben.Export(g, group.ExportTo{Device: ann.Self.Device.ID()}, 1000)
		ben.Stop()
		w.Run(6 * 60 * minute)
		ann.Start()
		for _, i := range left {
			ann.Import(i)
		}
		w.Run(minute)
	}
	ben.Start()
	carry(ann, ben, g)
	w.Run(10 * minute)
	carry(ben, ann, g) // a week is over: in these minutes one of them may have renewed its keys
	carry(ann, ben, g)
	sees(t, g, want, ann, ben)
	alike(t, g, ann, ben)
	if v := ben.Groups[g].Machine.View(); v.Title != "Long trip" {
		t.Errorf("Ben sees the title %q", v.Title)
	}
	last := line(t, ann, g, "morning 6").Place
	if reached, _, of := ann.Groups[g].Machine.Reached(last.Device, last.Seq); reached != 1 || of != 1 {
		t.Errorf("Ann sees her last at %d of %d", reached, of)
	}
	for _, n := range nodes {
		if a := accusations(n, g); len(a) > 0 {
			t.Errorf("%s blames: %q", n.Name, a)
		}
	}
	if items := carry(ben, ann, g); len(items) > 0 {
		carry(ann, ben, g)
	}
	if x := ann.Groups[g].Machine.Export(group.ExportTo{Device: ben.Self.Device.ID()}, 1000); x.Blocks+x.Entries > 0 {
		t.Errorf("of what Ben has, %d blocks and %d entries are exported", x.Blocks, x.Entries)
	}
}

// TestInvitedByFile: Cleo is invited while she is off, and gets the group, and what is said
// there, in a file; her answer goes back in one, and what she writes.
func TestInvitedByFile(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	cleo := w.Add("Cleo")
	apart(w)
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{cleo.Newcomer()}}))
	must(t, ann.Say(g, "hello Cleo"))
	carry(ann, cleo, g)
	if cleo.Groups[g] == nil {
		t.Fatal("the file did not invite her")
	}
	must(t, cleo.Do(g, group.Accept{}))
	carry(ann, cleo, g)
	must(t, cleo.Say(g, "hello all"))
	w.Run(10 * minute)
	for range 2 {
		carry(cleo, ann, g)
		carry(ann, ben, g)
		carry(ben, cleo, g)
		w.Run(10 * minute)
	}
	sees(t, g, []string{"hello Cleo", "hello all"}, ann, ben, cleo)
	alike(t, g, ann, ben, cleo)
}

// TestForkByFile: Ann and Ben change the group at once and write on, each alone; files alone
// bring them together, and then a session brings nothing new.
func TestForkByFile(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	promote(t, w, g, ann, ben)
	w.Run(10 * minute)
	apart(w)
	must(t, ann.Do(g, group.SetTitle{Title: "A"}))
	must(t, ben.Do(g, group.SetTitle{Title: "B"}))
	must(t, ann.Say(g, "on A"))
	must(t, ben.Say(g, "on B"))
	w.Run(10 * minute)
	for range 3 {
		for _, from := range nodes {
			for _, to := range nodes {
				if from != to {
					carry(from, to, g)
				}
			}
			w.Run(10 * minute)
		}
	}
	alike(t, g, ann, ben, cleo)
	if got := cleo.Texts(g); len(got) != 2 {
		t.Errorf("Cleo sees %q", got)
	}
	settled := func(n *sim.Node) wire.BlockHash { return n.Groups[g].Machine.Settled() }
	if settled(ann) != settled(ben) {
		t.Error("Ann and Ben have settled different blocks")
	}
}

// TestRemovedByFile: Cleo is removed. She is told that, and of nothing newer, though she is
// handed all files that are made for her and reads those for the others.
func TestRemovedByFile(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	apart(w)
	must(t, ann.Say(g, "before"))
	carry(ann, cleo, g)
	must(t, ann.Do(g, group.Remove{Person: cleo.Self.Person}))
	must(t, ann.Say(g, "after"))
	items := carry(ann, ben, g)
	own := ann.Export(g, group.ExportTo{Device: cleo.Self.Device.ID()}, 1000)
	for _, i := range own {
		if i.Entries > 0 {
			t.Errorf("%d entries are for who was removed", i.Entries)
		}
	}
	for _, i := range slices.Concat(own, items) {
		cleo.Import(i)
	}
	if got := status(cleo, g); got != group.StatusRemoved {
		t.Errorf("Cleo has status %d", got)
	}
	sees(t, g, []string{"before"}, cleo)
	sees(t, g, []string{"before", "after"}, ann, ben)
}

// TestFilesInDisorder: items are lost, come twice, in any order, and old ones again. What is
// not lost for ever arrives, once, and in one order.
func TestFilesInDisorder(t *testing.T) {
	for seed := range uint64(8) {
		w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
		r := rand.New(rand.NewPCG(seed, 0))
		apart(w)
		var kept []sim.Item
		marks := make(map[*sim.Node]group.Mark)
		for i := range 30 {
			n := nodes[r.IntN(3)]
			must(t, n.Say(g, fmt.Sprint(n.Name, i)))
			if i == 10 {
				must(t, nodes[0].Do(g, group.SetTitle{Title: "Other"}))
			}
			w.Run(r.Uint64N(60 * minute))
			items := n.Export(g, group.ExportTo{Since: marks[n]}, 1+r.IntN(5))
			for _, item := range items {
				if marks[n] = item.Mark; r.IntN(4) > 0 {
					kept = append(kept, item)
				}
			}
			for range 4 {
				if len(kept) > 0 {
					nodes[r.IntN(3)].Import(kept[r.IntN(len(kept))])
				}
			}
		}
		for range 3 { // who lost something says all once
			for _, n := range nodes {
				for _, item := range n.Export(g, group.ExportTo{All: true}, 7) {
					for _, o := range nodes {
						if o != n {
							o.Import(item)
						}
					}
				}
				w.Run(10 * minute)
			}
		}
		alike(t, g, nodes...)
		if got := len(nodes[0].Texts(g)); got != 30 {
			t.Errorf("seed %d: %d of 30 lines", seed, got)
		}
		before := nodes[0].Texts(g)
		for _, item := range kept {
			nodes[0].Import(item)
		}
		if !slices.Equal(before, nodes[0].Texts(g)) {
			t.Errorf("seed %d: old files changed what is shown", seed)
		}
		for _, n := range nodes {
			if a := accusations(n, g); len(a) > 0 {
				t.Errorf("seed %d: %s blames %q", seed, n.Name, a)
			}
		}
	}
}

// TestFileThenSession: a file of which the middle is lost leaves what names it waiting, and the
// next session asks for that at once.
func TestFileThenSession(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben")
	ann, ben := nodes[0], nodes[1]
	apart(w)
	for i := range 6 {
		must(t, ann.Say(g, fmt.Sprint(i)))
	}
	items := ann.Export(g, group.ExportTo{Device: ben.Self.Device.ID()}, 2)
	if len(items) != 3 {
		t.Fatalf("%d items", len(items))
	}
	ben.Import(items[0])
	ben.Import(items[2])
	w.Heal(ann, ben)
	w.Run(5000)
	sees(t, g, []string{"0", "1", "2", "3", "4", "5"}, ben)
	alike(t, g, ann, ben)
}
