package store

import (
	"fmt"
	"maps"
	"slices"

	"kith/internal/group"
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// Batch is what one step of one group wants stored.
type Batch struct {
	Group   wire.GroupID
	Records []group.Record
	Rows    []group.Row
	Checked []group.Place    // rows that are not Waiting any more
	Deleted []group.Deletion // messages to be wiped, once the rows are stored
	Twice   []group.Place    // rows whose device wrote another with the same number
	Also    func(*Tx) error  // more of the same transaction; may be nil; must not call the DB
}

// Commit stores the effects of one step in one transaction, which is durable
// when Commit returns nil. The first Commit of a group makes it known. With
// [ErrFull], as with every error, nothing has changed, and a later Commit
// works once there is space.
func (db *DB) Commit(g wire.GroupID, records []group.Record, rows []group.Row, also func(*Tx) error) error {
	return db.CommitMany([]Batch{{Group: g, Records: records, Rows: rows, Also: also}})
}

// CommitMany stores the effects of several steps in one transaction, in order:
// all or none. One wait for the disk then serves them all.
func (db *DB) CommitMany(batch []Batch) error {
	for _, b := range batch {
		if err := b.check(); err != nil {
			return err
		}
	}
	return db.Update(func(tx *Tx) error {
		for _, b := range batch {
			if err := tx.store(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b Batch) check() error {
	for _, r := range b.Records {
		if err := checkSize(r.Key, r.Value); err != nil {
			return err
		}
	}
	for _, r := range b.Rows {
		if err := checkRow(r); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) store(b Batch) error {
	n, err := tx.number(b.Group)
	if err != nil {
		return err
	}
	if len(b.Records) > 0 {
		if err := tx.dropSketch(n); err != nil {
			return err
		}
	}
	for _, r := range b.Records {
		if err := tx.putRecord(n, r); err != nil {
			return err
		}
	}
	for _, r := range b.Rows {
		if err := tx.putRow(n, r); err != nil {
			return err
		}
	}
	for _, d := range b.Deleted {
		if err := tx.wipe(n, d); err != nil {
			return err
		}
	}
	for _, p := range b.Checked {
		if err := tx.mark(n, p, 0, markWaiting); err != nil {
			return err
		}
	}
	for _, p := range b.Twice {
		if err := tx.mark(n, p, markTwice, 0); err != nil {
			return err
		}
	}
	if b.Also == nil {
		return nil
	}
	return b.Also(tx)
}

func (tx *Tx) putRecord(n int64, r group.Record) error {
	if r.Value == nil && r.Kind == group.KindRatchet && len(r.Key) == len(wire.BlockHash{}) {
		return tx.dropRatchets(n, r.Key)
	}
	if r.Value == nil {
		return tx.c.exec("DELETE FROM records WHERE grp = ? AND kind = ? AND key = ?",
			n, int64(r.Kind), r.Key)
	}
	return tx.c.exec("INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
		n, int64(r.Kind), r.Key, r.Value)
}

// dropRatchets removes every ratchet of the epoch that a block hash names.
func (tx *Tx) dropRatchets(n int64, block []byte) error {
	sql, args := "DELETE FROM records WHERE grp = ? AND kind = ? AND key >= ?", []any{n, int64(group.KindRatchet), block}
	if end := prefixEnd(block); end != nil {
		sql, args = sql+" AND key < ?", append(args, end)
	}
	return tx.c.exec(sql, args...)
}

// number returns the number of a group, which it makes known if need be.
func (tx *Tx) number(g wire.GroupID) (int64, error) {
	if n, ok := tx.fresh[g]; ok {
		return n, nil
	}
	if n, ok := tx.db.number(g); ok {
		return n, nil
	}
	if err := tx.c.exec("INSERT INTO groups (id) VALUES (?)", g[:]); err != nil {
		return 0, err
	}
	n := tx.c.sq.LastInsertRowID()
	tx.fresh[g] = n
	return n, nil
}

func (db *DB) number(g wire.GroupID) (int64, bool) {
	db.known.RLock()
	defer db.known.RUnlock()
	n, ok := db.numbers[g]
	return n, ok
}

func (db *DB) loadNumbers() error {
	return db.writer.query("SELECT id, n FROM groups", nil, func(s *sqlite3.Stmt) error {
		id := s.ColumnRawBlob(0)
		if len(id) != len(wire.GroupID{}) {
			return fmt.Errorf("%w: group id of %d bytes", ErrDamaged, len(id))
		}
		db.numbers[wire.GroupID(id)] = s.ColumnInt64(1)
		return nil
	})
}

// Groups returns the groups there are, in the order in which they came.
func (db *DB) Groups() ([]wire.GroupID, error) {
	if db.isClosed() {
		return nil, ErrClosed
	}
	db.known.RLock()
	defer db.known.RUnlock()
	ids := slices.Collect(maps.Keys(db.numbers))
	slices.SortFunc(ids, func(a, b wire.GroupID) int { return int(db.numbers[a] - db.numbers[b]) })
	return ids, nil
}

// Load calls each for the records of a group of the given kinds (nil: all), by
// kind and then key, ascending. It stops at an error of each and returns that.
// each may keep the record; it must not call the DB.
func (db *DB) Load(g wire.GroupID, kinds []group.Kind, each func(group.Record) error) error {
	return db.inGroup(g, func(c *conn, n int64) error {
		give := func(s *sqlite3.Stmt) error {
			return each(group.Record{Kind: group.Kind(s.ColumnInt64(0)), Key: column(s, 1), Value: column(s, 2)})
		}
		if kinds == nil {
			return c.query("SELECT kind, key, value FROM records WHERE grp = ? ORDER BY kind, key", []any{n}, give)
		}
		ordered := slices.Compact(slices.Sorted(slices.Values(kinds)))
		return c.transact("BEGIN", func() error {
			for _, k := range ordered {
				err := c.query("SELECT kind, key, value FROM records WHERE grp = ? AND kind = ? ORDER BY key",
					[]any{n, int64(k)}, give)
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// LoadFrom calls each for the records of a group of one kind from a key on, by key ascending. It stops
// at an error of each and returns that. each may keep the record; it must not call the DB.
func (db *DB) LoadFrom(g wire.GroupID, k group.Kind, from []byte, each func(group.Record) error) error {
	return db.inGroup(g, func(c *conn, n int64) error {
		return c.query("SELECT key, value FROM records WHERE grp = ? AND kind = ? AND key >= ? ORDER BY key",
			[]any{n, int64(k), from}, func(s *sqlite3.Stmt) error {
				return each(group.Record{Kind: k, Key: column(s, 0), Value: column(s, 1)})
			})
	})
}

// Get returns the value of one record, and whether there is one.
func (db *DB) Get(g wire.GroupID, k group.Kind, key []byte) (value []byte, found bool, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		value, found, err = c.value("SELECT value FROM records WHERE grp = ? AND kind = ? AND key = ?",
			n, int64(k), key)
		return err
	})
	return value, found, err
}

// DeleteGroup removes a group with its records, rows and read mark.
func (db *DB) DeleteGroup(g wire.GroupID) error {
	return db.Update(func(tx *Tx) error { return tx.DeleteGroup(g) })
}

// DeleteGroup is [DB.DeleteGroup], with all else that the transaction does.
func (tx *Tx) DeleteGroup(g wire.GroupID) error {
	if !tx.write {
		return ErrReadOnly
	}
	n, ok := tx.db.number(g)
	if !ok {
		return nil
	}
	tx.gone = append(tx.gone, g)
	anew, err := tx.forgetGroup(n)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM records WHERE grp = ?",
		"DELETE FROM messages WHERE grp = ?",
		"DELETE FROM hidden WHERE grp = ?",
		"DELETE FROM annotations WHERE grp = ?",
		"DELETE FROM unsorted WHERE grp = ?",
		"DELETE FROM sketches WHERE grp = ?",
		"DELETE FROM groups WHERE n = ?",
	} {
		if err := tx.c.exec(sql, n); err != nil {
			return err
		}
	}
	if anew {
		return tx.reindex()
	}
	return nil
}

// inGroup lends a reader to do, with the group's number. For a group that is
// not there it does nothing.
func (db *DB) inGroup(g wire.GroupID, do func(c *conn, n int64) error) error {
	n, ok := db.number(g)
	if !ok {
		if db.isClosed() {
			return ErrClosed
		}
		return nil
	}
	return db.read(func(c *conn) error { return do(c, n) })
}
