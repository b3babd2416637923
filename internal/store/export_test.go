package store

import (
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"kith/internal/group"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// UseRealVaults makes it as dear as people have it, until undone.
func UseRealVaults() (undo func()) {
	argonMemory = vaultMemoryKiB
	return UseSmallVaults
}

// Stepped has do called after each step that a crash may leave a home at.
func Stepped(do func()) { stepped = do }

// UseSmallIndex makes the batches and spans of the index small until undone.
func UseSmallIndex() (undo func()) {
	indexBatch, spanDocs, sliceBits = 5, 12, 5
	return func() { indexBatch, spanDocs, sliceBits = rowsIndexed, docsOfSpan, bitsOfSlice }
}

// NoIndex lets rows wait to be indexed, however many, until undone.
func NoIndex() (undo func()) {
	indexBatch = 1 << 40
	return func() { indexBatch = rowsIndexed }
}

// LimitSpans makes the signs of spans few until undone.
func LimitSpans(n int64) (undo func()) {
	spanLimit = n
	return func() { spanLimit = maxSpans }
}

// CheckIndex looks for faults of the index: the engine's own, documents without a row
// and rows without a document, spans that lie, and words that are left of no row.
func CheckIndex(t *testing.T, db *DB) {
	t.Helper()
	err := db.exclusive(func(c *conn) error {
		if err := c.sq.Exec("INSERT INTO found (found) VALUES ('integrity-check')"); err != nil {
			t.Error(err)
		}
		for what, sql := range map[string]string{
			"documents without a row":    "SELECT count(*) FROM docs WHERE msg NOT IN (SELECT rowid FROM messages)",
			"waiting rows that are gone": "SELECT count(*) FROM unindexed WHERE msg NOT IN (SELECT rowid FROM messages)",
			"rows twice":                 "SELECT count(*) - count(DISTINCT msg) FROM docs",
			"rows nowhere": "SELECT count(*) FROM messages WHERE state = 1 AND rowid >= (SELECT below FROM indexing)" +
				" AND rowid NOT IN (SELECT msg FROM docs) AND rowid NOT IN (SELECT msg FROM unindexed)",
			"documents too early":          "SELECT count(*) FROM docs WHERE msg < (SELECT below FROM indexing)",
			"documents not of their order": "SELECT count(*) FROM docs JOIN messages AS m ON m.rowid = msg WHERE doc >> 11 <> ord",
			"miscounted spans": "SELECT count(*) FROM spans AS s WHERE docs <> (SELECT count(*) FROM docs WHERE doc >= since" +
				" AND doc < coalesce((SELECT min(since) FROM spans WHERE since > s.since), 9223372036854775807))",
		} {
			if n, _, err := c.number(sql); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", what, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Said returns what a row is found by that nothing edits.
func Said(r group.Row) string {
	text, _, _ := indexed(r)
	return text
}

// Terms returns the words in the index, without the signs of their spans.
func Terms(t *testing.T, db *DB) map[string]int {
	t.Helper()
	terms := map[string]int{}
	err := db.exclusive(func(c *conn) error {
		if err := c.sq.Exec("CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, found, row)"); err != nil {
			return err
		}
		err := c.query("SELECT term, doc FROM temp.words", nil, func(s *sqlite3.Stmt) error {
			_, size := utf8.DecodeRuneInString(s.ColumnText(0))
			terms[s.ColumnText(0)[size:]] += int(s.ColumnInt64(1))
			return nil
		})
		c.stmts["SELECT term, doc FROM temp.words"].Close()
		delete(c.stmts, "SELECT term, doc FROM temp.words")
		return errors.Join(err, c.sq.Exec("DROP TABLE temp.words"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// SignPosts returns the beginnings of words by which the engine parts the pages
// of the index.
func SignPosts(t *testing.T, db *DB) (posts []string) {
	t.Helper()
	err := db.exclusive(func(c *conn) error {
		return c.query("SELECT term FROM found_idx", nil, func(s *sqlite3.Stmt) error {
			if b := s.ColumnRawBlob(0); len(b) > 0 {
				_, size := utf8.DecodeRune(b[1:]) // after the engine's own mark
				posts = append(posts, string(b[1+size:]))
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return posts
}

// Spans returns how many documents each span has, in order.
func Spans(t *testing.T, db *DB) (docs []int) {
	t.Helper()
	err := db.exclusive(func(c *conn) error {
		return c.query("SELECT docs FROM spans ORDER BY since", nil, func(s *sqlite3.Stmt) error {
			docs = append(docs, int(s.ColumnInt64(0)))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// On returns cfg for a database on another file system, encrypted as usual.
func On(t *testing.T, cfg Config, base vfs.VFS) Config {
	cfg.base = "store-" + t.Name()
	vfs.Register(cfg.base, encrypted(base))
	t.Cleanup(func() { vfs.Unregister(cfg.base) })
	return cfg
}

// AddMigration makes this program a newer one until the test ends.
func AddMigration(t *testing.T, sql string) {
	old := migrations
	migrations = append(slices.Clone(old), sql)
	t.Cleanup(func() { migrations = old })
}

// OnlyMigrations makes this program one that knows the first n until undone.
func OnlyMigrations(n int) (undo func()) {
	old := migrations
	migrations = old[:n]
	return func() { migrations = old }
}

// Plans returns how the engine runs each statement that reads a page.
func Plans(t *testing.T, db *DB) map[string]string {
	return plans(t, db, map[string]string{
		"newest": sqlNewest, "before": sqlBefore, "after": sqlAfter, "unread": sqlUnread,
		"count": sqlCount, "client": sqlClient, "person": sqlPerson, "id": sqlID,
	})
}

// AnnotationPlans returns how the engine runs each statement that finds annotations.
func AnnotationPlans(t *testing.T, db *DB) map[string]string {
	return plans(t, db, map[string]string{"about": sqlAbout, "wording": sqlWording, "around": sqlAround, "pins": sqlPins, "prefix": sqlPrefix})
}

func plans(t *testing.T, db *DB, statements map[string]string) map[string]string {
	plans := map[string]string{}
	for name, sql := range statements {
		err := db.exclusive(func(c *conn) error {
			return c.query("EXPLAIN QUERY PLAN "+sql, nil, func(s *sqlite3.Stmt) error {
				plans[name] += s.ColumnText(3) + "\n"
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return plans
}

// Raw runs SQL on the writer.
func Raw(db *DB, sql string) error {
	return db.exclusive(func(c *conn) error { return translate(c.sq.Exec(sql)) })
}

// ReformatKey and ReformatVault parse a file and write it again.
func ReformatKey(text []byte) ([]byte, bool) {
	k, ok := parseKey(text)
	return k.text(), ok
}

func ReformatVault(text []byte) ([]byte, bool) {
	v, err := parseVault(text)
	return v.text(), err == nil
}
