package store

import (
	"errors"

	"github.com/ncruces/go-sqlite3"
)

// The index is cut into spans of time. Every word carries the sign of its span, so
// that one span is searched without the others: those who look for "me" as the
// beginning of a word pay for one span at a time, newest first, and stop when they
// have enough.
//
//	documents   0 ................................................ 2^63
//	spans       | 1: nothing | 2: May | 7: June | 4: June | 8: July, open
//	since       0            ^        ^         ^         ^
//
// A document belongs to the span with the greatest since that is not above it. A
// span begins with its first document, but not within a slice of time that another
// began, so that a history that comes in any order has a span for each slice at
// least, up to maxSlices. A slice in which much was said has several: a full span whose documents do not
// reach the edge on which the next one falls gives up that edge to a new span. No document
// ever changes its span.

// A span is a stretch of documents.
type span struct {
	n     int64 // its number, from 1; 0: none
	since int64 // its first document
	docs  int64 // how many it has
	until int64 // the first document of the next span
}

// firstSign is the first of the characters that sign spans: private use, so no
// letter of any word.
const firstSign = 0xe000

// maxSpans is how many characters there are for private use. When they are used up
// no span begins any more, and those there are grow.
const maxSpans = 0xf8ff - firstSign

// spanLimit is maxSpans but in tests.
var spanLimit int64 = maxSpans

func (s span) sign() string { return string(rune(firstSign + s.n)) }

const sqlSpan = "SELECT n, since, docs, coalesce((SELECT min(since) FROM spans WHERE since > ?1), 9223372036854775807)" +
	" FROM spans WHERE since <= ?1 ORDER BY since DESC LIMIT 1"

// spanOf returns the span of a document.
func (tx *Tx) spanOf(doc int64) (s span, err error) {
	err = tx.c.query(sqlSpan, []any{doc}, func(q *sqlite3.Stmt) error {
		s = span{q.ColumnInt64(0), q.ColumnInt64(1), q.ColumnInt64(2), q.ColumnInt64(3)}
		return nil
	})
	return s, err
}

// spanFor returns the span that a new document comes to, and counts it there. last
// is the span of the document before, whose count is not stored yet.
func (tx *Tx) spanFor(last span, doc int64) (span, error) {
	s := last
	if s.n == 0 || doc < s.since || doc >= s.until {
		err := tx.closeSpan(last)
		if err != nil {
			return span{}, err
		}
		if s, err = tx.spanOf(doc); err != nil {
			return span{}, err
		}
	}
	var err error
	slice := doc >> (orderBits + sliceBits) << (orderBits + sliceBits)
	if s.since < slice {
		s, err = tx.newSpan(s, span{since: slice, until: s.until}, min(maxSlices, spanLimit))
	}
	if err == nil && s.docs >= int64(spanDocs) {
		s, err = tx.split(s, doc)
	}
	s.docs++
	return s, err
}

// newSpan makes a span beside another, which it returns if there are so many already.
func (tx *Tx) newSpan(beside, fresh span, limit int64) (span, error) {
	last, _, err := tx.c.number("SELECT max(n) FROM spans")
	if err != nil || last >= limit {
		return beside, err
	}
	if err := tx.closeSpan(beside); err != nil {
		return span{}, err
	}
	if beside.since >= fresh.since { // it gives up its beginning
		if err := tx.c.exec("UPDATE spans SET since = ? WHERE n = ?", fresh.until, beside.n); err != nil {
			return span{}, err
		}
	}
	if err := tx.c.exec("INSERT INTO spans (since, docs) VALUES (?, 0)", fresh.since); err != nil {
		return span{}, err
	}
	fresh.n = tx.c.sq.LastInsertRowID()
	return fresh, nil
}

// closeSpan stores how many documents a span has.
func (tx *Tx) closeSpan(s span) error {
	if s.n == 0 {
		return nil
	}
	return tx.c.exec("UPDATE spans SET docs = ? WHERE n = ?", s.docs, s.n)
}

