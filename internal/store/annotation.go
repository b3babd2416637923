package store

import (
	"slices"

	"kith/internal/group"
	"kith/internal/wire"
)

// Annotations are contents about another message, its target. They stand in a table of
// their own, out of the way of the lines. What cannot be read is a line until it can
// be: then it goes to the other table, with all that is known of its copies.

// targetSize is the length of an encoded target.
const targetSize = 32 + 16 + 32

// The statements for annotations. Targets are bound as one blob, for each of many would
// cost more than to find it. What lines answer is found besides, on whatever
// page it is; the last column says which of both a row is.
const (
	sqlAbout = "WITH RECURSIVE t (i) AS (SELECT 0 WHERE ?3 > 0 UNION ALL SELECT i + 1 FROM t WHERE i + 1 < ?3)" +
		" SELECT " + rowColumns + ", 1 FROM t CROSS JOIN annotations INDEXED BY annotations_target" +
		" WHERE grp = ?1 AND target <> x'' AND target = substr(?2, i * 80 + 1, 80)"
	sqlAround = sqlAbout + " UNION ALL SELECT * FROM (" +
		"WITH RECURSIVE u (i) AS (SELECT 0 WHERE ?5 > 0 UNION ALL SELECT i + 1 FROM u WHERE i + 1 < ?5)" +
		" SELECT " + rowColumns + ", 0 FROM u CROSS JOIN messages INDEXED BY messages_same WHERE grp = ?1 AND id = substr(?4, i * 80 + 33, 16)" +
		" AND person = substr(?4, i * 80 + 1, 32) AND content_commit = substr(?4, i * 80 + 49, 32))"
)

const (
	// 16 is the mark of [group.MayArrange]: others' Pins change nothing, however many there are.
	sqlPins = "SELECT " + rowColumns + " FROM annotations INDEXED BY annotations_pins WHERE grp = ? AND kind = 10 AND marks & 16 <> 0" +
		" ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?"
	sqlAnnotationAt   = "SELECT " + rowColumns + " FROM annotations WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
	sqlAnnotationSame = "SELECT " + rowColumns + " FROM annotations WHERE grp = ? AND id = ? AND person = ? AND content_commit = ?"
	sqlSurplus        = "SELECT " + rowColumns + " FROM annotations INDEXED BY annotations_target WHERE grp = ? AND target <> x'' AND target = ?" +
		" AND person = ? AND kind = ? ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT -1 OFFSET ?"
	sqlDropAnnotation = "DELETE FROM annotations WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
	sqlAddAnnotation  = "INSERT INTO annotations (grp, " + rowColumns + ", kind, target) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

	sqlUnsorted = "SELECT m.ord, m.device, m.seq, m.hash, m.person, m.id, m.content_commit, m.block, m.time, m.state, m.marks, m.client, m.content" +
		" FROM unsorted AS u JOIN messages AS m USING (grp, ord, device, seq, hash) WHERE grp = ? ORDER BY m.ord LIMIT ?"
	sqlSorted = "DELETE FROM unsorted WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
)

// Around returns the annotations of messages, in no order, and the lines among
// answered. Who wants the annotations of those too names them twice.
func (db *DB) Around(g wire.GroupID, targets, answered []group.Target) (annotations, lines []group.Row, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		rows, err := c.around(n, targets, answered)
		for _, r := range rows {
			if r.Annotation {
				annotations = append(annotations, r)
			} else {
				lines = append(lines, r)
			}
		}
		return err
	})
	return annotations, lines, err
}

func (c *conn) around(n int64, targets, answered []group.Target) ([]group.Row, error) {
	if len(answered) == 0 {
		return c.rows(sqlAbout, n, joined(targets), int64(len(targets)))
	}
	return c.rows(sqlAround, n, joined(targets), int64(len(targets)), joined(answered), int64(len(answered)))
}

func joined(targets []group.Target) []byte {
	b := make([]byte, 0, targetSize*len(targets))
	for _, t := range targets {
		b = append(b, t.Bytes()...)
	}
	return b
}

// Pins returns the newest Pins of a group by who may pin, newest first. n is cut to
// [MaxPage].
func (db *DB) Pins(g wire.GroupID, n int) ([]group.Row, error) {
	rows, err := db.page(g, func(c *conn, grp int64) ([]group.Row, error) { return c.rows(sqlPins, grp, limit(n)) })
	for i := range rows {
		rows[i].Annotation = true
	}
	return rows, err
}

