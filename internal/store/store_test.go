package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

var (
	ann = wire.PersonID{0xa}
	bob = wire.PersonID{0xb}
	g1  = wire.GroupID{1}
	g2  = wire.GroupID{2}
)

// says is a row by a person at (order, device, 1) whose content id and
// commitment follow from the text.
func says(who wire.PersonID, order uint64, device byte, text string) group.Row {
	id := wire.Hash("test", []byte(text))
	return group.Row{
		Place:  group.Place{Order: order, Device: wire.DeviceID{device}, Seq: 1},
		Person: who, Block: wire.BlockHash{7}, Time: order, State: group.RowShown,
		ID: wire.ContentID(id[:]), Commit: wire.Digest(wire.Hash("seal", []byte(text))),
		Content: []byte(text),
	}
}

func config(t testing.TB) store.Config {
	t.Helper()
	return store.Config{Path: filepath.Join(t.TempDir(), "home", store.FileName), Key: store.NewKey()}
}

func open(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	db, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// each runs a test on a database in a file and on one in memory.
func each(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Run("file", func(t *testing.T) { test(t, open(t, config(t))) })
	t.Run("mem", func(t *testing.T) {
		db, err := store.Mem()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		test(t, db)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func texts(rows []group.Row) string {
	var all []string
	for _, r := range rows {
		all = append(all, string(r.Content))
	}
	return strings.Join(all, " ")
}

func wantPage(t *testing.T, db *store.DB, g wire.GroupID, want string) {
	t.Helper()
	rows, err := db.Page(g, nil, 100)
	must(t, err)
	if got := texts(rows); got != want {
		t.Fatalf("page: %q, want %q", got, want)
	}
}

func TestRecords(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		must(t, db.Commit(g1, []group.Record{
			{Kind: group.KindEntry, Key: []byte{2}, Value: []byte("e2")},
			{Kind: group.KindEntry, Key: []byte{1, 9}, Value: []byte("e19")},
			{Kind: group.KindEntry, Key: []byte{1}, Value: []byte("e1")},
			{Kind: group.KindSelf, Value: []byte{}},
			{Kind: group.KindAck, Key: []byte{3}, Value: []byte("old")},
			{Kind: group.KindAck, Key: []byte{4}, Value: []byte("gone")},
		}, nil, nil))
		must(t, db.Commit(g1, []group.Record{
			{Kind: group.KindAck, Key: []byte{3}, Value: []byte("new")},
			{Kind: group.KindAck, Key: []byte{4}},
		}, nil, nil))
		must(t, db.Commit(g2, []group.Record{{Kind: group.KindSelf, Value: []byte("other")}}, nil, nil))

		list := func(g wire.GroupID, kinds []group.Kind) string {
			var got []string
			must(t, db.Load(g, kinds, func(r group.Record) error {
				got = append(got, fmt.Sprintf("%d/%x=%s", r.Kind, r.Key, r.Value))
				return nil
			}))
			return strings.Join(got, " ")
		}
		if got, want := list(g1, nil), "1/= 6/01=e1 6/0109=e19 6/02=e2 8/03=new"; got != want {
			t.Errorf("all: %s, want %s", got, want)
		}
		if got, want := list(g1, []group.Kind{group.KindAck, group.KindSelf, group.KindAck}), "1/= 8/03=new"; got != want {
			t.Errorf("two kinds: %s, want %s", got, want)
		}
		if got := list(g1, []group.Kind{}); got != "" {
			t.Errorf("no kinds: %s", got)
		}
		if got := list(wire.GroupID{9}, nil); got != "" {
			t.Errorf("unknown group: %s", got)
		}
		v, found, err := db.Get(g1, group.KindSelf, nil)
		if err != nil || !found || v == nil || len(v) != 0 {
			t.Errorf("empty value: %v, %v, %v", v, found, err)
		}
		if _, found, err := db.Get(g1, group.KindAck, []byte{4}); found || err != nil {
			t.Errorf("deleted record: %v, %v", found, err)
		}
		groups, err := db.Groups()
		if err != nil || !slices.Equal(groups, []wire.GroupID{g1, g2}) {
			t.Errorf("groups: %v, %v", groups, err)
		}
		stop := errors.New("stop")
		if err := db.Load(g1, nil, func(group.Record) error { return stop }); err != stop {
			t.Errorf("Load returned %v, not the error of each", err)
		}
	})
}

func TestCommitIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		stop := errors.New("stop")
		err := db.CommitMany([]store.Batch{
			{Group: g1, Records: []group.Record{{Kind: group.KindSelf, Value: []byte("x")}}, Rows: []group.Row{says(ann, 1, 1, "hi")}},
			{Group: g2, Also: func(tx *store.Tx) error {
				must(t, tx.Put("b", []byte("k"), []byte("v")))
				return stop
			}},
		})
		if err != stop {
			t.Fatalf("got %v", err)
		}
		if groups, _ := db.Groups(); len(groups) != 0 {
			t.Errorf("groups of a transaction that failed: %v", groups)
		}
		func() {
			defer func() { recover() }()
			db.Update(func(tx *store.Tx) error {
				tx.Put("b", []byte("k"), []byte("v"))
				panic("in the middle")
			})
		}()
		must(t, db.View(func(tx *store.Tx) error {
			if _, found, err := tx.Get("b", []byte("k")); found || err != nil {
				t.Errorf("item of a transaction that failed: %v, %v", found, err)
			}
			return nil
		}))
		must(t, db.Commit(g1, nil, []group.Row{says(ann, 1, 1, "again")}, nil))
		wantPage(t, db, g1, "again")
	})
}

