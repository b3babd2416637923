package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// about is a row of an annotation, or of another content, at (order, 1, 1).
func about(who wire.PersonID, order uint64, b group.Body) group.Row {
	c, err := group.Say(b)
	if err != nil {
		panic(err)
	}
	id := wire.Hash("test", c.Bytes(), []byte{byte(order)})
	_, annotation := c.About()
	return group.Row{
		Place:  group.Place{Order: order, Device: wire.DeviceID{1}, Seq: order, Hash: wire.Short{byte(order)}},
		Person: who, Block: wire.BlockHash{7}, Time: order, State: group.RowShown, ID: wire.ContentID(id[:]), Commit: id,
		Content: c.Bytes(), Annotation: annotation,
	}
}

func words(who wire.PersonID, order uint64, text string) group.Row {
	return about(who, order, group.Words{Text: text})
}

func around(t *testing.T, db *store.DB, of ...group.Target) []group.Row {
	t.Helper()
	rows, _, err := db.Around(g1, of, nil)
	must(t, err)
	slices.SortFunc(rows, func(a, b group.Row) int { return group.ComparePlaces(a.Place, b.Place) })
	return rows
}

// TestAnnotationsAreNoLines: they are found by what they are about, and nowhere else.
func TestAnnotationsAreNoLines(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		first, second := words(bob, 1, "first"), words(ann, 2, "second")
		reply := about(bob, 3, group.Reply{To: first.Target(), Text: "yes"})
		var rows []group.Row
		for i := range uint64(5) {
			rows = append(rows, about(bob, 10+i, group.Reaction{To: first.Target(), On: true, Emoji: fmt.Sprint(i)}))
		}
		pin := about(bob, 20, group.Pin{Of: second.Target(), On: true})
		pin.May = group.MayArrange
		early := about(bob, 21, group.Edit{Of: words(ann, 30, "to come").Target(), Text: "x"})
		must(t, db.Commit(g1, nil, append(rows, first, second, reply, pin, early), nil))
		page, err := db.Page(g1, nil, 10)
		must(t, err)
		if len(page) != 3 || page[2].Place != reply.Place {
			t.Errorf("a page of %d rows: %+v", len(page), page)
		}
		if n, err := db.Unread(g1, ann); n != 2 || err != nil {
			t.Errorf("%d unread, %v", n, err)
		}
		if r, err := db.Newest(g1); err != nil || r.Place != reply.Place {
			t.Errorf("newest is %+v, %v", r, err)
		}
		if n, err := db.Count(g1); n != 3 || err != nil {
			t.Errorf("%d lines, %v", n, err)
		}
		if got := around(t, db, first.Target(), second.Target()); len(got) != 6 || got[5].Place != pin.Place {
			t.Errorf("%d annotations", len(got))
		}
		annotations, lines, err := db.Around(g1, []group.Target{second.Target()}, []group.Target{first.Target(), {}})
		if err != nil || len(annotations) != 1 || len(lines) != 1 || lines[0].Place != first.Place {
			t.Errorf("%+v, %+v, %v", annotations, lines, err)
		}
		if pins, err := db.Pins(g1, 10); err != nil || len(pins) != 1 || pins[0].Place != pin.Place {
			t.Errorf("pins %+v, %v", pins, err)
		}
		if r, err := db.RowAt(g1, pin.Place); err != nil || r == nil || !r.Annotation {
			t.Errorf("at its place: %+v, %v", r, err)
		}
		// What could not be read was a line; read, it is none.
		blank := unreadable(about(bob, 22, group.Pin{Of: first.Target()}))
		blank.Annotation = false
		must(t, db.Commit(g1, nil, []group.Row{blank}, nil))
		if n, _ := db.Count(g1); n != 4 {
			t.Errorf("%d lines", n)
		}
		must(t, db.Commit(g1, nil, []group.Row{about(bob, 22, group.Pin{Of: first.Target()})}, nil))
		if n, _ := db.Count(g1); n != 3 {
			t.Errorf("%d lines", n)
		}
		if rows, err := db.LinesByID(g1, first.ID[:3]); err != nil || len(rows) != 1 || rows[0].Place != first.Place {
			t.Errorf("by id: %+v, %v", rows, err)
		}
		if rows, err := db.LinesByID(g1, pin.ID[:]); err != nil || len(rows) != 0 {
			t.Errorf("by the id of an annotation: %+v, %v", rows, err)
		}
	})
}

