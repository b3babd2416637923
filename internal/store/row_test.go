package store_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

func TestPage(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		must(t, db.Commit(g2, nil, []group.Row{says(ann, 4, 1, "elsewhere")}, nil))
		// Stored in another order than they are shown in; c and d differ by
		// device only, d and e by seq only.
		e := says(bob, 30, 3, "e")
		e.Place.Seq = 2
		must(t, db.Commit(g1, nil, []group.Row{
			e, says(ann, 30, 3, "d"), says(ann, 1, 9, "a"), says(bob, 30, 2, "c"), says(bob, 29, 9, "b"), says(ann, 31, 1, "f"),
		}, nil))
		wantPage(t, db, g1, "a b c d e f")

		var walked []string
		var before *store.Cursor
		for {
			rows, err := db.Page(g1, before, 2)
			must(t, err)
			if len(rows) == 0 {
				break
			}
			walked = append(walked, texts(rows))
			before = &rows[0].Place
		}
		if got, want := strings.Join(walked, ", "), "e f, c d, a b"; got != want {
			t.Errorf("back: %s, want %s", got, want)
		}
		var after store.Cursor
		walked = nil
		for {
			rows, err := db.PageAfter(g1, after, 4)
			must(t, err)
			if len(rows) == 0 {
				break
			}
			walked = append(walked, texts(rows))
			after = rows[len(rows)-1].Place
		}
		if got, want := strings.Join(walked, ", "), "a b c d, e f"; got != want {
			t.Errorf("forth: %s, want %s", got, want)
		}
		for _, n := range []int{0, -1} {
			if rows, err := db.Page(g1, nil, n); err != nil || len(rows) != 0 {
				t.Errorf("page of %d: %v, %v", n, rows, err)
			}
		}
		last := store.Cursor{Order: math.MaxUint64}
		if rows, err := db.Page(g1, &last, 1); err != nil || texts(rows) != "f" {
			t.Errorf("before the end of time: %v, %v", texts(rows), err)
		}
		newest, err := db.Newest(g1)
		if err != nil || string(newest.Content) != "f" {
			t.Errorf("newest: %v, %v", newest, err)
		}
		if newest, err = db.Newest(wire.GroupID{9}); newest != nil || err != nil {
			t.Errorf("newest of no group: %v, %v", newest, err)
		}
		if n, err := db.Count(g1); n != 6 || err != nil {
			t.Errorf("count: %d, %v", n, err)
		}
	})
}

func TestRowKeepsEveryField(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		r := group.Row{
			Place:  group.Place{Order: math.MaxInt64, Device: wire.DeviceID{1: 2}, Seq: math.MaxInt64},
			Person: wire.PersonID{3}, Block: wire.BlockHash{4}, ID: wire.ContentID{5}, Commit: wire.Digest{6},
			Time: math.MaxUint64, State: group.RowDamaged, Waiting: true, Client: "c'1\x00",
		}
		s := r
		s.Place.Seq, s.ID, s.Client, s.Waiting, s.Split = 1, wire.ContentID{7}, "", false, true
		s.State, s.Content = group.RowShown, []byte{0, 1, 255}
		must(t, db.Commit(g1, nil, []group.Row{r, s}, nil))
		rows, err := db.Page(g1, nil, 5)
		must(t, err)
		if !reflect.DeepEqual(rows, []group.Row{s, r}) {
			t.Fatalf("got  %+v\nwant %+v", rows, []group.Row{s, r})
		}
		for name, find := range map[string]func() (*group.Row, error){
			"at":     func() (*group.Row, error) { return db.RowAt(g1, r.Place) },
			"id":     func() (*group.Row, error) { return db.Row(g1, r.Person, r.ID) },
			"client": func() (*group.Row, error) { return db.RowByClient(g1, r.Client) },
		} {
			if got, err := find(); err != nil || got == nil || !reflect.DeepEqual(*got, r) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if got, err := db.RowByClient(g1, ""); got != nil || err != nil {
			t.Errorf("row of no client: %v, %v", got, err)
		}
		if got, err := db.RowsByID(g1, s.ID); err != nil || !reflect.DeepEqual(got, []group.Row{s}) {
			t.Errorf("by id: %v, %v", got, err)
		}
		r.Place.Order++
		if err := db.Commit(g1, nil, []group.Row{r}, nil); !errors.Is(err, store.ErrRange) {
			t.Errorf("order of 64 bits: %v", err)
		}
	})
}

// at is r at another place.
func at(r group.Row, order uint64) group.Row {
	r.Place.Order = order
	return r
}

func withdrawn(r group.Row) group.Row {
	r.State, r.Content = group.RowWithdrawn, nil
	return r
}

