package store

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

const (
	sqlHolding = "SELECT " + rowColumns + " FROM (SELECT " + rowColumns + " FROM messages WHERE grp = ? AND (ord, device, seq, hash) > (?, ?, ?, ?)" +
		" AND person <> ? AND state = 1 ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?) WHERE instr(content, ?) > 0 LIMIT ?"
	// 4 is [group.ContentEdit]. An edit stands after what it edits.
	sqlEditHolding = "SELECT " + rowColumns + " FROM (SELECT " + rowColumns + ", kind FROM annotations WHERE grp = ? AND (ord, device, seq, hash) > (?, ?, ?, ?)" +
		" AND person <> ? AND state = 1 ORDER BY ord DESC, device DESC, seq DESC, hash DESC LIMIT ?) WHERE kind = 4 AND instr(content, ?) > 0 LIMIT ?"
)

// UnreadHolding returns rows after the read mark that me did not write, oldest first, that hold some bytes
// or have an edit that does. It looks at the newest [MaxMentionLook] rows and as many of what is about some,
// takes up to n of each, and gives up to n. What they say now the caller knows.
func (db *DB) UnreadHolding(g wire.GroupID, me wire.PersonID, holds []byte, n int) (rows []group.Row, err error) {
	err = db.inGroup(g, func(c *conn, grp int64) error {
		read, err := c.lastRead(grp)
		if err != nil {
			return err
		}
		ord, device, seq, hash := columns(read)
		if rows, err = c.rows(sqlHolding, grp, ord, device, seq, hash, me[:], int64(MaxMentionLook), holds, limit(n)); err != nil {
			return err
		}
		edits, err := c.rows(sqlEditHolding, grp, ord, device, seq, hash, me[:], int64(MaxMentionLook), holds, limit(n))
		if err != nil {
			return err
		}
		for _, e := range edits {
			r, err := c.edited(grp, e)
			if err != nil {
				return err
			}
			if r != nil && dag.Less(read, r.Place) {
				rows = append(rows, *r)
			}
		}
		return nil
	})
	slices.SortFunc(rows, func(a, b group.Row) int { return group.ComparePlaces(a.Place, b.Place) })
	rows = slices.CompactFunc(rows, func(a, b group.Row) bool { return a.Place == b.Place })
	return rows[max(0, len(rows)-n):], err
}

// edited is the line that an edit is of, nil if it is of none.
func (c *conn) edited(grp int64, edit group.Row) (*group.Row, error) {
	content, err := group.ParseContent(edit.Content)
	if err != nil {
		return nil, nil
	}
	of, ok := content.About()
	if !ok || of.Person != edit.Person {
		return nil, nil
	}
	return c.row(sqlSame, grp, of.ID[:], of.Person[:], of.Commit[:])
}