// Unsorted returns rows that a program stored which did not know what they are; they
// are to be put again. At most [MaxPage] at a time.
func (db *DB) Unsorted(g wire.GroupID) ([]group.Row, error) {
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) { return c.rows(sqlUnsorted, grp, int64(MaxPage)) })
}

// Sorted notes that rows were put again.
func (tx *Tx) Sorted(g wire.GroupID, rows []group.Row) error {
	n, ok := tx.db.number(g)
	for _, r := range rows {
		if !ok {
			break
		}
		ord, device, seq, hash := columns(r.Place)
		if err := tx.c.exec(sqlSorted, n, ord, device, seq, hash); err != nil {
			return err
		}
	}
	return nil
}

func asAnnotation(r *group.Row, err error) (*group.Row, error) {
	if r != nil {
		r.Annotation = true
	}
	return r, err
}

// add puts a row into its table; its place and its message have none there. Of
// annotations that do not count any more, because there are so many, the content goes.
func (tx *Tx) add(n int64, r group.Row) error {
	if !r.Annotation {
		_, err := tx.insert(sqlAddRow, n, r)
		return err
	}
	if err := tx.reword(n, r); err != nil {
		return err
	}
	kind, target := subject(r)
	if err := tx.c.exec(sqlAddAnnotation, append(rowArgs(n, r), kind, target)...); err != nil || len(target) == 0 {
		return err
	}
	surplus, err := tx.c.rows(sqlSurplus, n, target, r.Person[:], kind, int64(group.MaxAbout))
	for _, s := range surplus {
		if err == nil {
			err = tx.emptyAll(n, s.Target(), group.KindShelved)
		}
	}
	return err
}

// aside finds the visible copy of a row's message where the index of lines does not
// meet it: of an annotation in either table, of what cannot be read among the
// annotations, which then is one.
func (tx *Tx) aside(n int64, r *group.Row) (*group.Row, error) {
	if !r.Annotation && r.State == group.RowShown {
		return nil, nil
	}
	other, err := asAnnotation(tx.c.row(sqlAnnotationSame, n, r.ID[:], r.Person[:], r.Commit[:]))
	if err != nil || other != nil {
		r.Annotation = true
		return other, err
	}
	if !r.Annotation {
		return nil, nil
	}
	return tx.c.row(sqlSame, n, r.ID[:], r.Person[:], r.Commit[:])
}

// visible returns the visible copy of a message, nil if there is none.
func (tx *Tx) visible(n int64, t group.Target) (*group.Row, error) {
	r, err := tx.c.row(sqlSame, n, t.ID[:], t.Person[:], t.Commit[:])
	if r != nil || err != nil {
		return r, err
	}
	return asAnnotation(tx.c.row(sqlAnnotationSame, n, t.ID[:], t.Person[:], t.Commit[:]))
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
	if of, about := c.About(); about {
		target = of.Bytes()
	}
	return int64(c.Kind), target
}

// wipe takes all that is stored of a message but its headers.
func (tx *Tx) wipe(n int64, d group.Deletion) error {
	copies, err := tx.copies(n, d.Target)
	if err != nil || beyond(copies, d.Beyond) {
		return err
	}
	for _, r := range copies {
		kind, _ := subject(r)
		if !d.Timed && r.State == group.RowShown && (r.Annotation != d.Annotation || r.Annotation && kind != int64(group.ContentEdit)) {
			continue // a Delete takes no such thing
		}
		r.Annotation = d.Annotation || d.Timed && r.Annotation
		if err := tx.empty(n, r, group.KindCipher, group.KindShelved, group.KindSalt); err != nil {
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
		if len(copies) == 0 && slices.Contains(d.Beyond, r.Block) {
			continue
		}
		if kind, _ := subject(r); kind == int64(group.ContentEdit) { // others may still lack its ciphertext
			if err := tx.emptyAll(n, r.Target(), group.KindShelved, group.KindSalt); err != nil {
				return err
			}
		}
	}
	return nil
}

// beyond reports whether all copies of a message were written at some blocks.
func beyond(copies []group.Row, blocks []wire.BlockHash) bool {
	return len(copies) > 0 && !slices.ContainsFunc(copies, func(r group.Row) bool { return !slices.Contains(blocks, r.Block) })
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
	shown, err := tx.visible(n, t)
	if err != nil {
		return nil, err
	}
	hidden, err := tx.c.rows(sqlHiddenSame, n, t.ID[:], t.Person[:], t.Commit[:])
	hidden = slices.DeleteFunc(hidden, func(r group.Row) bool { return r.State == group.RowWithdrawn })
	if shown != nil {
		hidden = append(hidden, *shown)
	}
	return hidden, err
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
