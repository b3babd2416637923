package store

import (
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// A sketch is what the owner of a group's records wants to know of them at a start
// without reading them. It is of the records as they are: whatever writes a record
// of the group removes it in the same transaction.

// PutSketch stores the sketch of a group. A group that is not there is not made.
func (db *DB) PutSketch(g wire.GroupID, value []byte) error {
	if err := checkSize(nil, value); err != nil {
		return err
	}
	n, ok := db.number(g)
	if !ok {
		return nil
	}
	return db.Update(func(tx *Tx) error {
		return tx.c.exec("INSERT INTO sketches VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", n, value)
	})
}

// Sketches calls each for every group that has a sketch. each may keep the value; it must not
// call the DB.
func (db *DB) Sketches(each func(g wire.GroupID, value []byte) error) error {
	return db.read(func(c *conn) error {
		return c.query("SELECT id, value FROM sketches JOIN groups ON n = grp", nil, func(s *sqlite3.Stmt) error {
			id := s.ColumnRawBlob(0)
			if len(id) != len(wire.GroupID{}) {
				return ErrDamaged
			}
			return each(wire.GroupID(id), column(s, 1))
		})
	})
}

func (tx *Tx) dropSketch(n int64) error {
	return tx.c.exec("DELETE FROM sketches WHERE grp = ?", n)
}
