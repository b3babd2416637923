package sim

import "kith/internal/group"

// disappears reports whether a row lasts for a time only, by itself or by what it is about.
func (c *checker) disappears(row group.Row) bool {
	if group.Lifetime(c.g, row.ID) != 0 {
		return true
	}
	content, err := group.ParseContent(row.Content)
	of, about := content.About()
	return err == nil && about && group.Lifetime(c.g, of.ID) != 0
}

// over reports whether the time of a line is over: a program shows no place for it.
func (r *Replica) over(row group.Row) bool {
	return row.State == group.RowDeleted && group.Lifetime(r.Machine.Group(), row.ID) != 0
}