func unreadable(r group.Row) group.Row {
	r.State, r.Content = group.RowUnreadable, nil
	return r
}

func TestOneMessage(t *testing.T) {
	a, b, m := says(ann, 1, 1, "a"), says(ann, 9, 1, "b"), says(bob, 5, 2, "m")
	sent := m
	sent.Client = "c"
	forged := at(m, 6)
	forged.Person = ann
	other := at(m, 6)
	other.Commit[0]++
	for name, c := range map[string]struct {
		rows  []group.Row
		want  string
		where uint64 // the place m is shown at; 0: nowhere
	}{
		"same place replaces":              {[]group.Row{unreadable(m), m}, "a m b", 5},
		"replaced by what is worse":        {[]group.Row{m, unreadable(m)}, "a  b", 5},
		"a later copy is not shown":        {[]group.Row{m, at(m, 20)}, "a m b", 5},
		"an earlier copy is":               {[]group.Row{at(m, 20), m}, "a m b", 5},
		"three copies":                     {[]group.Row{at(m, 20), at(m, 3), m}, "a m b", 3},
		"another's copy is another":        {[]group.Row{m, forged}, "a m m b", 5},
		"another commitment is another":    {[]group.Row{m, other}, "a m m b", 5},
		"withdrawn":                        {[]group.Row{m, withdrawn(m)}, "a b", 0},
		"withdrawn first":                  {[]group.Row{withdrawn(m)}, "a b", 0},
		"withdrawn and back":               {[]group.Row{withdrawn(m), m}, "a m b", 5},
		"withdrawn: the copy comes up":     {[]group.Row{m, at(m, 20), withdrawn(m)}, "a b m", 20},
		"and back again":                   {[]group.Row{m, at(m, 20), withdrawn(m), m}, "a m b", 5},
		"withdrawn: the first copy of two": {[]group.Row{at(m, 20), m, at(m, 7), withdrawn(m)}, "a m b", 7},
		"both withdrawn":                   {[]group.Row{m, at(m, 20), withdrawn(m), withdrawn(at(m, 20))}, "a b", 0},
		"a hidden copy withdrawn":          {[]group.Row{m, at(m, 20), withdrawn(at(m, 20)), withdrawn(m)}, "a b", 0},
		"a later copy brings the content":  {[]group.Row{unreadable(m), at(m, 20)}, "a m b", 5},
		"and keeps it":                     {[]group.Row{unreadable(m), at(m, 20), unreadable(m)}, "a m b", 5},
		"an earlier copy without content":  {[]group.Row{at(m, 20), unreadable(m)}, "a m b", 5},
		"client stays on replacement":      {[]group.Row{sent, m}, "a m b", 5},
		"client follows the message":       {[]group.Row{at(sent, 20), m}, "a m b", 5},
		"another message at the place":     {[]group.Row{at(m, 20), m, at(at(b, 5), 5)}, "a b m", 20},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Mem()
			must(t, err)
			defer db.Close()
			if name != "another message at the place" {
				c.rows = append([]group.Row{a, b}, c.rows...)
			} else {
				c.rows[2].Place.Device = m.Place.Device
				c.rows = append([]group.Row{a}, c.rows...)
			}
			must(t, db.Commit(g1, nil, c.rows, nil))
			wantPage(t, db, g1, c.want)
			got, err := db.Row(g1, bob, m.ID)
			must(t, err)
			if c.where == 0 && got != nil || c.where != 0 && (got == nil || got.Place.Order != c.where) {
				t.Errorf("message: %+v, want it at %d", got, c.where)
			}
			if strings.HasPrefix(name, "client") {
				if got, err := db.RowByClient(g1, "c"); err != nil || got == nil || got.Place.Order != 5 {
					t.Errorf("by client: %+v, %v", got, err)
				}
			}
		})
	}
}

// TestOneMessageByModel puts rows in any order and compares with the rule as
// it reads: of each message the smallest place that is not withdrawn.
func TestOneMessageByModel(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	words := strings.Fields("p q r s")
	model := map[group.Place]group.Row{}
	for step := range 2000 {
		r := says(ann, 1+rng.Uint64N(12), byte(rng.UintN(2)), words[rng.IntN(len(words))])
		if old, ok := model[r.Place]; ok && rng.IntN(4) > 0 {
			r = says(ann, r.Place.Order, r.Place.Device[0], string(old.Content))
		}
		kept := r
		if rng.IntN(3) == 0 {
			r.State, kept.State = group.RowWithdrawn, group.RowWithdrawn
		}
		model[r.Place] = kept
		must(t, db.Commit(g1, nil, []group.Row{r}, nil))

		first := map[wire.ContentID]group.Row{}
		for _, m := range model {
			f, ok := first[m.ID]
			if m.State == group.RowShown && (!ok || place(m) < place(f)) {
				first[m.ID] = m
			}
		}
		var want []group.Row
		for _, m := range first {
			want = append(want, m)
		}
		slices.SortFunc(want, func(a, b group.Row) int { return place(a) - place(b) })
		got, err := db.Page(g1, nil, 100)
		must(t, err)
		if !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("seed %d, step %d: %s, want %s", seed, step, texts(got), texts(want))
		}
	}
}

