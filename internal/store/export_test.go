package store

import (
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// UseSmallVaults makes Argon2id cheap for tests.
func UseSmallVaults() { argonMemory = 64 }

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
	return plans(t, db, map[string]string{"about": sqlAbout, "around": sqlAround, "pins": sqlPins, "prefix": sqlPrefix})
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
