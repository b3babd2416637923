package store

import (
	"fmt"
	"math"
	"slices"

	"kith/internal/group"
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// Cursor says where a page begins or ends.
type Cursor = group.Place

// The statements that read rows. Each page is one scan of the index
// messages_place from one end. The other lookups name their index, or the
// engine would rather walk a whole group in order than sort two rows.
const (
	rowColumns = "ord, device, seq, hash, person, id, content_commit, block, time, state, marks, client, content"

	sqlNewest = "SELECT " + rowColumns + " FROM messages WHERE grp = ? ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?"
	sqlBefore = "SELECT " + rowColumns + " FROM messages WHERE grp = ? AND (ord, device, seq, hash) < (?, ?, ?, ?)" +
		" ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?"
	sqlAfter = "SELECT " + rowColumns + " FROM messages WHERE grp = ? AND (ord, device, seq, hash) > (?, ?, ?, ?)" +
		" ORDER BY ord, device, seq, hash LIMIT ?"
	sqlAt     = "SELECT " + rowColumns + " FROM messages WHERE grp = ? AND ord = ? AND device = ? AND seq = ? AND hash = ?"
	sqlSame   = "SELECT " + rowColumns + " FROM messages WHERE grp = ? AND id = ? AND person = ? AND content_commit = ?"
	sqlPerson = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_same WHERE grp = ? AND id = ? AND person = ?" +
		" ORDER BY ord, device, seq, hash LIMIT 1"
	sqlID     = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_same WHERE grp = ? AND id = ? ORDER BY ord, device, seq, hash LIMIT ?"
	sqlPrefix = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_same WHERE grp = ? AND id >= ? AND id < ?" +
		" ORDER BY id, person, content_commit LIMIT ?"
	sqlClient = "SELECT " + rowColumns + " FROM messages INDEXED BY messages_client WHERE grp = ? AND client = ? AND client <> ''" +
		" ORDER BY ord, device, seq, hash LIMIT 1"
	sqlCount  = "SELECT count(*) FROM messages WHERE grp = ?"
	sqlUnread = "SELECT count(*) FROM (SELECT 1 FROM messages WHERE grp = ? AND (ord, device, seq, hash) > (?, ?, ?, ?)" +
		" AND person <> ? AND state <> 5 LIMIT ?)"
)

// The bits of the column marks.
const (
	markWaiting = 1 << 0
	markSplit   = 1 << 1
	markTwice   = 1 << 2
	// From here on those of [group.Powers].
	marksPowers = 3
)

// Page returns the n rows before a place, or the newest ones, oldest first.
// n is cut to [MaxPage].
func (db *DB) Page(g wire.GroupID, before *Cursor, n int) ([]group.Row, error) {
	rows, err := db.page(g, func(c *conn, grp int64) ([]group.Row, error) {
		if before == nil {
			return c.rows(sqlNewest, grp, limit(n))
		}
		ord, device, seq, hash := columns(*before)
		return c.rows(sqlBefore, grp, ord, device, seq, hash, limit(n))
	})
	slices.Reverse(rows)
	return rows, err
}

// PageAfter returns the n rows after a place, oldest first. n is cut to
// [MaxPage].
func (db *DB) PageAfter(g wire.GroupID, after Cursor, n int) ([]group.Row, error) {
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) {
		ord, device, seq, hash := columns(after)
		return c.rows(sqlAfter, grp, ord, device, seq, hash, limit(n))
	})
}

// Newest returns the last row of a group, nil if there is none.
func (db *DB) Newest(g wire.GroupID) (*group.Row, error) {
	return db.row(g, sqlNewest, int64(1))
}

// RowAt returns the visible row at a place, an annotation too; nil if there is none.
func (db *DB) RowAt(g wire.GroupID, at Cursor) (*group.Row, error) {
	ord, device, seq, hash := columns(at)
	row, err := db.row(g, sqlAt, ord, device, seq, hash)
	if row != nil || err != nil {
		return row, err
	}
	return asAnnotation(db.row(g, sqlAnnotationAt, ord, device, seq, hash))
}

// Content returns what a message says that is shown, an annotation too; nil if there is
// none.
func (db *DB) Content(g wire.GroupID, t group.Target) (content []byte, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		for _, sql := range []string{sqlSame, sqlAnnotationSame} {
			row, err := c.row(sql, n, t.ID[:], t.Person[:], t.Commit[:])
			if err != nil {
				return err
			}
			if row != nil && row.State == group.RowShown {
				content = row.Content
				return nil
			}
		}
		return nil
	})
	return content, err
}

// Row returns the message of a person with a content id, nil if there is none.
// A person who gave one id to two messages gets the first shown.
func (db *DB) Row(g wire.GroupID, person wire.PersonID, id wire.ContentID) (*group.Row, error) {
	return db.row(g, sqlPerson, id[:], person[:])
}

// RowsByID returns the messages with a content id, whoever wrote them, oldest
// first; at most [MaxSameID].
func (db *DB) RowsByID(g wire.GroupID, id wire.ContentID) ([]group.Row, error) {
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) {
		return c.rows(sqlID, grp, id[:], int64(MaxSameID))
	})
}

