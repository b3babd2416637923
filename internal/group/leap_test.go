package group_test

import (
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// newestFirst starts n, which lacks much of one author, and looks at the rows that it
// shows first: the newest 50, which wait for the others, and besides so many that it asks
// for by name.
func newestFirst(t *testing.T, w *sim.World, g wire.GroupID, n, author *sim.Node, named int) {
	t.Helper()
	all := author.Groups[g].Shown()
	last := all[len(all)-50].Place
	newest, others := 0, 0
	w.After = func(o *sim.Node, _ wire.GroupID, eff group.Effects) {
		if o != n || newest > 0 {
			return
		}
		for _, row := range eff.Rows {
			if dag.Less(row.Place, last) {
				others++
			} else {
				newest++
			}
			if !row.Waiting || row.State != group.RowShown {
				t.Errorf("a row that comes first waits for nothing, or cannot be read: %+v", row)
			}
		}
	}
	n.Start()
	for range 200 {
		if w.Run(20); newest > 0 {
			break
		}
	}
	if newest != 50 || others != named {
		t.Fatalf("first come %d of the newest and %d others", newest, others)
	}
}

// TestNewestOfOneAuthor: of many that one author wrote the newest come first and can be
// read, and what is said meanwhile; then the rest, each once, also over a restart.
func TestNewestOfOneAuthor(t *testing.T) {
	for _, again := range []bool{false, true} {
		w, g, ann, ben, _ := three(t)
		apart(t, w, g, ben, 2300, ann)
		newestFirst(t, w, g, ben, ann, 0)
		if kept := ben.Groups[g].Machine.KeysKept(); kept < 1000 {
			t.Errorf("room for %d keys is taken", kept)
		}
		if err := ann.Say(g, "said meanwhile"); err != nil {
			t.Fatal(err)
		}
		if again {
			ben.Stop()
			ben.Start()
		}
		w.Run(20_000)
		if got := len(ben.Texts(g)); got != 2301 {
			t.Errorf("Ben can read %d of 2301", got)
		}
		for _, row := range ben.Groups[g].Shown() {
			if row.Waiting {
				t.Fatal("a row waits still")
			}
		}
		if kept := ben.Groups[g].Machine.KeysKept(); kept != 0 {
			t.Errorf("room for %d keys is taken in the end", kept)
		}
		if !again {
			answers(t, ben, ann, w.Node("Cleo"))
		}
	}
}

// TestTwiceAwayMeanwhile: who goes away before the rest has come, and lacks much more when
// it is back, has the newest first again, and all in the end.
func TestTwiceAwayMeanwhile(t *testing.T) {
	w, g, ann, ben, _ := three(t)
	apart(t, w, g, ben, 1500, ann)
	newestFirst(t, w, g, ben, ann, 0)
	apart(t, w, g, ben, 1200, ann)
	newestFirst(t, w, g, ben, ann, 1) // before the oldest of those that wait
	w.Run(20_000)
	if got := len(ben.Texts(g)); got != 2700 {
		t.Errorf("Ben can read %d of 2700", got)
	}
	if kept := ben.Groups[g].Machine.KeysKept(); kept != 0 {
		t.Errorf("room for %d keys is taken in the end", kept)
	}
}
