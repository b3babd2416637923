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

// writes is says with a content that can be read.
func writes(who wire.PersonID, order uint64, device byte, text string) group.Row {
	r := says(who, order, device, text)
	r.Content = group.Content{Kind: group.ContentText, Body: []byte(text)}.Bytes()
	return r
}

func query(t testing.TB, text string) search.Query {
	t.Helper()
	q, err := search.Parse(text)
	must(t, err)
	return q
}

// found returns all that a search finds, a page of n at a time.
func found(t testing.TB, db *store.DB, a store.Asked, n int) (all []store.Found) {
	t.Helper()
	a.Limit = n
	for range 10_000 {
		f, err := db.Search(a)
		must(t, err)
		if len(f.Found) > n {
			t.Fatalf("%d rows, %d asked for", len(f.Found), n)
		}
		all = append(all, f.Found...)
		if f.Next == 0 {
			return all
		}
		a.Before = f.Next
	}
	t.Fatal("the search has no end")
	return nil
}

func saidOf(all []store.Found) string {
	var said []string
	for _, f := range all {
		said = append(said, f.Text)
	}
	return strings.Join(said, " | ")
}

// wantIndexed checks that the rows of many are found and the index is sound.
func wantIndexed(t *testing.T, db *store.DB, n int) {
	t.Helper()
	if all := found(t, db, store.Asked{Query: query(t, "message "), Group: &g1}, 50); len(all) != n {
		t.Fatalf("%d of %d messages are found", len(all), n)
	}
	if n > 0 {
		if all := found(t, db, store.Asked{Query: query(t, fmt.Sprintf(`"message %d"`, n-1))}, 50); len(all) != 1 {
			t.Fatalf("the last of %d messages is found %d times", n, len(all))
		}
	}
	store.CheckIndex(t, db)
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		poll := writes(bob, 70, 2, "which?")
		asks, err := group.Say(group.Poll{Question: "which?", Options: []string{"cats", "both"}})
		must(t, err)
		poll.Content = asks.Bytes()
		must(t, db.Commit(g1, nil, []group.Row{
			writes(ann, 10, 1, "The lazy dog sleeps"), writes(bob, 20, 2, "A dog, lazy as ever"), writes(ann, 30, 1, "Ünlü café in Besançon"),
			unreadable(writes(bob, 40, 2, "dog unreadable")), withdrawn(writes(ann, 50, 1, "dog withdrawn")), poll,
		}, nil))
		must(t, db.Commit(g2, nil, []group.Row{writes(bob, 25, 3, "doghouse 東京タワー 👍")}, nil))
		store.CheckIndex(t, db)
		must(t, db.Commit(g2, nil, []group.Row{says(ann, 60, 1, "dog damaged")}, nil))
		for _, c := range []struct {
			name  string
			asked store.Asked
			words string
			want  string
		}{
			{"word", store.Asked{}, "lazy", "A dog, lazy as ever | The lazy dog sleeps"},
			{"begun", store.Asked{}, "do", "doghouse 東京タワー 👍 | A dog, lazy as ever | The lazy dog sleeps"},
			{"whole", store.Asked{}, "dog ", "A dog, lazy as ever | The lazy dog sleeps"},
			{"both", store.Asked{}, "ever dog", "A dog, lazy as ever"},
			{"neither", store.Asked{}, "sleeps house", ""},
			{"phrase", store.Asked{}, `"lazy dog"`, "The lazy dog sleeps"},
			{"phrase begun", store.Asked{}, `"dog sl`, "The lazy dog sleeps"},
			{"accents", store.Asked{}, "UNLU besancon", "Ünlü café in Besançon"},
			{"no spaces", store.Asked{}, "京タワ", "doghouse 東京タワー 👍"},
			{"not in that order", store.Asked{}, "京東", ""},
			{"emoji", store.Asked{}, "👍", "doghouse 東京タワー 👍"},
			{"chat", store.Asked{Group: &g2}, "do", "doghouse 東京タワー 👍"},
			{"no such chat", store.Asked{Group: &wire.GroupID{9}}, "do", ""},
			{"person", store.Asked{Person: &ann}, "do", "The lazy dog sleeps"},
			{"person in a chat", store.Asked{Person: &bob, Group: &g1}, "do", "A dog, lazy as ever"},
			{"all of a person", store.Asked{Person: &ann}, "", "Ünlü café in Besançon | The lazy dog sleeps"},
			{"since", store.Asked{Since: 25}, "do", "doghouse 東京タワー 👍"},
			{"until", store.Asked{Until: 25}, "do", "A dog, lazy as ever | The lazy dog sleeps"},
			{"between", store.Asked{Since: 15, Until: 30}, "", "doghouse 東京タワー 👍 | A dog, lazy as ever"},
			{"kind", store.Asked{Kinds: []group.ContentKind{group.ContentText}, Person: &bob}, "", "doghouse 東京タワー 👍 | A dog, lazy as ever"},
			{"kinds", store.Asked{Kinds: []group.ContentKind{group.ContentPoll, group.ContentText}, Since: 25}, "", "which?\ncats\nboth | Ünlü café in Besançon | doghouse 東京タワー 👍"},
			{"a poll by what it offers", store.Asked{}, "cats", "which?\ncats\nboth"},
			{"syntax is words", store.Asked{}, "lazy AND dog", ""},
			{"tags are no words", store.Asked{}, "§g1 g1", ""},
		} {
			c.asked.Query = query(t, c.words)
			for _, n := range []int{1, 50} {
				if got := saidOf(found(t, db, c.asked, n)); got != c.want {
					t.Errorf("%s, %d at a time: %s, want %s", c.name, n, got, c.want)
				}
			}
		}
	})
}

