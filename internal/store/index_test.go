package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// oldHome is a database of before there was an index, with n rows in two groups.
func oldHome(t *testing.T, n int) store.Config {
	t.Helper()
	cfg := config(t)
	undo := store.OnlyMigrations(2)
	defer undo()
	db := open(t, cfg)
	sql := fmt.Sprintf("INSERT INTO groups (n, id) VALUES (1, x'%x'), (2, x'%x');", g1[:], g2[:])
	for i := range n {
		r := writes(ann, uint64(1+i), 1, fmt.Sprintf("old message %d", i))
		sql += fmt.Sprintf("INSERT INTO messages VALUES (%d, %d, x'%x', 1, x'%x', x'%x', x'%x', x'%x', 1, 1, 0, '', x'%x', x'%x');", 1+i%2,
			r.Place.Order, r.Place.Device[:], r.Person[:], r.ID[:], r.Commit[:], r.Block[:], r.Content, r.Place.Hash[:])
	}
	must(t, store.Raw(db, sql))
	must(t, db.Close())
	return cfg
}

// TestOldHome: what was stored before there was an index is indexed little by little,
// newest first, while messages come and go.
func TestOldHome(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	cfg := oldHome(t, 101)
	db := open(t, cfg)
	old := store.Asked{Query: query(t, "old ")}
	if f, err := db.Search(store.Asked{Query: old.Query, Limit: 50}); err != nil || len(f.Found) != 0 || f.Percent != 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	live, last := 101, -1
	for step := 0; ; step++ {
		f, err := db.Search(store.Asked{Query: old.Query, Limit: 50})
		must(t, err)
		if f.Percent == 100 {
			break
		}
		if f.Percent < last {
			t.Fatalf("%d %% after %d %%", f.Percent, last)
		}
		last = f.Percent
		switch step {
		case 2: // one that is not indexed yet, one that is; and one that comes anew
			must(t, db.Commit(g1, nil, []group.Row{withdrawn(writes(ann, 1, 1, "old message 0")), withdrawn(writes(ann, 101, 1, "old message 100"))}, nil))
			must(t, db.Commit(g2, nil, []group.Row{writes(bob, 50, 2, "old in a way")}, nil))
			live--
		case 4:
			must(t, db.Close())
			db = open(t, cfg)
		}
		if _, err := db.IndexSome(1); err != nil {
			t.Fatal(err)
		}
		store.CheckIndex(t, db)
		if step > 100 {
			t.Fatal("no end")
		}
	}
	if all := found(t, db, old, 10); len(all) != live {
		t.Errorf("%d found, want %d", len(all), live)
	}
	if more, err := db.IndexSome(1); more || err != nil {
		t.Errorf("more %v, %v", more, err)
	}
	if spans := store.Spans(t, db); len(spans) < 6 {
		t.Errorf("spans of %v", spans)
	}
}