func TestDeleteGroup(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		for _, g := range []wire.GroupID{g1, g2} {
			gone := says(bob, 2, 2, "gone")
			gone.State = group.RowWithdrawn
			must(t, db.Commit(g, []group.Record{{Kind: group.KindSelf, Value: []byte("s")}}, []group.Row{says(ann, 1, 1, "hi"), gone}, nil))
			must(t, db.SetLastRead(g, group.Place{Order: 1}))
		}
		failed := errors.New("failed")
		if err := db.Update(func(tx *store.Tx) error {
			must(t, tx.DeleteGroup(g1))
			return failed
		}); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		wantPage(t, db, g1, "hi")
		must(t, db.DeleteGroup(g1))
		must(t, db.DeleteGroup(g1))
		groups, err := db.Groups()
		if err != nil || !slices.Equal(groups, []wire.GroupID{g2}) {
			t.Fatalf("groups: %v, %v", groups, err)
		}
		wantPage(t, db, g1, "")
		wantPage(t, db, g2, "hi")
		must(t, db.Commit(g1, nil, nil, nil))
		wantPage(t, db, g1, "")
		if p, err := db.LastRead(g1); err != nil || p != (group.Place{}) {
			t.Errorf("read mark of a new group: %v, %v", p, err)
		}
	})
}

func TestBuckets(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		must(t, db.Update(func(tx *store.Tx) error {
			for _, k := range []string{"b", "a", "a\xff", "a\xff\xff", "\xff", ""} {
				must(t, tx.Put("things", []byte(k), []byte("="+k)))
			}
			must(t, tx.Put("things", []byte("b"), []byte{}))
			must(t, tx.Put("other", []byte("a"), []byte("x")))
			return tx.Delete("things", []byte("absent"))
		}))
		must(t, db.View(func(tx *store.Tx) error {
			for prefix, want := range map[string]string{
				"": `"" "a" "a\xff" "a\xff\xff" "b" "\xff"`, "a": `"a" "a\xff" "a\xff\xff"`,
				"a\xff": `"a\xff" "a\xff\xff"`, "\xff": `"\xff"`, "c": ``,
			} {
				pairs, err := tx.List("things", []byte(prefix))
				must(t, err)
				var got []string
				for _, p := range pairs {
					got = append(got, fmt.Sprintf("%q", p.Key))
				}
				if strings.Join(got, " ") != want {
					t.Errorf("list %q: %s, want %s", prefix, got, want)
				}
			}
			v, found, err := tx.Get("things", []byte("b"))
			if err != nil || !found || len(v) != 0 {
				t.Errorf("empty value: %q, %v, %v", v, found, err)
			}
			if err := tx.Put("things", []byte("k"), nil); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Put in a View: %v", err)
			}
			if err := tx.Delete("things", []byte("b")); !errors.Is(err, store.ErrReadOnly) {
				t.Errorf("Delete in a View: %v", err)
			}
			if _, err := tx.List(strings.Repeat("x", 65), nil); !errors.Is(err, store.ErrRange) {
				t.Errorf("long bucket name: %v", err)
			}
			return nil
		}))
	})
}

func TestReopen(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	must(t, db.Commit(g2, nil, []group.Row{says(ann, 1, 1, "two")}, nil))
	must(t, db.Commit(g1, nil, []group.Row{says(ann, 1, 1, "one")}, nil))
	must(t, db.Close())
	must(t, db.Close())
	if _, err := db.Page(g1, nil, 1); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Page after Close: %v", err)
	}
	if err := db.Commit(g1, nil, nil, nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Commit after Close: %v", err)
	}
	if _, err := db.Groups(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Groups after Close: %v", err)
	}
	for _, ending := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(cfg.Path + ending); err == nil {
			t.Errorf("%s is left after Close", ending)
		}
	}
	db = open(t, cfg)
	wantPage(t, db, g1, "one")
	wantPage(t, db, g2, "two")
	groups, err := db.Groups()
	if err != nil || !slices.Equal(groups, []wire.GroupID{g2, g1}) {
		t.Errorf("groups: %v, %v", groups, err)
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, nil, nil))
	_, err := db.Count(g1)
	must(t, err)
	entries, err := os.ReadDir(filepath.Dir(cfg.Path))
	must(t, err)
	var names []string
	for _, e := range entries {
		fi, err := e.Info()
		must(t, err)
		names = append(names, e.Name())
		if fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", e.Name(), fi.Mode().Perm())
		}
	}
	if want := []string{"kith.db", "kith.db-shm", "kith.db-wal", "kith.db.lock"}; !slices.Equal(names, want) {
		t.Errorf("files: %v, want %v", names, want)
	}
}

func TestOddPath(t *testing.T) {
	cfg := config(t)
	cfg.Path = filepath.Join(filepath.Dir(cfg.Path), "a b?c#d%20e", "kith&.db")
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, []group.Row{says(ann, 1, 1, "hi")}, nil))
	must(t, db.Close())
	b, err := os.ReadFile(cfg.Path)
	if err != nil || bytes.Contains(b, []byte("SQLite")) {
		t.Fatalf("%v, or not encrypted", err)
	}
	wantPage(t, open(t, cfg), g1, "hi")
}
