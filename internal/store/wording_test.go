package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/search"
	"kith/internal/store"
	"kith/internal/wire"
)

// finds checks what a search in g1 finds, and that the index is sound.
func finds(t *testing.T, db *store.DB, want map[string]string) {
	t.Helper()
	for asked, said := range want {
		if got := saidOf(found(t, db, store.Asked{Query: query(t, asked), Group: &g1}, 10)); got != said {
			t.Errorf("%s finds %q, want %q", asked, got, said)
		}
	}
	store.CheckIndex(t, db)
	wantWords(t, db, g1)
}

// wantWords checks that the index holds the words of what is shown, and no others.
func wantWords(t *testing.T, db *store.DB, groups ...wire.GroupID) {
	t.Helper()
	want := map[string]int{}
	for _, g := range groups {
		rows, err := db.Page(g, nil, store.MaxPage)
		must(t, err)
		for _, r := range rows {
			words := map[string]bool{}
			for w := range search.Words(wording(t, db, g, r)) {
				words[w.Folded] = true
			}
			for w := range words {
				want[w]++
			}
		}
	}
	got := store.Terms(t, db)
	for w := range got {
		if strings.HasPrefix(w, "§") {
			delete(got, w) // of a chat, a person or a kind
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the index has the words %v, want %v", got, want)
	}
}

// wording is what people read of a line.
func wording(t *testing.T, db *store.DB, g wire.GroupID, r group.Row) string {
	t.Helper()
	about, _, err := db.Around(g, []group.Target{r.Target()}, nil)
	must(t, err)
	switch body := group.Fold(r, about).Body.(type) {
	case group.Words:
		return body.Text
	case group.Reply:
		return body.Text
	}
	return store.Said(r)
}

// TestSearchFollowsEdits: a message is found by what it says now and not by what it said
// before, in whatever order it, its edits and their end come.
func TestSearchFollowsEdits(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		put := func(rows ...group.Row) { t.Helper(); must(t, db.Commit(g1, nil, rows, nil)) }
		m := words(ann, 10, "apple tree")
		reply := about(bob, 11, group.Reply{To: m.Target(), Text: "apple too"})
		first, second := about(ann, 20, group.Edit{Of: m.Target(), Text: "banana"}), about(ann, 30, group.Edit{Of: m.Target(), Text: "cherry"})
		put(m, reply)
		finds(t, db, map[string]string{"apple": "apple too | apple tree", "banana": "", "cherry": ""})
		put(second)
		finds(t, db, map[string]string{"apple": "apple too", "banana": "", "cherry": "cherry"})
		put(first) // which comes late and is older
		finds(t, db, map[string]string{"apple": "apple too", "banana": "", "cherry": "cherry"})
		put(about(bob, 40, group.Edit{Of: m.Target(), Text: "stolen"}), about(bob, 41, group.Edit{Of: reply.Target(), Text: "pear"}))
		finds(t, db, map[string]string{"apple": "", "cherry": "cherry", "stolen": "", "pear": "pear"})
		put(withdrawn(second))
		finds(t, db, map[string]string{"apple": "", "banana": "banana", "cherry": ""})
		put(second)
		must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: []group.Deletion{{Target: second.Target(), Annotation: true}}}}))
		finds(t, db, map[string]string{"banana": "banana", "cherry": ""})
		put(withdrawn(m))
		finds(t, db, map[string]string{"apple": "", "banana": ""})
		put(m) // which comes after its edits
		finds(t, db, map[string]string{"apple": "", "banana": "banana"})
		must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: []group.Deletion{{Target: m.Target(), Timed: true}, {Target: first.Target(), Annotation: true, Timed: true}}}}))
		finds(t, db, map[string]string{"apple": "", "banana": "", "pear": "pear"})
		must(t, db.DeleteGroup(g1))
		finds(t, db, map[string]string{"pear": ""})
	})
}

// TestWordingOfBefore: the index of a program that kept the first wording is made anew.
func TestWordingOfBefore(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	rows := many(0, 30)
	for i, r := range rows[:10] {
		rows = append(rows, about(ann, 100+uint64(i), group.Edit{Of: r.Target(), Text: fmt.Sprint("other ", i)}))
	}
	must(t, db.Commit(g1, nil, rows, nil))
	must(t, store.Raw(db, "UPDATE indexing SET version = 1"))
	must(t, db.Close())
	db = open(t, cfg)
	must(t, db.Commit(g1, nil, []group.Row{about(ann, 200, group.Edit{Of: rows[0].Target(), Text: "meanwhile"})}, nil))
	for more := true; more; {
		var err error
		if more, err = db.IndexSome(rand.Uint64()); err != nil {
			t.Fatal(err)
		}
	}
	if all := found(t, db, store.Asked{Query: query(t, "other")}, 20); len(all) != 9 {
		t.Errorf("%d found by what they say now", len(all))
	}
	if all := found(t, db, store.Asked{Query: query(t, "message")}, 50); len(all) != 20 {
		t.Errorf("%d found by what was not edited", len(all))
	}
	finds(t, db, map[string]string{"meanwhile": "meanwhile"})
}

// TestWordingByModel: edits come, go, are read late and stand elsewhere in any order, and
// what is found is what is read.
func TestWordingByModel(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	vocabulary := strings.Fields("an ant and band bandit can candle canon")
	lines := make([]group.Row, 12)
	for i := range lines {
		lines[i] = words([]wire.PersonID{ann, bob}[i%2], uint64(10+i), vocabulary[i%len(vocabulary)]+" first")
	}
	edits := make([]group.Row, 60)
	for i := range edits {
		of := lines[rng.IntN(len(lines))]
		edits[i] = about([]wire.PersonID{ann, bob}[rng.IntN(2)], uint64(100+i), group.Edit{Of: of.Target(), Text: vocabulary[rng.IntN(len(vocabulary))] + " " + vocabulary[rng.IntN(len(vocabulary))]})
	}
	for step := range 400 {
		var rows []group.Row
		for range 1 + rng.IntN(4) {
			r := edits[rng.IntN(len(edits))]
			if rng.IntN(3) == 0 {
				r = lines[rng.IntN(len(lines))]
			}
			if rng.IntN(4) == 0 { // another copy, at another place
				r.Place.Order, r.Place.Device = 1+rng.Uint64N(200), wire.DeviceID{2}
			}
			switch rng.IntN(6) {
			case 0:
				r = withdrawn(r)
			case 1:
				r = unreadable(r)
			}
			rows = append(rows, r)
		}
		must(t, db.Commit(g1, nil, rows, nil))
		if rng.IntN(20) == 0 {
			r := slices.Concat(lines, edits)[rng.IntN(len(lines)+len(edits))]
			must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: []group.Deletion{{Target: r.Target(), Annotation: r.Annotation}}}}))
		}
		if step%5 > 0 {
			continue
		}
		text := vocabulary[rng.IntN(len(vocabulary))]
		var got, want []string
		for _, f := range found(t, db, store.Asked{Query: query(t, text)}, 3) {
			got = append(got, fmt.Sprint(f.Row.Place.Order, f.Row.Place.Device[0], f.Text))
		}
		page, err := db.Page(g1, nil, store.MaxPage)
		must(t, err)
		q := query(t, text)
		for _, r := range page {
			if said := wording(t, db, g1, r); r.State == group.RowShown {
				if _, ok := q.Marks(said); ok {
					want = append(want, fmt.Sprint(r.Place.Order, r.Place.Device[0], said))
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("step %d, %s: found %q, want %q", step, text, got, want)
		}
		wantWords(t, db, g1)
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
	store.CheckIndex(t, db)
}