// TestPinsWithoutRight: whoever has no right to pin keeps no pinned message out of the list.
func TestPinsWithoutRight(t *testing.T) {
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	pinned := words(ann, 1, "pinned")
	pin := about(ann, 2, group.Pin{Of: pinned.Target(), On: true})
	pin.May = group.MayRemove | group.MayArrange
	rows := []group.Row{pinned, pin}
	for i := range uint64(store.MaxPage) {
		rows = append(rows, about(bob, 10+i, group.Pin{Of: pinned.Target(), On: i%2 == 0}))
		rows[len(rows)-1].Commit[1] = byte(i >> 8)
	}
	must(t, db.Commit(g1, nil, rows, nil))
	if pins, err := db.Pins(g1, store.MaxPage); err != nil || len(pins) != 1 || pins[0].Place != pin.Place {
		t.Errorf("%d pins, %v", len(pins), err)
	}
}

// TestManyTargets: more than one statement takes.
func TestManyTargets(t *testing.T) {
	db, err := store.Mem()
	must(t, err)
	defer db.Close()
	var rows []group.Row
	var of, answered []group.Target
	for i := range uint64(250) {
		m := words(ann, 1+i, fmt.Sprint(i))
		rows = append(rows, m, about(bob, 1000+i, group.Close{Of: m.Target()}))
		of, answered = append(of, m.Target()), append(answered, m.Target())
	}
	must(t, db.Commit(g1, nil, rows, nil))
	annotations, lines, err := db.Around(g1, of, answered[:220])
	if err != nil || len(annotations) != 250 || len(lines) != 220 {
		t.Errorf("%d annotations, %d lines, %v", len(annotations), len(lines), err)
	}
}