// LinesByID returns the lines whose content id begins with a prefix; at most
// [MaxSameID].
func (db *DB) LinesByID(g wire.GroupID, prefix []byte) ([]group.Row, error) {
	return db.page(g, func(c *conn, grp int64) ([]group.Row, error) {
		end := prefixEnd(prefix)
		if end == nil {
			end = slices.Repeat([]byte{0xff}, len(wire.ContentID{})+1)
		}
		return c.rows(sqlPrefix, grp, prefix, end, int64(MaxSameID))
	})
}

// RowByClient returns the message composed under a client id on this device,
// nil if there is none.
func (db *DB) RowByClient(g wire.GroupID, client string) (*group.Row, error) {
	return db.row(g, sqlClient, client)
}

// Count returns how many rows a group shows. It walks an index: a million rows
// take about 0.1 s.
func (db *DB) Count(g wire.GroupID) (int, error) {
	var count int64
	err := db.inGroup(g, func(c *conn, n int64) (err error) {
		count, _, err = c.number(sqlCount, n)
		return err
	})
	return int(count), err
}

func (db *DB) page(g wire.GroupID, get func(*conn, int64) ([]group.Row, error)) (rows []group.Row, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		rows, err = get(c, n)
		return err
	})
	return rows, err
}

func (db *DB) row(g wire.GroupID, sql string, args ...any) (row *group.Row, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		row, err = c.row(sql, append([]any{n}, args...)...)
		return err
	})
	return row, err
}

// row runs a statement of rowColumns that returns at most one row.
func (c *conn) row(sql string, args ...any) (*group.Row, error) {
	rows, err := c.rows(sql, args...)
	if len(rows) == 0 {
		return nil, err
	}
	return &rows[0], err
}

// rows runs a statement of rowColumns.
func (c *conn) rows(sql string, args ...any) ([]group.Row, error) {
	var rows []group.Row
	err := c.query(sql, args, func(s *sqlite3.Stmt) error {
		r, err := scanRow(s)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func scanRow(s *sqlite3.Stmt) (group.Row, error) { return scanRowFrom(s, 0) }

// scanRowFrom reads rowColumns from the first column on.
func scanRowFrom(s *sqlite3.Stmt, first int) (group.Row, error) {
	marks := s.ColumnInt64(first + 10)
	r := group.Row{
		Place:   group.Place{Order: uint64(s.ColumnInt64(first)), Seq: uint64(s.ColumnInt64(first + 2))},
		Time:    uint64(s.ColumnInt64(first + 8)),
		State:   group.RowState(s.ColumnInt64(first + 9)),
		Waiting: marks&markWaiting != 0,
		Split:   marks&markSplit != 0,
		Twice:   marks&markTwice != 0,
		May:     group.Powers(marks >> marksPowers),
		Client:  s.ColumnText(first + 11),
		Content: s.ColumnBlob(first+12, nil),
	}
	r.Annotation = r.State == group.RowShown && group.IsAnnotation(r.Content) || s.ColumnCount() > first+13 && s.ColumnInt64(first+13) != 0
	for _, f := range []struct {
		column int
		field  []byte
	}{
		{1, r.Place.Device[:]}, {3, r.Place.Hash[:]}, {4, r.Person[:]}, {5, r.ID[:]}, {6, r.Commit[:]}, {7, r.Block[:]},
	} {
		b := s.ColumnRawBlob(first + f.column)
		if len(b) != len(f.field) {
			return group.Row{}, fmt.Errorf("%w: an id of %d bytes", ErrDamaged, len(b))
		}
		copy(f.field, b)
	}
	return r, nil
}

// rowArgs are the values of the columns grp and rowColumns.
func rowArgs(n int64, r group.Row) []any {
	ord, device, seq, hash := columns(r.Place)
	marks := int64(r.May) << marksPowers
	if r.Waiting {
		marks |= markWaiting
	}
	if r.Split {
		marks |= markSplit
	}
	if r.Twice {
		marks |= markTwice
	}
	return []any{
		n, ord, device, seq, hash, r.Person[:], r.ID[:], r.Commit[:], r.Block[:],
		int64(r.Time), int64(r.State), marks, r.Client, r.Content,
	}
}

func checkRow(r group.Row) error {
	if r.Place.Order > math.MaxInt64 || r.Place.Seq > math.MaxInt64 {
		return fmt.Errorf("%w: place %d, %d", ErrRange, r.Place.Order, r.Place.Seq)
	}
	return checkSize(nil, r.Content)
}

// columns are a place's columns. One past the range of a column compares as
// later than every row.
func columns(p group.Place) (ord int64, device []byte, seq int64, hash []byte) {
	return int64(min(p.Order, math.MaxInt64)), p.Device[:], int64(min(p.Seq, math.MaxInt64)), p.Hash[:]
}

func limit(n int) int64 { return int64(min(max(n, 0), MaxPage)) }
