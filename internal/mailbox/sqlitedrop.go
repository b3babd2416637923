package mailbox

import (
	"bytes"
	"context"
	"math"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// dropRow is a drop with what the engine alone needs of it.
type dropRow struct {
	Held
	n            int64
	items, bytes int64
}

func (c *sqliteConn) drop(name Name) (d dropRow, found bool, err error) {
	err = c.query("SELECT n, write, read, keep, expires, last, items, bytes FROM drops WHERE name = ?", []any{name[:]}, func(s *sqlite3.Stmt) {
		found = true
		d.n = s.ColumnInt64(0)
		copy(d.Write[:], s.ColumnRawBlob(1))
		copy(d.Read[:], s.ColumnRawBlob(2))
		d.Keep = s.ColumnInt64(3) != 0
		d.Expires = uint32(s.ColumnInt64(4))
		d.End = uint64(s.ColumnInt64(5))
		d.items, d.bytes = s.ColumnInt64(6), s.ColumnInt64(7)
	})
	return d, found, err
}

// rowID is that of an item.
func (d dropRow) rowID(position uint64) int64 {
	return d.n<<32 | int64(min(position, math.MaxUint32))
}

func (e *sqliteEngine) Make(ctx context.Context, d Drop, hour uint32) (Held, error) {
	name, made := d.Name(), Held{Drop: d, Expires: hour}
	err := e.submit(ctx, func(c *sqliteConn, use *Usage) error {
		held, found, err := c.drop(name)
		if err != nil || found {
			made = held.Held
			return err
		}
		if use.Drops >= e.bounds.Drops {
			return &FullError{What: LimitAll, Retry: time.Hour}
		}
		keep := int64(0)
		if d.Keep {
			keep = 1
		}
		use.Drops++
		return c.exec("INSERT INTO drops (name, write, read, keep, expires) VALUES (?, ?, ?, ?, ?)", name[:], d.Write[:], d.Read[:], keep, int64(hour))
	})
	return made, err
}

func (e *sqliteEngine) Find(ctx context.Context, name Name) (held Held, found bool, err error) {
	err = e.read(ctx, func(c *sqliteConn) error {
		d, ok, err := c.drop(name)
		held, found = d.Held, ok
		return err
	})
	return held, found, err
}

func (e *sqliteEngine) Put(ctx context.Context, name Name, items [][]byte) (last uint64, err error) {
	size := int64(0)
	for _, i := range items {
		size += int64(len(i))
	}
	err = e.submit(ctx, func(c *sqliteConn, use *Usage) error {
		d, found, err := c.drop(name)
		if err != nil {
			return err
		}
		if !found {
			return ErrRefused
		}
		count := int64(len(items))
		switch {
		case d.items+count > e.bounds.DropItems, d.bytes+size > e.bounds.DropBytes, d.End+uint64(count) > math.MaxUint32:
			return &FullError{What: LimitDrop, Retry: time.Hour}
		case use.Bytes+size > e.bounds.Bytes:
			return &FullError{What: LimitAll, Retry: time.Hour}
		}
		for i, item := range items {
			if err := c.exec("INSERT INTO items (id, body) VALUES (?, ?)", d.rowID(d.End+uint64(i)+1), item); err != nil {
				return err
			}
		}
		last = d.End + uint64(count)
		use.Items += count
		use.Bytes += size
		return c.exec("UPDATE drops SET last = ?, items = items + ?, bytes = bytes + ? WHERE n = ?", int64(last), count, size, d.n)
	})
	if err != nil {
		return 0, err
	}
	return last, nil
}

func (e *sqliteEngine) Fetch(ctx context.Context, name Name, after uint64) (p Page, err error) {
	err = e.read(ctx, func(c *sqliteConn) error {
		d, found, err := c.drop(name)
		if err != nil {
			return err
		}
		if !found {
			return ErrRefused
		}
		p.End = d.End
		size := 0
		// One more than fits says whether there are more.
		err = c.query("SELECT id, body FROM items WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
			[]any{d.rowID(after), d.rowID(math.MaxUint32), int64(MaxItems + 1)}, func(s *sqlite3.Stmt) {
				if p.More {
					return
				}
				body := s.ColumnRawBlob(1)
				if len(p.Items) == MaxItems || len(p.Items) > 0 && size+len(body) > MaxBody {
					p.More = true
					return
				}
				size += len(body)
				p.Items = append(p.Items, Item{uint64(s.ColumnInt64(0) & math.MaxUint32), bytes.Clone(body)})
			})
		if err != nil {
			return err
		}
		if n := len(p.Items); n > 0 { // a put may have come between the two queries
			p.End = max(p.End, p.Items[n-1].Position)
		}
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	return p, nil
}

func (e *sqliteEngine) Delete(ctx context.Context, name Name, upTo uint64) error {
	for {
		more := false
		err := e.submit(ctx, func(c *sqliteConn, use *Usage) error {
			d, found, err := c.drop(name)
			if err != nil {
				return err
			}
			if !found {
				return ErrRefused
			}
			count, err := c.deleteItems(d, upTo, use)
			more = count == sweepItems
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// deleteItems deletes the first items of a drop up to a position, at most
// sweepItems, and returns how many.
func (c *sqliteConn) deleteItems(d dropRow, upTo uint64, use *Usage) (count int64, err error) {
	var size, last int64
	err = c.query("SELECT id, length(body) FROM items WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
		[]any{d.rowID(0), d.rowID(upTo), int64(sweepItems)}, func(s *sqlite3.Stmt) {
			last = s.ColumnInt64(0)
			size += s.ColumnInt64(1)
			count++
		})
	if err != nil || count == 0 {
		return 0, err
	}
	use.Items -= count
	use.Bytes -= size
	if err := c.exec("DELETE FROM items WHERE id > ? AND id <= ?", d.rowID(0), last); err != nil {
		return 0, err
	}
	return count, c.exec("UPDATE drops SET items = items - ?, bytes = bytes - ? WHERE n = ?", count, size, d.n)
}

func (e *sqliteEngine) Expire(ctx context.Context, hour uint32) error {
	for {
		more := false
		err := e.submit(ctx, func(c *sqliteConn, use *Usage) error {
			name, found := Name{}, false
			err := c.query("SELECT name FROM drops WHERE expires <= ? ORDER BY expires LIMIT 1", []any{int64(hour)}, func(s *sqlite3.Stmt) {
				found = true
				copy(name[:], s.ColumnRawBlob(0))
			})
			if err != nil || !found {
				return err
			}
			more = true
			d, _, err := c.drop(name)
			if err != nil {
				return err
			}
			count, err := c.deleteItems(d, math.MaxUint32, use)
			if err != nil || count == sweepItems {
				return err
			}
			use.Drops--
			return c.exec("DELETE FROM drops WHERE n = ?", d.n)
		})
		if err != nil || !more {
			return err
		}
	}
}
