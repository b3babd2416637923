package store_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestTwoEntriesAtOnePlace: rows that differ in their entry alone are two rows.
func TestTwoEntriesAtOnePlace(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		one, two := says(ann, 5, 1, "one"), says(ann, 5, 1, "two")
		one.Place.Hash, two.Place.Hash = wire.Short{2}, wire.Short{1}
		must(t, db.Commit(g1, nil, []group.Row{one}, nil))
		two.State, two.Content = group.RowUnreadable, nil
		must(t, db.Commit(g1, nil, []group.Row{two, says(ann, 6, 1, "three")}, nil))
		must(t, db.CommitMany([]store.Batch{{Group: g1, Twice: []group.Place{one.Place, two.Place}}}))
		rows, err := db.Page(g1, nil, 10)
		must(t, err)
		if len(rows) != 3 || rows[0].Place != two.Place || string(rows[1].Content) != "one" {
			t.Fatalf("%+v", rows)
		}
		if !rows[0].Twice || !rows[1].Twice || rows[2].Twice {
			t.Errorf("marks %v %v %v", rows[0].Twice, rows[1].Twice, rows[2].Twice)
		}
		if page, err := db.Page(g1, &one.Place, 10); err != nil || len(page) != 1 || page[0].Place != two.Place {
			t.Errorf("before the second: %+v, %v", page, err)
		}
		must(t, db.SetLastRead(g1, two.Place))
		if n, err := db.Unread(g1, bob); n != 2 || err != nil {
			t.Errorf("%d unread, %v", n, err)
		}
		must(t, db.Commit(g1, nil, []group.Row{{Place: two.Place, State: group.RowWithdrawn}}, nil))
		wantPage(t, db, g1, "one three")
	})
}

// TestRowsOfTheFirstVersion: rows from before a place had a hash get that of the
// entry that they show.
func TestRowsOfTheFirstVersion(t *testing.T) {
	cfg := config(t)
	shown, hidden, gone := says(ann, 5, 1, "shown"), says(ann, 8, 1, "shown"), says(ann, 9, 1, "gone")
	undo := store.OnlyMigrations(1)
	db := open(t, cfg)
	sql := fmt.Sprintf("INSERT INTO groups (n, id, read_ord, read_device, read_seq) VALUES (1, x'%x', 5, x'%x', 1);", g1[:], shown.Place.Device[:])
	for _, r := range []struct {
		table string
		row   group.Row
	}{{"messages", shown}, {"hidden", hidden}, {"hidden", gone}} {
		p := r.row.Place
		sql += fmt.Sprintf("INSERT INTO %s VALUES (1, %d, x'%x', %d, x'%x', x'%x', x'%x', x'%x', 1, 1, 0, '', x'%x');",
			r.table, p.Order, p.Device[:], p.Seq, r.row.Person[:], r.row.ID[:], r.row.Commit[:], r.row.Block[:], r.row.Content)
	}
	entry := func(r group.Row, hash byte) {
		key := fmt.Sprintf("%x%016x", r.Place.Device[:], r.Place.Seq) + strings.Repeat(hex.EncodeToString([]byte{hash}), 16)
		sql += fmt.Sprintf("INSERT INTO records VALUES (1, 6, x'%s', x'0101%x00');", key, r.Commit[:])
	}
	entry(says(ann, 5, 1, "another"), 0) // that the first version did not keep a row of
	entry(shown, 0xff)
	must(t, store.Raw(db, sql))
	must(t, db.Close())
	undo()

	db = open(t, cfg)
	shown.Place.Hash = wire.Short([]byte(strings.Repeat("\xff", 16)))
	if got, err := db.RowAt(g1, shown.Place); err != nil || got == nil || string(got.Content) != "shown" {
		t.Fatalf("%+v, %v", got, err)
	}
	if n, err := db.Unread(g1, bob); n != 0 || err != nil {
		t.Errorf("%d unread, %v", n, err)
	}
	// The copy comes up when the row in view is withdrawn.
	must(t, db.Commit(g1, nil, []group.Row{{Place: shown.Place, State: group.RowWithdrawn}}, nil))
	rows, err := db.Page(g1, nil, 10)
	must(t, err)
	if len(rows) != 1 || rows[0].Place.Order != 8 || rows[0].Place.Hash != shown.Place.Hash {
		t.Errorf("%+v", rows)
	}
}