// TestSearchByModel: whatever was stored, taken back, put elsewhere and deleted in
// whatever order, a search finds what a look at all rows finds, in its order.
func TestSearchByModel(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	vocabulary := strings.Fields("an ant and band bandit can candle canon 東 京 東京 éa ea")
	groups := []wire.GroupID{g1, g2, {3}}
	pick := func() string { return vocabulary[rng.IntN(len(vocabulary))] }
	for step := range 400 {
		var batch []store.Batch
		for range 1 + rng.IntN(4) {
			who, g := []wire.PersonID{ann, bob}[rng.IntN(2)], groups[rng.IntN(3)]
			r := writes(who, 1+rng.Uint64N(200), byte(rng.UintN(3)), pick()+" "+pick()+" "+pick())
			switch rng.IntN(8) {
			case 0:
				r = withdrawn(r)
			case 1:
				r = unreadable(r)
			}
			batch = append(batch, store.Batch{Group: g, Rows: []group.Row{r}})
		}
		must(t, db.CommitMany(batch))
		if step%100 == 99 {
			must(t, db.DeleteGroup(groups[rng.IntN(3)]))
			store.CheckIndex(t, db)
		}
		a := store.Asked{}
		text := pick()
		switch rng.IntN(4) {
		case 0:
			text += " " + pick()
		case 1:
			text = `"` + text + " " + pick()
		case 2:
			text = ""
		}
		if rng.IntN(2) == 0 {
			text = strings.TrimRight(text, "dnes京é") // only begun
		}
		if strings.Trim(text, "\" ") == "" {
			text = ""
		}
		a.Query = query(t, text)
		if rng.IntN(3) == 0 {
			a.Group = &groups[rng.IntN(3)]
		}
		if rng.IntN(3) == 0 {
			a.Person = &bob
		}
		if rng.IntN(3) == 0 {
			a.Since, a.Until = rng.Uint64N(100), 100+rng.Uint64N(100)
		}
		want := naive(t, db, groups, a)
		for _, n := range []int{3, 100} {
			got := map[string]int{}
			last := uint64(1 << 62)
			for _, f := range found(t, db, a, n) {
				if got[fmt.Sprint(f.Group, f.Row.Place)]++; f.Row.Place.Order > last {
					t.Fatalf("seed %d, step %d: not newest first", seed, step)
				}
				last = f.Row.Place.Order
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("seed %d, step %d, %+v: found %v, want %v", seed, step, a, got, want)
			}
		}
	}
	store.CheckIndex(t, db)
	if spans := store.Spans(t, db); len(spans) < 4 {
		t.Errorf("all in %v: the test is too small", spans)
	}
}

// naive looks at every row.
func naive(t *testing.T, db *store.DB, groups []wire.GroupID, a store.Asked) map[string]int {
	found := map[string]int{}
	for _, g := range groups {
		rows, err := db.Page(g, nil, store.MaxPage)
		must(t, err)
		for _, r := range rows {
			_, said := a.Query.Marks(store.Said(r))
			if said && r.State == group.RowShown && (a.Group == nil || *a.Group == g) && (a.Person == nil || *a.Person == r.Person) &&
				r.Place.Order >= a.Since && (a.Until == 0 || r.Place.Order < a.Until) {
				found[fmt.Sprint(g, r.Place)]++
			}
		}
	}
	return found
}

// TestSpans: whether a history comes oldest or newest first, no span grows beyond
// its bound for long.
func TestSpans(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	for name, order := range map[string]func(i uint64) uint64{
		"oldest first":        func(i uint64) uint64 { return 1 + i },
		"newest first":        func(i uint64) uint64 { return 1000 - i },
		"pages, newest first": func(i uint64) uint64 { return 1000 - i/10*10 + i%10 },
		"two ends":            func(i uint64) uint64 { return 500 + i*(i%2) - i*(1-i%2) },
	} {
		db, err := store.Mem()
		must(t, err)
		for i := range uint64(200) {
			must(t, db.Commit(g1, nil, []group.Row{writes(ann, order(i), 1, fmt.Sprintf("word%d", i))}, nil))
		}
		if all := found(t, db, store.Asked{Query: query(t, "word")}, 50); len(all) != 200 {
			t.Errorf("%s: %d found", name, len(all))
		}
		store.CheckIndex(t, db)
		if spans := store.Spans(t, db); slices.Max(spans) > 25 {
			t.Errorf("%s: spans of %v", name, spans)
		}
		must(t, db.Close())
	}
}

