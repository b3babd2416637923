package store

import (
	"fmt"

	"kith/internal/dag"
	"kith/internal/group"
)

// How a row is stored. The tables messages and annotations hold what is visible, the table
// hidden the rest: withdrawn rows, and copies of a message that stands at a
// smaller place. Between two transactions
//
//   - a place is in one of the tables at most;
//   - a message (person, content id, commitment) is in messages or annotations once if it has
//     any row that is not withdrawn, and that row has the smallest place.
//
// Keeping the copies means that nothing is lost when the row in view is
// withdrawn: the next copy takes its place.

const (
	sqlAddRow    = "INSERT INTO messages (grp, " + rowColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlAddNewRow = sqlAddRow + " ON CONFLICT DO NOTHING"
	sqlHideRow   = "INSERT OR REPLACE INTO hidden (grp, " + rowColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

	sqlDropRow    = "DELETE FROM messages WHERE rowid = ?"
	sqlNumber     = "SELECT rowid FROM messages WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
	sqlDropHidden = "DELETE FROM hidden WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"

	sqlHiddenAt   = "SELECT " + rowColumns + " FROM hidden WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
	sqlHiddenSame = "SELECT " + rowColumns + " FROM hidden WHERE grp = ? AND id = ? AND person = ? AND content_commit = ?" +
		" ORDER BY ord, device, seq, hash"
)

// putRow stores a row in place of the one at its place.
func (tx *Tx) putRow(n int64, r group.Row) error {
	old, err := tx.take(n, r.Place)
	if err != nil {
		return err
	}
	if old != nil && r.Client == "" {
		r.Client = old.Client // the machine knows it only until it restarts
	}
	if r.State == group.RowWithdrawn {
		err = tx.hide(n, r)
	} else {
		err = tx.show(n, r)
	}
	if err != nil || old == nil || (same(*old, r) && r.State != group.RowWithdrawn) {
		return err
	}
	return tx.raise(n, *old)
}

// mark sets and clears marks of a row, if it is there.
func (tx *Tx) mark(n int64, p group.Place, set, clear int64) error {
	ord, device, seq, hash := columns(p)
	for _, table := range []string{"messages", "hidden", "annotations"} {
		err := tx.c.exec("UPDATE "+table+" SET marks = (marks | ?) & ~? WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?",
			set, clear, n, ord, device, seq, hash)
		if err != nil {
			return err
		}
	}
	return nil
}

// take removes the row at a place from its table and returns it.
func (tx *Tx) take(n int64, p group.Place) (*group.Row, error) {
	ord, device, seq, hash := columns(p)
	r, err := tx.c.row(sqlAt, n, ord, device, seq, hash)
	if err != nil {
		return nil, err
	}
	if r != nil {
		return r, tx.drop(n, *r)
	}
	for _, t := range []struct{ find, drop string }{{sqlHiddenAt, sqlDropHidden}, {sqlAnnotationAt, sqlDropAnnotation}} {
		r, err := tx.c.row(t.find, n, ord, device, seq, hash)
		if err != nil {
			return nil, err
		}
		if r != nil {
			if t.find == sqlAnnotationAt {
				r.Annotation = true
				if err := tx.reword(n, *r); err != nil {
					return nil, err
				}
			}
			return r, tx.c.exec(t.drop, n, ord, device, seq, hash)
		}
	}
	return nil, nil
}

// insert puts a row into messages, by sqlAddRow or sqlAddNewRow, and reports
// whether it is there now.
func (tx *Tx) insert(sql string, n int64, r group.Row) (bool, error) {
	if err := tx.c.exec(sql, rowArgs(n, r)...); err != nil {
		return false, err
	}
	if tx.c.sq.Changes() == 0 {
		return false, nil
	}
	return true, tx.noteAdded(tx.c.sq.LastInsertRowID())
}

// drop deletes a row from messages, and what the index has of it.
func (tx *Tx) drop(n int64, r group.Row) error {
	ord, device, seq, hash := columns(r.Place)
	msg, found, err := tx.c.number(sqlNumber, n, ord, device, seq, hash)
	if err != nil || !found {
		return err
	}
	if err := tx.forget(msg, n, r); err != nil {
		return err
	}
	return tx.c.exec(sqlDropRow, msg)
}

// show makes r visible, unless another copy of the message has a smaller
// place. Its place is free.
func (tx *Tx) show(n int64, r group.Row) error {
	if r.State != group.RowShown {
		copies, err := tx.c.rows(sqlHiddenSame, n, r.ID[:], r.Person[:], r.Commit[:])
		if err != nil {
			return err
		}
		for _, c := range copies {
			r = merged(r, c)
		}
	}
	aside, err := tx.aside(n, &r)
	if err != nil {
		return err
	}
	if aside != nil {
		return tx.showFirst(n, r, aside)
	}
	if r.Annotation {
		return tx.add(n, r)
	}
	if added, err := tx.insert(sqlAddNewRow, n, r); added || err != nil {
		return err
	}
	other, err := tx.c.row(sqlSame, n, r.ID[:], r.Person[:], r.Commit[:])
	if err == nil && other == nil {
		err = fmt.Errorf("%w: an index names a row that is not there", ErrDamaged)
	}
	if err != nil {
		return err
	}
	return tx.showFirst(n, r, other)
}

// showFirst decides between r and the visible copy of its message.
func (tx *Tx) showFirst(n int64, r group.Row, other *group.Row) error {
	first, second := *other, r
	if dag.Less(r.Place, other.Place) {
		first, second = r, *other
	}
	if _, err := tx.take(n, other.Place); err != nil {
		return err
	}
	if err := tx.hide(n, second); err != nil {
		return err
	}
	return tx.add(n, merged(first, second))
}

func (tx *Tx) hide(n int64, r group.Row) error {
	return tx.c.exec(sqlHideRow, rowArgs(n, r)...)
}

// raise brings the smallest remaining copy of lost's message into view, if
// none is.
func (tx *Tx) raise(n int64, lost group.Row) error {
	shown, err := tx.visible(n, lost.Target())
	if err != nil || shown != nil {
		return err
	}
	copies, err := tx.c.rows(sqlHiddenSame, n, lost.ID[:], lost.Person[:], lost.Commit[:])
	if err != nil {
		return err
	}
	var up *group.Row
	for i, r := range copies {
		switch {
		case up != nil:
			*up = merged(*up, r)
		case r.State != group.RowWithdrawn:
			up = &copies[i]
		}
	}
	if up == nil {
		return nil
	}
	if _, err := tx.take(n, up.Place); err != nil {
		return err
	}
	up.Annotation = up.Annotation || lost.Annotation
	return tx.add(n, *up)
}

// merged is first with what only its copy knows: the content, which the
// commitment binds and is therefore the same, the client id, and what its author
// might do at the copy's block. What is deleted of one is so of all.
func merged(first, second group.Row) group.Row {
	switch gone := group.RowDeleted; {
	case first.State == gone:
	case second.State == gone || first.State != group.RowShown && second.State == group.RowShown:
		first.State, first.Content = second.State, second.Content
	}
	first.May |= second.May
	first.Annotation = first.Annotation || second.Annotation
	if first.Client == "" {
		first.Client = second.Client
	}
	return first
}

func same(a, b group.Row) bool {
	return a.Person == b.Person && a.ID == b.ID && a.Commit == b.Commit
}
