package sim

import "kith/internal/group"

// wipe takes what is stored of a message, as the store does.
func (r *Replica) wipe(d group.Deletion) {
	for p, row := range r.Rows {
		var kind group.ContentKind
		c, err := group.ParseContent(row.Content)
		if row.State == group.RowShown && err == nil {
			kind = c.Kind
		}
		switch of, about := c.About(); {
		case row.Target() == d.Target && (d.Timed || row.State != group.RowShown || d.Annotation == row.Annotation && (!about || kind == group.ContentEdit)):
			delete(r.Records[group.KindCipher], string(group.EntryKey(p.Ref())))
			for at, of := range r.hidden {
				if of == d.Target {
					for _, k := range []group.Kind{group.KindCipher, group.KindShelved, group.KindSalt} {
						delete(r.Records[k], string(group.EntryKey(at.Ref())))
					}
				}
			}
			row.Annotation = d.Annotation || d.Timed && row.Annotation
		case about && of == d.Target && kind == group.ContentEdit && !d.Annotation:
		default:
			continue
		}
		delete(r.Records[group.KindShelved], string(group.EntryKey(p.Ref())))
		delete(r.Records[group.KindSalt], string(group.EntryKey(p.Ref())))
		row.State, row.Content = group.RowDeleted, nil
		r.Rows[p] = row
	}
}
