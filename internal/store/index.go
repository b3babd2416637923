package store

import (
	"cmp"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"kith/internal/group"
	"kith/internal/search"
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// The index of what the visible rows say, for Search. The engine's own (FTS5)
// keeps words alone, no text; the table docs says which row a document is.
//
//   - A document's number is its row's order, with a count of the documents of that
//     order below it: what is newest has the highest number.
//   - A row is indexed with others, some commits later: the index pays for each
//     transaction as much as for 30 rows. Until then it is in the table unindexed,
//     since the transaction that stored it; Search indexes what is there first.
//   - Rows below the row number indexing.below are not indexed yet: they are from
//     before there was this index, or this way of making it. IndexSome takes them
//     in, from the highest down.
//   - Every word is written with the sign of its span before it, see span.go.
//   - To take a row out, the engine needs the words it was put in with. They are
//     made of the row, and of what edits it, anew: who changes what wording or terms make of
//     a row raises indexVersion, so that everything is indexed again.

// indexVersion is that of the words in the index. 1: edited texts as they were at first.
const indexVersion = 2

// indexSince is the migration that made the tables of the index.
const indexSince = 4

// indexed is what the index keeps of a row that nothing edits: what it says, and its kind.
// A row that is not there or not readable is not found.
func indexed(r group.Row) (text string, kind group.ContentKind, ok bool) {
	if r.State != group.RowShown {
		return "", 0, false
	}
	c, err := group.ParseContent(r.Content)
	if err != nil {
		return "", 0, false
	}
	switch body, _ := c.Open(); body := body.(type) { // of an unknown kind nothing but the kind is found
	case group.Words:
		text = body.Text
	case group.Reply:
		text = body.Text
	case group.Poll:
		text = body.Question + "\n" + strings.Join(body.Options, "\n")
	}
	return text, c.Kind, true
}

// These are variables for tests only, which have few rows.
var (
	indexBatch = rowsIndexed
	spanDocs   = docsOfSpan
	sliceBits  = bitsOfSlice
)

// tagSign begins the terms that are no words of the text: no word has it, because
// it is neither letter nor symbol.
const tagSign = "\u00a7"

func groupTag(n int64) string            { return tagSign + "g" + strconv.FormatInt(n, 10) }
func personTag(p wire.PersonID) string   { return tagSign + "p" + hex.EncodeToString(p[:8]) }
func kindTag(k group.ContentKind) string { return tagSign + "k" + strconv.Itoa(int(k)) }
func spelled(sign string, b []byte, word string) []byte {
	return append(append(append(b, sign...), word...), ' ')
}

// terms is what the engine is given of a row: the words of its text and tags, each with
// the sign of its span.
func terms(sign string, n int64, text string, person wire.PersonID, kind group.ContentKind) []byte {
	b := make([]byte, 0, 2*len(text)+64)
	for w := range search.Words(text) {
		b = spelled(sign, b, w.Folded)
	}
	for _, tag := range []string{groupTag(n), personTag(person), kindTag(kind)} {
		b = spelled(sign, b, tag)
	}
	return b
}

// orderBits is how many bits of a document's number count the documents of one
// order. A device writes one message of an order at most; of more than 2048 of one
// millisecond the rest is not found.
const orderBits = 11

// docsOf are the numbers for rows of an order.
func docsOf(order uint64) (first, last int64) {
	first = int64(min(order, 1<<(63-orderBits)-1)) << orderBits
	return first, first + (1<<orderBits - 1)
}

// stored is a row with its numbers.
type stored struct {
	msg, grp int64
	row      group.Row
	text     string // what it says now, where it was looked up
}

// noteAdded notes that a row of messages is to be indexed.
func (tx *Tx) noteAdded(msg int64) error {
	if msg < tx.db.below {
		return nil // IndexSome comes to it
	}
	tx.added++
	return tx.c.exec("INSERT INTO unindexed VALUES (?)", msg)
}

// forget takes a row out of the index before it is deleted from messages.
func (tx *Tx) forget(msg, n int64, r group.Row) error {
	if msg < tx.db.below {
		return nil
	}
	if err := tx.c.exec("DELETE FROM unindexed WHERE msg = ?", msg); err != nil {
		return err
	}
	if tx.c.sq.Changes() > 0 {
		return nil
	}
	first, last := docsOf(r.Place.Order)
	doc, found, err := tx.c.number("SELECT doc FROM docs WHERE doc BETWEEN ? AND ? AND msg = ?", first, last, msg)
	if err != nil || !found {
		return err
	}
	s, err := tx.spanOf(doc)
	if err != nil {
		return err
	}
	text, kind, _, err := tx.c.wording(n, r)
	if err != nil {
		return err
	}
	words := terms(s.sign(), n, text, r.Person, kind)
	for _, do := range []struct {
		sql  string
		args []any
	}{
		{"INSERT INTO found (found, rowid, text) VALUES ('delete', ?, ?)", []any{doc, string(words)}},
		{"DELETE FROM docs WHERE doc = ?", []any{doc}},
		{"UPDATE spans SET docs = docs - 1 WHERE n = ?", []any{s.n}},
		{"UPDATE indexing SET traces = 1 WHERE traces = 0", nil},
	} {
		if err := tx.c.exec(do.sql, do.args...); err != nil {
			return err
		}
	}
	return nil
}

// forgetGroup takes the rows of a group out of the index before they are deleted,
// or reports that the index has to be made anew.
func (tx *Tx) forgetGroup(n int64) (anew bool, err error) {
	rows, err := tx.c.stored("SELECT rowid, grp, "+rowColumns+" FROM messages WHERE grp = ? LIMIT ?", n, int64(deletedInPlace+1))
	if err != nil || len(rows) > deletedInPlace {
		return true, err
	}
	for _, r := range rows {
		if err := tx.forget(r.msg, n, r.row); err != nil {
			return false, err
		}
	}
	return false, nil
}

// indexDue indexes what waits once it is worth it. At the end of a transaction.
func (tx *Tx) indexDue() error {
	if tx.db.unindexed+tx.added < indexBatch {
		return nil
	}
	return tx.indexWaiting()
}

// indexWaiting indexes all rows of unindexed.
func (tx *Tx) indexWaiting() error {
	for {
		rows, err := tx.c.stored("SELECT m.rowid, grp, "+rowColumns+" FROM unindexed CROSS JOIN messages AS m ON m.rowid = msg ORDER BY msg LIMIT ?", int64(indexBatch))
		if err != nil {
			return err
		}
		upTo := int64(math.MaxInt64)
		if len(rows) == indexBatch {
			upTo = rows[len(rows)-1].msg
		}
		if err := tx.indexRows(rows); err != nil {
			return err
		}
		if err := tx.c.exec("DELETE FROM unindexed WHERE msg <= ?", upTo); err != nil {
			return err
		}
		if len(rows) < indexBatch {
			tx.flushed = true
			return nil
		}
	}
}

// indexRows puts rows into the index, in the order of their numbers: the engine
// writes out what it holds whenever a number is lower than the one before.
func (tx *Tx) indexRows(rows []stored) error {
	slices.SortFunc(rows, func(a, b stored) int {
		return cmp.Or(cmp.Compare(a.row.Place.Order, b.row.Place.Order), cmp.Compare(a.msg, b.msg))
	})
	var s span
	for _, r := range rows {
		text, kind, ok, err := tx.c.wording(r.grp, r.row)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		first, last := docsOf(r.row.Place.Order)
		before, _, err := tx.c.number("SELECT coalesce(max(doc), ?1 - 1) FROM docs WHERE doc BETWEEN ?1 AND ?2", first, last)
		if err != nil {
			return err
		}
		if before == last {
			continue
		}
		doc := before + 1
		if s, err = tx.spanFor(s, doc); err != nil {
			return err
		}
		words := terms(s.sign(), r.grp, text, r.row.Person, kind)
		if err := tx.c.exec("INSERT INTO docs VALUES (?, ?)", doc, r.msg); err != nil {
			return err
		}
		if err := tx.c.exec("INSERT INTO found (rowid, text) VALUES (?, ?)", doc, string(words)); err != nil {
			return err
		}
	}
	return tx.closeSpan(s)
}

// stored runs a statement of a row number, a group number and rowColumns.
func (c *conn) stored(sql string, args ...any) ([]stored, error) {
	var rows []stored
	err := c.query(sql, args, func(s *sqlite3.Stmt) error {
		r, err := scanRowFrom(s, 2)
		rows = append(rows, stored{msg: s.ColumnInt64(0), grp: s.ColumnInt64(1), row: r})
		return err
	})
	return rows, err
}

// IndexSome indexes some of the rows that are still to be, newest first, or does
// some of the index's own housekeeping, and reports whether there is more to do. now is the time
// in ms. A program calls it again and again in the background; each call is one
// short transaction.
func (db *DB) IndexSome(now uint64) (more bool, err error) {
	err = db.Update(func(tx *Tx) error {
		below, _, traces, merged, err := tx.c.indexing()
		switch {
		case err != nil:
			return err
		case below > 0:
			more = true
			return tx.indexBelow(below)
		case tx.db.merging != mergeNone || traces && now > merged && now-merged > mergeAfter:
			more, err = tx.merge(now)
			return err
		}
		return nil
	})
	return more, err
}

// indexBelow indexes the rows just below a row number.
func (tx *Tx) indexBelow(below int64) error {
	rows, err := tx.c.stored("SELECT rowid, grp, "+rowColumns+" FROM messages WHERE rowid < ? ORDER BY rowid DESC LIMIT ?", below, int64(4*indexBatch))
	if err != nil {
		return err
	}
	next := int64(0)
	if len(rows) == 4*indexBatch {
		next = rows[len(rows)-1].msg
	}
	if err := tx.indexRows(rows); err != nil {
		return err
	}
	return tx.setBelow(next)
}

// startIndex reads how far the index is, and has it made anew if it is of another
// version.
func (db *DB) startIndex() error {
	if len(migrations) < indexSince {
		return nil // a test that makes a database of before
	}
	waiting, _, err := db.writer.number("SELECT count(*) FROM unindexed")
	if err != nil {
		return err
	}
	db.unindexed = int(waiting)
	version, _, err := db.writer.number("SELECT version FROM indexing")
	if err != nil {
		return err
	}
	if version != indexVersion {
		return db.Update((*Tx).reindex)
	}
	db.below, _, err = db.writer.number("SELECT below FROM indexing")
	return err
}

// indexed takes over what a transaction that is durable has done to the index.
func (db *DB) indexed(tx *Tx) {
	db.unindexed += tx.added
	if tx.flushed {
		db.unindexed = 0
	}
	if tx.below != nil {
		db.below = *tx.below
	}
	if tx.merging != nil {
		db.merging = *tx.merging
	}
}