// TestNoMoreSpans: when the signs are used up, the spans there are take what comes.
func TestNoMoreSpans(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	t.Cleanup(store.LimitSpans(4))
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, i := range rng.Perm(300) {
		must(t, db.Commit(g1, nil, []group.Row{writes(ann, 1+uint64(i), 1, fmt.Sprintf("word%d", i))}, nil))
	}
	for i := range uint64(100) {
		must(t, db.Commit(g1, nil, []group.Row{withdrawn(writes(ann, 1+i*3, 1, fmt.Sprintf("word%d", i*3)))}, nil))
	}
	if all := found(t, db, store.Asked{Query: query(t, "word")}, 50); len(all) != 200 {
		t.Errorf("%d found", len(all))
	}
	store.CheckIndex(t, db)
	for i, terms := 0, store.Terms(t, db); i < 300; i++ {
		if n := terms[fmt.Sprintf("word%d", i)]; n > 0 != (i%3 > 0) {
			t.Errorf("word%d is in the index %d times", i, n)
		}
	}
	if spans := store.Spans(t, db); len(spans) != 4 {
		t.Errorf("spans of %v", spans)
	}
}

// TestMessagesOfTheFuture: who says something for each month of the next centuries, as
// the order of messages lets everybody do, does not take the signs of all others.
func TestMessagesOfTheFuture(t *testing.T) {
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	const slice = 1 << 31
	var rows []group.Row
	for i := range uint64(1000) {
		rows = append(rows, writes(bob, (800+i)*slice, 2, fmt.Sprintf("future %d", i)))
	}
	must(t, db.Commit(g1, nil, rows, nil))
	must(t, db.Commit(g1, nil, []group.Row{writes(ann, 799*slice, 1, "now")}, nil))
	if all := found(t, db, store.Asked{Query: query(t, "now")}, 20); len(all) != 1 {
		t.Errorf("%d found", len(all))
	}
	if all := found(t, db, store.Asked{Query: query(t, "future")}, 200); len(all) != 1000 {
		t.Errorf("%d found", len(all))
	}
	if spans := store.Spans(t, db); len(spans) > 800 {
		t.Errorf("%d spans", len(spans))
	}
	store.CheckIndex(t, db)
}

// TestManyAtOnce: more messages of one millisecond than numbers for them do no harm.
func TestManyAtOnce(t *testing.T) {
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	var rows []group.Row
	for i := range 2100 {
		r := writes(ann, 7, 0, fmt.Sprintf("crowd %d", i))
		r.Place.Device = wire.DeviceID{byte(i), byte(i >> 8)}
		rows = append(rows, r)
	}
	late := writes(ann, 1<<62, 1, "crowd of the far future")
	must(t, db.Commit(g1, nil, append(rows, late), nil))
	if all := found(t, db, store.Asked{Query: query(t, "crowd")}, 100); len(all) != 2049 || all[0].Text != "crowd of the far future" {
		t.Errorf("%d found, the first %q", len(all), all[0].Text)
	}
	for i := range rows {
		rows[i] = withdrawn(rows[i])
	}
	must(t, db.Commit(g1, nil, rows, nil))
	if all := found(t, db, store.Asked{Query: query(t, "crowd")}, 100); len(all) != 1 {
		t.Errorf("%d are left", len(all))
	}
}

// FuzzSearch: whatever is typed is answered, or refused by search.Parse.
func FuzzSearch(f *testing.F) {
	db, err := store.Mem()
	must(f, err)
	must(f, db.Commit(g1, nil, []group.Row{writes(ann, 1, 1, "a b c 東京")}, nil))
	for _, s := range []string{"a", `"a b" c`, "NEAR(a b)", "a* OR ^b", `"`, "found:x", "{a b}:c", "a + b", "-a", "'; DROP TABLE docs --", "\x00", "§g1", "\ue001a", "東京 ½ ㎏"} {
		f.Add(s, uint64(0), uint64(0))
	}
	f.Fuzz(func(t *testing.T, text string, since, before uint64) {
		q, err := search.Parse(text)
		if err != nil {
			return
		}
		for _, a := range []store.Asked{{Query: q}, {Query: q, Group: &g1, Person: &ann, Kinds: []group.ContentKind{1, 2}, Since: since, Until: since, Before: before}} {
			a.Limit = 3
			if _, err := db.Search(a); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}