func place(r group.Row) int { return int(r.Place.Order)<<8 | int(r.Place.Device[0]) }

func TestUnread(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		must(t, db.Commit(g1, nil, []group.Row{
			says(bob, 1, 2, "b1"), says(ann, 2, 1, "a1"), says(bob, 3, 2, "b2"), says(bob, 4, 2, "b3"), withdrawn(says(bob, 5, 2, "b4")),
		}, nil))
		want := func(n int) {
			t.Helper()
			if got, err := db.Unread(g1, ann); got != n || err != nil {
				t.Errorf("unread: %d, %v, want %d", got, err, n)
			}
		}
		want(3)
		mark := says(bob, 3, 2, "b2").Place
		must(t, db.SetLastRead(g1, mark))
		want(1)
		must(t, db.SetLastRead(g1, group.Place{Order: 1}))
		want(1)
		if p, err := db.LastRead(g1); p != mark || err != nil {
			t.Errorf("mark: %v, %v", p, err)
		}
		must(t, db.Commit(g1, nil, []group.Row{says(bob, 2, 9, "late"), says(bob, 6, 2, "b5")}, func(tx *store.Tx) error {
			return tx.SetLastRead(g1, group.Place{Order: 4, Device: wire.DeviceID{9}})
		}))
		want(1)
		must(t, db.SetLastRead(wire.GroupID{9}, mark))
		if groups, _ := db.Groups(); len(groups) != 1 {
			t.Errorf("a read mark made a group: %v", groups)
		}
	})
}

func TestPagesAreIndexScans(t *testing.T) {
	for name, plan := range store.Plans(t, open(t, config(t))) {
		lines := strings.Split(strings.TrimSpace(plan), "\n")
		index := "messages_place"
		switch name {
		case "client":
			index = "messages_client"
		case "person", "id":
			index = "messages_same"
		}
		one := slices.IndexFunc(lines, func(l string) bool {
			return strings.HasPrefix(l, "SEARCH messages USING") && strings.Contains(l, index)
		})
		sorted := strings.Contains(plan, "TEMP B-TREE")
		if one < 0 || strings.Contains(plan, "SCAN messages") || sorted && index == "messages_place" {
			t.Errorf("%s is no single scan of %s:\n%s", name, index, plan)
		}
		t.Logf("%s: %s", name, strings.Join(lines, "; "))
	}
}

// TestLowerLastRead: a row that comes late takes the mark back to the one before it, and
// one that comes after it does not.
func TestLowerLastRead(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		rows := []group.Row{says(bob, 10, 2, "a"), says(ann, 20, 1, "b"), says(bob, 30, 2, "c")}
		must(t, db.Commit(g1, nil, rows, nil))
		for _, c := range []struct {
			read, late int // orders; 0: nothing was read
			want       int
			unread     int
		}{{30, 25, 20, 1}, {30, 30, 20, 1}, {30, 10, 0, 2}, {20, 30, 20, 1}, {10, 25, 10, 1}, {0, 5, 0, 2}} {
			place := func(order int) group.Place {
				for _, r := range rows {
					if r.Place.Order == uint64(order) {
						return r.Place
					}
				}
				return group.Place{Order: uint64(order)}
			}
			must(t, db.Update(func(tx *store.Tx) error {
				if err := tx.LowerLastRead(g1, group.Place{}); err != nil { // nothing was read
					return err
				}
				if c.read > 0 {
					if err := tx.SetLastRead(g1, place(c.read)); err != nil {
						return err
					}
				}
				return tx.LowerLastRead(g1, place(c.late))
			}))
			if p, err := db.LastRead(g1); err != nil || p.Order != uint64(c.want) {
				t.Errorf("read to %d, late at %d: the mark is at %d, want %d, %v", c.read, c.late, p.Order, c.want, err)
			}
			if n, err := db.Unread(g1, ann); err != nil || n != c.unread {
				t.Errorf("read to %d, late at %d: %d unread, want %d, %v", c.read, c.late, n, c.unread, err)
			}
		}
	})
}
