package store

import (
	"errors"
	"math"
	"strings"
	"time"

	"kith/internal/group"
	"kith/internal/search"
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// An Asked says which rows to look for: those that fulfil all of it.
type Asked struct {
	Query  search.Query
	Group  *wire.GroupID  // nil: any
	Person *wire.PersonID // who wrote it; nil: anybody
	Kinds  []group.ContentKind
	Since  uint64 // ms, by the order of display
	Until  uint64 // ms, the first moment that does not count; 0: none
	Before uint64 // where the answer before ended; 0: this is the first
	Limit  int    // cut to MaxFound
}

// A Found is a row that a search found.
type Found struct {
	Group wire.GroupID
	Row   group.Row
	Text  string // what it was found by: what it says now
}

// Findings is an answer.
type Findings struct {
	Found []Found // newest first
	// Next is for Before of the next search; 0: there is nothing older. An answer may
	// hold fewer than Limit, even none, and still have one: it took too long.
	Next uint64
	// Upto is the order, in ms, down to which everything was looked at.
	Upto uint64
	// Percent is how much of what is stored the index has: 100 but after an
	// update of the program, when a large group was deleted, or on a full disk.
	Percent int
}

// Search finds rows by what they say.
func (db *DB) Search(a Asked) (f Findings, err error) {
	whole, err := db.indexNow()
	if err != nil {
		return f, err
	}
	names := make(map[int64]wire.GroupID)
	db.known.RLock()
	for id, n := range db.numbers {
		names[n] = id
	}
	db.known.RUnlock()
	tags, possible := db.tagsOf(a)
	err = db.read(func(c *conn) error {
		return c.transact("BEGIN", func() error {
			if f.Percent, err = c.percent(); err != nil {
				return err
			}
			if !whole {
				f.Percent = min(f.Percent, 99)
			}
			if !possible {
				return nil
			}
			h := &hunt{c: c, asked: a, tags: tags, limit: min(max(a.Limit, 0), MaxFound), deadline: time.Now().Add(searchTime)}
			if err := h.run(); err != nil {
				return err
			}
			f.Next, f.Upto = h.next, uint64(h.upto>>orderBits)
			for _, r := range h.found {
				f.Found = append(f.Found, Found{names[r.grp], r.row, r.text})
			}
			return nil
		})
	})
	return f, err
}

// indexNow indexes the rows that wait for it, and says whether none waits now. On a
// full disk they go on waiting, and are not found.
func (db *DB) indexNow() (whole bool, err error) {
	waiting := false
	err = db.read(func(c *conn) (err error) {
		_, waiting, err = c.number("SELECT msg FROM unindexed LIMIT 1")
		return err
	})
	if err != nil || !waiting {
		return true, err
	}
	err = db.Update((*Tx).indexWaiting)
	if errors.Is(err, ErrFull) {
		return false, nil
	}
	return true, err
}

// tagsOf are the terms that rows have by who wrote what where; not possible, if
// there is no such group.
func (db *DB) tagsOf(a Asked) (tags []string, possible bool) {
	if a.Group != nil {
		n, ok := db.number(*a.Group)
		if !ok {
			return nil, false
		}
		tags = append(tags, groupTag(n))
	}
	if a.Person != nil {
		tags = append(tags, personTag(*a.Person))
	}
	return tags, true
}

// percent is how much of the database is indexed.
func (c *conn) percent() (int, error) {
	below, of, _, _, err := c.indexing()
	if err != nil || below == 0 || of == 0 {
		return 100, err
	}
	return int(min((of-below)*100/of, 99)), nil
}

// hunt is one search under way.
type hunt struct {
	c        *conn
	asked    Asked
	tags     []string
	limit    int
	deadline time.Time

	found []stored
	next  uint64
	upto  int64
}

// run goes through the spans, newest first.
func (h *hunt) run() error {
	low, _ := docsOf(h.asked.Since)
	high := int64(math.MaxInt64)
	if h.asked.Until > 0 {
		high, _ = docsOf(h.asked.Until)
		high--
	}
	if h.asked.Before > 0 {
		high = min(high, int64(min(h.asked.Before, math.MaxInt64))-1)
	}
	for h.upto = high; high >= low; {
		var s span
		err := h.c.query("SELECT n, since, docs FROM spans WHERE since <= ? ORDER BY since DESC LIMIT 1", []any{high}, func(q *sqlite3.Stmt) error {
			s = span{n: q.ColumnInt64(0), since: q.ColumnInt64(1), docs: q.ColumnInt64(2)}
			return nil
		})
		if err != nil {
			return err
		}
		from := max(s.since, low)
		if s.docs > 0 {
			if err := h.span(s, from, high); err != nil {
				return err
			}
		}
		if h.next != 0 {
			return nil
		}
		h.upto, high = from, from-1
		if high >= low && time.Now().After(h.deadline) {
			h.next = uint64(from)
			return nil
		}
	}
	return nil
}

// span looks through the documents of one span.
func (h *hunt) span(s span, from, to int64) error {
	whole, begun := h.terms(s)
	if begun != "" && len(whole) > 0 {
		few, err := h.look(strings.Join(whole, " AND "), from, to, fewRows+1)
		if err != nil {
			return err
		}
		if len(few) <= fewRows {
			return h.take(few)
		}
	}
	if begun != "" {
		whole = append(whole, begun)
	}
	for {
		want := h.limit - len(h.found) + 1
		rows, err := h.look(strings.Join(whole, " AND "), from, to, want)
		if err != nil {
			return err
		}
		if err := h.take(rows); err != nil || h.next != 0 || len(rows) < want {
			return err
		}
		to = rows[len(rows)-1].doc - 1 // some of them were not what was asked
	}
}

// hit is a document and the row it is.
type hit struct {
	doc int64
	stored
}

// take keeps those of rows that really fulfil what is asked.
func (h *hunt) take(rows []hit) error {
	for _, r := range rows {
		if h.asked.Person != nil && r.row.Person != *h.asked.Person {
			continue // its tag is only the beginning of the id
		}
		text, _, _, err := h.c.wording(r.grp, r.row)
		if err != nil {
			return err
		}
		if _, said := h.asked.Query.Marks(text); !said {
			continue
		}
		r.text = text
		if len(h.found) == h.limit {
			h.next = uint64(h.upto)
			return nil
		}
		h.found, h.upto = append(h.found, r.stored), r.doc
	}
	return nil
}

// terms is the query as the engine reads it, with the sign of a span: what has to be there as a
// whole, and apart from it the word that is only begun.
func (h *hunt) terms(s span) (whole []string, begun string) {
	sign := s.sign()
	phrase := func(words []string) string { return `"` + sign + strings.Join(words, " "+sign) + `"` }
	for _, tag := range h.tags {
		whole = append(whole, phrase([]string{tag}))
	}
	if len(h.asked.Kinds) > 0 {
		var kinds []string
		for _, k := range h.asked.Kinds {
			kinds = append(kinds, phrase([]string{kindTag(k)}))
		}
		whole = append(whole, "("+strings.Join(kinds, " OR ")+")")
	}
	for _, p := range h.asked.Query.Parts {
		if p.Begun {
			begun = phrase(p.Words) + "*"
			continue
		}
		whole = append(whole, phrase(p.Words))
	}
	return whole, begun
}

const (
	sqlHits = "SELECT docs.doc, m.rowid, grp, " + rowColumns + " FROM found CROSS JOIN docs ON docs.doc = found.rowid CROSS JOIN messages AS m ON m.rowid = docs.msg" +
		" WHERE found MATCH ? AND found.rowid BETWEEN ? AND ? ORDER BY found.rowid DESC LIMIT ?"
	sqlAnyHits = "SELECT docs.doc, m.rowid, grp, " + rowColumns + " FROM docs CROSS JOIN messages AS m ON m.rowid = docs.msg" +
		" WHERE docs.doc BETWEEN ? AND ? ORDER BY docs.doc DESC LIMIT ?"
)

// look asks the engine, newest first.
func (h *hunt) look(match string, from, to int64, limit int) (rows []hit, err error) {
	sql, args := sqlHits, []any{match, from, to, int64(limit)}
	if match == "" {
		sql, args = sqlAnyHits, args[1:]
	}
	err = h.c.query(sql, args, func(s *sqlite3.Stmt) error {
		r, err := scanRowFrom(s, 3)
		if err != nil {
			return err
		}
		rows = append(rows, hit{s.ColumnInt64(0), stored{msg: s.ColumnInt64(1), grp: s.ColumnInt64(2), row: r}})
		return nil
	})
	return rows, err
}