// TestWipe: with the key in hand, nothing of what was deleted is in the files once the
// database is closed: of the message, of copies of it, of what was kept to hand over, of
// its versions. What is not the delete's to take stays.
func TestWipe(t *testing.T) {
	home := t.TempDir()
	cfg := store.Config{Path: filepath.Join(home, store.FileName), Plain: true}
	db := open(t, cfg)
	m := words(bob, 1, canaries[2])
	again := m
	again.Place.Order, again.Place.Seq = 9, 9
	version := about(bob, 3, group.Edit{Of: m.Target(), Text: canaries[3]})
	unseen := about(bob, 4, group.Edit{Of: m.Target(), Text: canaries[6]})
	reaction := about(ann, 5, group.Reaction{To: m.Target(), On: true, Emoji: "!"})
	other := words(bob, 6, canaries[7])
	remove := about(ann, 7, group.Delete{Of: m.Target()})
	var records []group.Record
	for i, r := range []group.Row{m, again, version, unseen, other, remove} {
		records = append(records, group.Record{Kind: group.KindEntry, Key: group.EntryKey(r.Place.Ref()), Value: []byte{1}},
			group.Record{Kind: group.KindCipher, Key: group.EntryKey(r.Place.Ref()), Value: []byte(canaries[8] + fmt.Sprint(i))},
			group.Record{Kind: group.KindShelved, Key: group.EntryKey(r.Place.Ref()), Value: r.Content},
			group.Record{Kind: group.KindSalt, Key: group.EntryKey(r.Place.Ref()), Value: make([]byte, 32)})
	}
	must(t, db.Commit(g1, records, []group.Row{again, m, version, unseen, reaction, other, remove}, nil))
	for _, r := range []group.Row{m, version, reaction} {
		if got, err := db.Content(g1, r.Target()); err != nil || !slices.Equal(got, r.Content) {
			t.Errorf("%q, %v is what is handed over of %q", got, err, r.Content)
		}
	}
	must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: []group.Deletion{
		{Target: m.Target()},
		{Target: version.Target(), Annotation: true},
		{Target: reaction.Target()},
		{Target: reaction.Target(), Annotation: true},
		{Target: remove.Target(), Annotation: true},
		{Target: other.Target(), Annotation: true}, // it is no edit
		{Target: words(ann, 99, "not here").Target()},
	}}}))
	for _, c := range []struct {
		name           string
		row            group.Row
		cipher, opened bool
		state          group.RowState
	}{
		{"the message", m, false, false, group.RowDeleted},
		{"its version", version, false, false, group.RowDeleted},
		{"a version its deleter had not seen", unseen, true, false, group.RowDeleted},
		{"another message", other, true, true, group.RowShown},
		{"the delete", remove, true, true, group.RowShown},
	} {
		key := group.EntryKey(c.row.Place.Ref())
		_, header, _ := db.Get(g1, group.KindEntry, key)
		_, cipher, _ := db.Get(g1, group.KindCipher, key)
		_, opened, _ := db.Get(g1, group.KindShelved, key)
		_, salt, _ := db.Get(g1, group.KindSalt, key)
		if !header || cipher != c.cipher || opened != c.opened || salt != c.opened {
			t.Errorf("%s: header %v, ciphertext %v, opened %v, salt %v", c.name, header, cipher, opened, salt)
		}
		if got, err := db.Content(g1, c.row.Target()); err != nil || (got != nil) != c.opened {
			t.Errorf("%s: %q, %v is handed over", c.name, got, err)
		}
		if r, err := db.RowAt(g1, c.row.Place); err != nil || r == nil || r.State != c.state || (len(r.Content) > 0) != (c.state == group.RowShown) {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
	}
	if _, found, _ := db.Get(g1, group.KindCipher, group.EntryKey(again.Place.Ref())); found {
		t.Error("the ciphertext of the copy is there")
	}
	if n, err := db.Unread(g1, ann); n != 1 || err != nil {
		t.Errorf("%d unread, %v", n, err)
	}
	// The visible copy goes, and the hidden one comes up: deleted too.
	must(t, db.Commit(g1, nil, []group.Row{{Place: m.Place, State: group.RowWithdrawn}}, nil))
	if r, err := db.RowAt(g1, again.Place); err != nil || r == nil || r.State != group.RowDeleted || len(r.Content) > 0 {
		t.Errorf("the copy: %+v, %v", r, err)
	}
	must(t, db.Close())
	found := leaks(t, home)
	for _, gone := range []string{canaries[2], canaries[3], canaries[6]} {
		if slices.Contains(found, gone) {
			t.Errorf("%s is still there", gone)
		}
	}
	if !slices.Contains(found, canaries[7]) {
		t.Error("the control is not there")
	}
}

// TestWipeBeyond: of who had no right at some blocks to take messages away, what was written there
// stays, with what edits it; one copy elsewhere is enough for all to go.
func TestWipeBeyond(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		at := func(r group.Row, block byte) group.Row {
			r.Block = wire.BlockHash{block}
			return r
		}
		old, since, split := at(words(bob, 1, "old"), 1), at(words(bob, 2, "since"), 2), at(words(bob, 3, "split"), 2)
		copied := at(split, 1)
		copied.Place.Order, copied.Place.Seq = 9, 9
		notHere := words(ann, 30, "to come")
		edit, early := at(about(bob, 4, group.Edit{Of: since.Target(), Text: "x"}), 2), at(about(ann, 5, group.Edit{Of: notHere.Target(), Text: "y"}), 2)
		rows := []group.Row{old, since, split, copied, edit, early}
		must(t, db.Commit(g1, nil, rows, nil))
		var gone []group.Deletion
		for _, r := range []group.Row{old, since, split, notHere} {
			gone = append(gone, group.Deletion{Target: r.Target(), Beyond: []wire.BlockHash{{2}, {3}}})
		}
		must(t, db.CommitMany([]store.Batch{{Group: g1, Deleted: gone}}))
		for i, want := range []group.RowState{group.RowDeleted, group.RowShown, group.RowDeleted, 0, group.RowShown, group.RowShown} {
			if want == 0 {
				continue // a copy, hidden
			}
			if r, err := db.RowAt(g1, rows[i].Place); err != nil || r == nil || r.State != want || (len(r.Content) > 0) != (want == group.RowShown) {
				t.Errorf("row %d: %+v, %v", i, r, err)
			}
		}
	})
}

