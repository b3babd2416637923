package store

import (
	"bytes"
	"fmt"
	"maps"

	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// Tx is one transaction on the node's own small records. It is of no use
// after the function it was given to has returned.
type Tx struct {
	c     *conn
	write bool

	db    *DB
	fresh map[wire.GroupID]int64 // groups this transaction has made
	gone  []wire.GroupID         // groups it has deleted

	added   int      // rows it has put into unindexed
	flushed bool     // it has emptied unindexed
	below   *int64   // what indexing.below is from now on; nil: as it was
	merging *merging // what DB.merging is from now on; nil: as it was
}

// Pair is one key of a bucket with its value.
type Pair struct {
	Key   []byte
	Value []byte
}

// Update runs do in a write transaction. It is durable when Update returns
// nil; if do returns an error, nothing of it stays and that error is returned.
// do must not call the DB: it would wait for itself.
func (db *DB) Update(do func(*Tx) error) error {
	return db.exclusive(func(c *conn) error {
		tx := &Tx{c: c, write: true, db: db, fresh: map[wire.GroupID]int64{}}
		err := c.transact("BEGIN IMMEDIATE", func() error {
			if err := do(tx); err != nil {
				return err
			}
			return tx.indexDue()
		})
		if err != nil {
			return err
		}
		db.indexed(tx)
		db.known.Lock()
		defer db.known.Unlock()
		maps.Copy(db.numbers, tx.fresh)
		for _, g := range tx.gone {
			delete(db.numbers, g)
		}
		return nil
	})
}

// View runs do in a read transaction: it sees one state of the database,
// whatever is committed meanwhile. do must not call the DB.
func (db *DB) View(do func(*Tx) error) error {
	return db.read(func(c *conn) error {
		return c.transact("BEGIN", func() error { return do(&Tx{c: c, db: db}) })
	})
}

// Get returns the value of a key, and whether there is one.
func (tx *Tx) Get(bucket string, key []byte) ([]byte, bool, error) {
	if err := checkItem(bucket, key, nil); err != nil {
		return nil, false, err
	}
	return tx.c.value("SELECT value FROM items WHERE bucket = ? AND key = ?", bucket, key)
}

// Put sets the value of a key. A value may be empty.
func (tx *Tx) Put(bucket string, key, value []byte) error {
	if err := checkItem(bucket, key, value); err != nil {
		return err
	}
	if !tx.write {
		return ErrReadOnly
	}
	return tx.c.exec("INSERT INTO items VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
		bucket, key, value)
}

// Delete removes a key if it is there.
func (tx *Tx) Delete(bucket string, key []byte) error {
	if err := checkItem(bucket, key, nil); err != nil {
		return err
	}
	if !tx.write {
		return ErrReadOnly
	}
	return tx.c.exec("DELETE FROM items WHERE bucket = ? AND key = ?", bucket, key)
}

// List returns the keys of a bucket that start with prefix, ascending.
func (tx *Tx) List(bucket string, prefix []byte) ([]Pair, error) {
	if err := checkItem(bucket, prefix, nil); err != nil {
		return nil, err
	}
	sql, args := "SELECT key, value FROM items WHERE bucket = ? AND key >= ? ORDER BY key", []any{bucket, prefix}
	if end := prefixEnd(prefix); end != nil {
		sql, args = "SELECT key, value FROM items WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key", append(args, end)
	}
	var pairs []Pair
	err := tx.c.query(sql, args, func(s *sqlite3.Stmt) error {
		pairs = append(pairs, Pair{Key: column(s, 0), Value: column(s, 1)})
		return nil
	})
	return pairs, err
}

// prefixEnd returns the first key after all that start with prefix; nil if
// there is none.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func checkItem(bucket string, key, value []byte) error {
	if bucket == "" || len(bucket) > MaxBucketName {
		return fmt.Errorf("%w: bucket name of %d bytes", ErrRange, len(bucket))
	}
	return checkSize(key, value)
}

func checkSize(key, value []byte) error {
	if len(key) > MaxValue || len(value) > MaxValue {
		return fmt.Errorf("%w: key of %d bytes, value of %d", ErrRange, len(key), len(value))
	}
	return nil
}

// value runs a statement that returns at most one value.
func (c *conn) value(sql string, args ...any) (value []byte, found bool, err error) {
	err = c.query(sql, args, func(s *sqlite3.Stmt) error {
		value, found = column(s, 0), true
		return nil
	})
	return value, found, err
}

// column returns a copy of a column that is never nil.
func column(s *sqlite3.Stmt, i int) []byte {
	return s.ColumnBlob(i, []byte{})
}
