package store

import (
	"slices"
	"strings"

	"kith/internal/group"
	"kith/internal/wire"
)

// Annotations are contents about another message, its target. They stand in the
// table of messages, beside the lines and out of their way: the index over places
// begins with the column annotation.

// unsorted is the kind of a row that was stored by a program which did not know what
// it is.
const unsorted = -1

// maxTargets is how many messages one statement finds the annotations of: a page of
// 50 lines of which each answers another needs one.
const maxTargets = 100

// The statements for annotations. What lines answer is found besides, on whatever
// page it is.
var (
	sqlAbout = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_target WHERE grp = ? AND target <> x''" +
		" AND target IN (" + repeated("?", maxTargets) + ")"
	sqlAround = sqlAbout + " UNION ALL SELECT " + rowColumns + " FROM messages INDEXED BY messages_same WHERE grp = ?" +
		" AND (id, person, content_commit) IN (VALUES " + repeated("(?, ?, ?)", maxTargets) + ") AND annotation = 0"

	sqlOfKind = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_kind WHERE grp = ? AND kind = ? AND kind IN (-1, 10)" +
		" ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?"
	sqlUnsortedHidden = "SELECT " + rowColumns + " FROM hidden WHERE grp = ? AND kind = -1"
)

func repeated(s string, n int) string { return strings.Repeat(s+", ", n-1) + s }

// Around returns the annotations of messages, in no order, and the lines among
// answered. Who wants the annotations of those too names them twice.
func (db *DB) Around(g wire.GroupID, targets, answered []group.Target) (annotations, lines []group.Row, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		for len(targets)+len(answered) > 0 {
			now, then := targets[:min(len(targets), maxTargets)], answered[:min(len(answered), maxTargets)]
			targets, answered = targets[len(now):], answered[len(then):]
			rows, err := c.around(n, now, then)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.Annotation {
					annotations = append(annotations, r)
				} else {
					lines = append(lines, r)
				}
			}
		}
		return nil
	})
	return annotations, lines, err
}

func (c *conn) around(n int64, targets, answered []group.Target) ([]group.Row, error) {
	args := []any{n}
	for i := range maxTargets {
		var t []byte // which is nobody's
		if i < len(targets) {
			t = targets[i].Bytes()
		}
		args = append(args, t)
	}
	if len(answered) == 0 {
		return c.rows(sqlAbout, args...)
	}
	args = append(args, n)
	for i := range maxTargets {
		if i >= len(answered) {
			args = append(args, []byte(nil), []byte(nil), []byte(nil))
			continue
		}
		t := &answered[i]
		args = append(args, t.ID[:], t.Person[:], t.Commit[:])
	}
	return c.rows(sqlAround, args...)
}

// Pins returns the newest Pins of a group, newest first. n is cut to [MaxPage].
func (db *DB) Pins(g wire.GroupID, n int) ([]group.Row, error) {
	return db.ofKind(g, int64(group.ContentPin), n)
}

// Unsorted returns rows that a program stored which did not know what they are; they
// are to be put again. At most [MaxPage] at a time.
func (db *DB) Unsorted(g wire.GroupID) ([]group.Row, error) {
	rows, err := db.ofKind(g, unsorted, MaxPage)
	if err != nil || len(rows) > 0 {
		return rows, err
	}
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) { return c.rows(sqlUnsortedHidden, grp) })
}

func (db *DB) ofKind(g wire.GroupID, kind int64, n int) ([]group.Row, error) {
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) { return c.rows(sqlOfKind, grp, kind, limit(n)) })
}

// subject is the kind of what a row says, 0 if it says nothing, and what it is about.
func subject(r group.Row) (kind int64, target []byte) {
	if r.State != group.RowShown {
		return 0, nil
	}
	if len(r.Content) > 1 && r.Content[0] == 0 && r.Content[1] == byte(group.ContentText) {
		return int64(group.ContentText), nil
	}
	c, err := group.ParseContent(r.Content)
	if err != nil {
		return 0, nil
	}
	if of, about := c.About(); about && r.Annotation {
		target = of.Bytes()
	}
	return int64(c.Kind), target
}

// wipe takes all that is stored of a message but its headers.
func (tx *Tx) wipe(n int64, d group.Deletion) error {
	copies, err := tx.copies(n, d.Target)
	if err != nil {
		return err
	}
	for _, r := range copies {
		if kind, _ := subject(r); r.State == group.RowShown && (r.Annotation != d.Annotation || r.Annotation && kind != int64(group.ContentEdit)) {
			continue // a Delete takes no such thing
		}
		r.Annotation = d.Annotation
		if err := tx.empty(n, r, group.KindCipher, group.KindShelved); err != nil {
			return err
		}
	}
	if d.Annotation {
		return nil
	}
	about, err := tx.c.around(n, []group.Target{d.Target}, nil)
	if err != nil {
		return err
	}
	for _, r := range about {
		if kind, _ := subject(r); kind == int64(group.ContentEdit) { // others may still lack its ciphertext
			if err := tx.emptyAll(n, r.Target(), group.KindShelved); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tx *Tx) emptyAll(n int64, t group.Target, kinds ...group.Kind) error {
	copies, err := tx.copies(n, t)
	for _, r := range copies {
		if err = tx.empty(n, r, kinds...); err != nil {
			break
		}
	}
	return err
}

// copies returns all rows of a message that are not withdrawn.
func (tx *Tx) copies(n int64, t group.Target) ([]group.Row, error) {
	shown, err := tx.c.rows(sqlSame, n, t.ID[:], t.Person[:], t.Commit[:])
	if err != nil {
		return nil, err
	}
	hidden, err := tx.c.rows(sqlHiddenSame, n, t.ID[:], t.Person[:], t.Commit[:])
	hidden = slices.DeleteFunc(hidden, func(r group.Row) bool { return r.State == group.RowWithdrawn })
	return append(shown, hidden...), err
}

// empty takes what a row says, and what is kept of its entry beside the header.
func (tx *Tx) empty(n int64, r group.Row, kinds ...group.Kind) error {
	r.State, r.Content = group.RowDeleted, nil
	if err := tx.putRow(n, r); err != nil {
		return err
	}
	entry := group.EntryKey(r.Place.Ref())
	for _, k := range kinds {
		if err := tx.putRecord(n, group.Record{Kind: k, Key: entry}); err != nil {
			return err
		}
	}
	return nil
}
