package store

import (
	"fmt"

	"kith/internal/group"
	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// LastRead returns the place up to which a group has been read; the zero place
// if nothing was.
func (db *DB) LastRead(g wire.GroupID) (p group.Place, err error) {
	err = db.inGroup(g, func(c *conn, n int64) error {
		p, err = c.lastRead(n)
		return err
	})
	return p, err
}

// SetLastRead moves the read mark of a group forward; to an earlier place it
// does not move, so that windows may report in any order. A group that is not
// there is not made.
func (db *DB) SetLastRead(g wire.GroupID, p group.Place) error {
	return db.Update(func(tx *Tx) error { return tx.SetLastRead(g, p) })
}

// SetLastRead is [DB.SetLastRead] within a transaction.
func (tx *Tx) SetLastRead(g wire.GroupID, p group.Place) error {
	if !tx.write {
		return ErrReadOnly
	}
	n, ok := tx.fresh[g]
	if !ok {
		if n, ok = tx.db.number(g); !ok {
			return nil
		}
	}
	ord, device, seq, hash := columns(p)
	return tx.c.exec("UPDATE groups SET read_ord = ?1, read_device = ?2, read_seq = ?3, read_hash = ?4"+
		" WHERE n = ?5 AND (read_ord, read_device, read_seq, read_hash) < (?1, ?2, ?3, ?4)", ord, device, seq, hash, n)
}

// LowerLastRead moves the read mark of a group back before a row that came late, to the
// last one that stands before it, if it is at the row or after it.
func (tx *Tx) LowerLastRead(g wire.GroupID, late group.Place) error {
	if !tx.write {
		return ErrReadOnly
	}
	n, err := tx.number(g)
	if err != nil {
		return err
	}
	ord, device, seq, hash := columns(late)
	return tx.c.exec("UPDATE groups SET (read_ord, read_device, read_seq, read_hash) = (SELECT ord, device, seq, hash FROM ("+
		"SELECT ord, device, seq, hash FROM messages WHERE grp = ?5 AND (ord, device, seq, hash) < (?1, ?2, ?3, ?4)"+
		" UNION ALL SELECT 0, x'', 0, x'') ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT 1)"+
		" WHERE n = ?5 AND (read_ord, read_device, read_seq, read_hash) >= (?1, ?2, ?3, ?4)", ord, device, seq, hash, n)
}

// Unread counts the rows after the read mark that me did not write, up to
// [MaxUnread].
func (db *DB) Unread(g wire.GroupID, me wire.PersonID) (int, error) {
	var count int64
	err := db.inGroup(g, func(c *conn, n int64) error {
		p, err := c.lastRead(n)
		if err != nil {
			return err
		}
		ord, device, seq, hash := columns(p)
		count, _, err = c.number(sqlUnread, n, ord, device, seq, hash, me[:], int64(MaxUnread))
		return err
	})
	return int(count), err
}

func (c *conn) lastRead(n int64) (p group.Place, err error) {
	err = c.query("SELECT read_ord, read_device, read_seq, read_hash FROM groups WHERE n = ?", []any{n}, func(s *sqlite3.Stmt) error {
		p.Order, p.Seq = uint64(s.ColumnInt64(0)), uint64(s.ColumnInt64(2))
		switch b := s.ColumnRawBlob(1); len(b) {
		case 0: // never read
		case len(p.Device):
			copy(p.Device[:], b)
		default:
			return fmt.Errorf("%w: a device id of %d bytes", ErrDamaged, len(b))
		}
		copy(p.Hash[:], s.ColumnRawBlob(3))
		return nil
	})
	return p, err
}