// TestRowsBeforeAnnotations: what an older program stored of a kind that it did not know
// is found, and sorted by putting it again.
func TestRowsBeforeAnnotations(t *testing.T) {
	cfg := config(t)
	text, reaction := words(bob, 1, "hello"), about(ann, 2, group.Reaction{To: words(bob, 1, "hello").Target(), On: true, Emoji: "!"})
	blank := unreadable(words(bob, 3, "blank"))
	undo := store.OnlyMigrations(2)
	db := open(t, cfg)
	sql := fmt.Sprintf("INSERT INTO groups (n, id) VALUES (1, x'%x');", g1[:])
	insert := func(table string, r group.Row) {
		p := r.Place
		sql += fmt.Sprintf("INSERT INTO %s (grp, ord, device, seq, hash, person, id, content_commit, block, time, state, marks, client, content)"+
			" VALUES (1, %d, x'%x', %d, x'%x', x'%x', x'%x', x'%x', x'%x', 1, %d, 0, '', x'%x');",
			table, p.Order, p.Device[:], p.Seq, p.Hash[:], r.Person[:], r.ID[:], r.Commit[:], r.Block[:], r.State, r.Content)
	}
	insert("messages", text)
	insert("messages", reaction)
	insert("messages", blank)
	must(t, store.Raw(db, sql))
	must(t, db.Close())
	undo()

	db = open(t, cfg)
	for range 3 {
		rows, err := db.Unsorted(g1)
		must(t, err)
		for i := range rows {
			if rows[i].ID != reaction.ID {
				t.Errorf("%+v is not sorted", rows[i])
			}
			rows[i].Annotation = true
		}
		must(t, db.Commit(g1, nil, rows, func(tx *store.Tx) error { return tx.Sorted(g1, rows) }))
	}
	if rows, err := db.Unsorted(g1); err != nil || len(rows) > 0 {
		t.Errorf("%d rows are not sorted: %v", len(rows), err)
	}
	if n, err := db.Count(g1); n != 2 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	if got := around(t, db, text.Target()); len(got) != 1 || got[0].Place != reaction.Place {
		t.Errorf("about the text: %+v", got)
	}
}

// TestAnnotationsAreFoundByIndex: the two statements of a page of messages.
func TestAnnotationsAreFoundByIndex(t *testing.T) {
	for name, plan := range store.AnnotationPlans(t, open(t, config(t))) {
		if strings.Contains(plan, "SCAN messages") || strings.Contains(plan, "SCAN annotations") || !strings.Contains(plan, "USING INDEX ") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}

// TestManyOfOne: of one person's annotations of one kind the newest stay, in whatever
// order they come; what the others said is gone, and their places are kept.
func TestManyOfOne(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		m := words(ann, 1, "edited often")
		const many = 3 * group.MaxAbout
		var rows []group.Row
		for i := range uint64(many) {
			r := about(ann, 10+i, group.Edit{Of: m.Target(), Text: fmt.Sprint("version ", i)})
			rows = append(rows, r)
		}
		other := about(bob, 5, group.Reaction{To: m.Target(), On: true, Emoji: "x"})
		mixed := append(slices.Clone(rows), m, other)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for part := range slices.Chunk(mixed, 50) {
			must(t, db.Commit(g1, nil, part, nil))
		}
		got := around(t, db, m.Target())
		if len(got) != group.MaxAbout+1 || got[0].Place != other.Place || got[1].Place != rows[many-group.MaxAbout].Place {
			t.Errorf("%d annotations", len(got))
		}
		for i, r := range rows {
			at, err := db.RowAt(g1, r.Place)
			if err != nil || at == nil || !at.Annotation || (len(at.Content) > 0) != (i >= many-group.MaxAbout) {
				t.Fatalf("%d: %+v, %v", i, at, err)
			}
		}
		if n, err := db.Count(g1); n != 1 || err != nil {
			t.Errorf("%d lines, %v", n, err)
		}
	})
}