// split makes a new span of that part of a full one in which doc falls, if none of
// its documents is there.
func (tx *Tx) split(s span, doc int64) (span, error) {
	low, _, err := tx.c.number("SELECT coalesce(min(doc), ?1) FROM docs WHERE doc >= ?1", s.since)
	if err != nil {
		return span{}, err
	}
	high, _, err := tx.c.number("SELECT coalesce(max(doc), ?1) FROM docs WHERE doc >= ?1 AND doc < ?2", s.since, s.until)
	switch {
	case err != nil:
		return span{}, err
	case doc > high:
		return tx.newSpan(s, span{since: doc, until: s.until}, spanLimit)
	case doc < low:
		return tx.newSpan(s, span{since: s.since, until: low}, spanLimit)
	}
	return s, nil
}

// indexing returns how far the index is: the row number below which nothing is
// indexed yet and what that was at first, whether words of deleted rows may have
// left letters behind, and when that was mended last.
func (c *conn) indexing() (below, of int64, traces bool, merged uint64, err error) {
	err = c.query("SELECT below, of, traces, merged FROM indexing", nil, func(s *sqlite3.Stmt) error {
		below, of, traces, merged = s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2) != 0, uint64(s.ColumnInt64(3))
		return nil
	})
	return below, of, traces, merged, err
}

func (tx *Tx) setBelow(below int64) error {
	tx.below = &below
	return tx.c.exec("UPDATE indexing SET below = ?", below)
}

// reindex empties the index; IndexSome fills it again.
func (tx *Tx) reindex() error {
	for _, sql := range []string{
		"INSERT INTO found (found) VALUES ('delete-all')",
		"DELETE FROM docs", "DELETE FROM unindexed", "DELETE FROM spans",
		"INSERT INTO spans (since, docs) VALUES (0, 0)",
		"UPDATE indexing SET below = (SELECT coalesce(max(rowid), -1) + 1 FROM messages), traces = 0",
		"UPDATE indexing SET of = below",
	} {
		if err := tx.c.exec(sql); err != nil {
			return err
		}
	}
	err := tx.c.exec("UPDATE indexing SET version = ?", int64(indexVersion))
	if err != nil {
		return err
	}
	below, _, _, _, err := tx.c.indexing()
	tx.below, tx.flushed = &below, true
	return err
}

// A merging is how far the index is in being written anew as a whole.
type merging uint8

const (
	mergeNone  merging = iota
	mergeAsked         // there is something to merge
	mergeBegun         // all that was there then is being merged
)

// merge does a step of writing the whole index anew, and reports whether it goes
// on. The engine parts its pages by the beginnings of words; that of a deleted
// word stays as a sign-post until then. An index that is of one piece it would
// leave as it is, and so a piece with a word of nobody is made first.
func (tx *Tx) merge(now uint64) (more bool, err error) {
	const nobody = "0"
	piece := 1 + int64(now/mergeAfter)%(1<<orderBits-1) // no document has so low a number
	if tx.db.merging == mergeNone {
		state := mergeAsked
		tx.merging = &state
		return true, tx.c.exec("INSERT INTO found (rowid, text) VALUES (?, ?)", piece, nobody)
	}
	pages, state := int64(mergePages), mergeBegun
	if tx.db.merging == mergeAsked {
		pages = -pages // all pieces, not only those that the engine would merge by itself
	}
	before := tx.c.sq.TotalChanges()
	if err := tx.c.exec("INSERT INTO found (found, rank) VALUES ('merge', ?)", pages); err != nil {
		return false, err
	}
	if tx.c.sq.TotalChanges()-before < 2 { // as the engine's manual says
		state = mergeNone
		err = errors.Join(
			tx.c.exec("INSERT INTO found (found, rowid, text) VALUES ('delete', ?, ?)", piece, nobody),
			tx.c.exec("UPDATE indexing SET traces = 0, merged = ?", int64(now)))
	}
	tx.merging = &state
	return state != mergeNone, err
}