// TestLargeGroupDeleted: with many rows less the index is made anew, and what is
// left is found.
func TestLargeGroupDeleted(t *testing.T) {
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	must(t, db.Commit(g1, nil, many(0, 1500), nil))
	must(t, db.Commit(g2, nil, []group.Row{writes(bob, 5, 1, "message that stays")}, nil))
	must(t, db.DeleteGroup(g1))
	if words := store.Terms(t, db); len(words) != 0 {
		t.Errorf("left of a deleted group: %d words", len(words))
	}
	must(t, db.Commit(g2, nil, []group.Row{writes(bob, 6, 1, "message of later")}, nil))
	for more := true; more; {
		if more, err = db.IndexSome(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := saidOf(found(t, db, store.Asked{Query: query(t, "message")}, 10)); got != "message of later | message that stays" {
		t.Errorf("found %s", got)
	}
	store.CheckIndex(t, db)
}

// rareWord is a word of 12 letters that no other is like.
func rareWord(i uint64) string {
	hash := wire.Hash("word", binary.BigEndian.AppendUint64(nil, i))
	var b [12]byte
	for j := range b {
		b[j] = 'a' + hash[j]%26
	}
	return string(b[:])
}

// TestDeletedWordIsGone: of a deleted message the index keeps no word, and after
// the next merge no beginning of one.
func TestDeletedWordIsGone(t *testing.T) {
	home := t.TempDir()
	db := open(t, store.Config{Path: filepath.Join(home, store.FileName), Plain: true})
	const messages, words = 3000, 8
	text := func(i uint64) string {
		var all []string
		for j := range uint64(words) {
			all = append(all, rareWord(i*words+j))
		}
		return strings.Join(all, " ")
	}
	for i := uint64(0); i < messages; {
		var rows []group.Row
		for range 300 {
			rows = append(rows, writes(ann, 1+i, 1, text(i)))
			i++
		}
		must(t, db.Commit(g1, nil, rows, nil))
	}
	var lost []string
	var batch []group.Row
	for i := uint64(0); i < messages; i += 10 {
		r := writes(ann, 1+i, 1, text(i))
		if i%20 == 0 {
			r = withdrawn(r)
		} else {
			r = unreadable(r)
		}
		r.Content = nil
		if batch = append(batch, r); len(batch) == 50 {
			must(t, db.Commit(g1, nil, batch, nil))
			batch = nil
		}
		lost = append(lost, strings.Fields(text(i))...)
	}
	store.CheckIndex(t, db)
	terms := store.Terms(t, db)
	if want := (messages - len(lost)/words) * words; len(terms) < want {
		t.Fatalf("%d words in the index, want %d", len(terms), want)
	}
	for _, w := range lost {
		if terms[w] > 0 {
			t.Errorf("%s is in the index", w)
		}
	}
	day := uint64(24 * 3600 * 1000)
	steps := 0
	for more := true; more; steps++ {
		var err error
		if more, err = db.IndexSome(10 * day); err != nil || steps > 10_000 {
			t.Fatal(steps, err)
		}
	}
	if steps < 3 {
		t.Errorf("the merge took %d steps", steps)
	}
	for _, post := range store.SignPosts(t, db) {
		for _, w := range lost {
			if len(post) > 3 && strings.HasPrefix(w, post) && !begins(terms, post) {
				t.Errorf("after the merge %q points to where %s was", post, w)
			}
		}
	}
	if more, err := db.IndexSome(10*day + 1); more || err != nil {
		t.Errorf("a second merge on one day: %v, %v", more, err)
	}
	must(t, db.Close())
	b, err := os.ReadFile(filepath.Join(home, store.FileName))
	must(t, err)
	if w := rareWord(words); !bytes.Contains(b, []byte(w)) {
		t.Fatalf("%s, of a message that is there, is not in the file: the test looks in the wrong place", w)
	}
	ends := make(map[string]bool) // the engine may write a word without the letters it shares with the one before
	for _, w := range lost {
		ends[w[3:]] = true
	}
	for i := range len(b) - 9 {
		if ends[string(b[i:i+9])] {
			t.Errorf("the file has ...%s", b[i:i+9])
		}
	}
}

func begins(terms map[string]int, with string) bool {
	for w := range terms {
		if strings.HasPrefix(w, with) {
			return true
		}
	}
	return false
}

// TestSearchOnFullDisk: what was indexed is found, what waits to be is not, and the answer says so.
func TestSearchOnFullDisk(t *testing.T) {
	t.Cleanup(store.UseSmallIndex())
	d := newDisk()
	db := open(t, store.On(t, config(t), d))
	must(t, db.Commit(g1, nil, many(0, 5), nil))
	must(t, db.Commit(g1, nil, many(5, 1), nil))
	want := func(rows, percent int) {
		t.Helper()
		got, err := db.Search(store.Asked{Query: query(t, "message"), Limit: 10})
		must(t, err)
		if len(got.Found) != rows || got.Percent != percent {
			t.Errorf("%d found of %d %%, want %d of %d %%", len(got.Found), got.Percent, rows, percent)
		}
	}
	d.setSpace(0)
	want(5, 99)
	d.setSpace(-1)
	want(6, 100)
}

// TestOtherVersionOfIndex: a program that makes another index makes it anew.
func TestOtherVersionOfIndex(t *testing.T) {
	cfg := config(t)
	db := open(t, cfg)
	must(t, db.Commit(g1, nil, many(0, 20), nil))
	wantIndexed(t, db, 20)
	must(t, store.Raw(db, "UPDATE indexing SET version = 0"))
	must(t, db.Close())
	db = open(t, cfg)
	if f, err := db.Search(store.Asked{Query: query(t, "message"), Limit: 9}); err != nil || len(f.Found) > 0 || f.Percent > 0 {
		t.Errorf("%+v, %v", f, err)
	}
	for more := true; more; {
		var err error
		if more, err = db.IndexSome(rand.Uint64()); err != nil {
			t.Fatal(err)
		}
	}
	wantIndexed(t, db, 20)
}
