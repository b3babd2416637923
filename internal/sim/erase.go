package sim

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/wire"
)

// wipe takes what is stored of a message, as the store does.
func (r *Replica) wipe(d group.Deletion) {
	copies := r.copiesOf(d.Target)
	stays := func(b wire.BlockHash) bool { return slices.Contains(d.Beyond, b) }
	if len(copies) > 0 && !slices.ContainsFunc(copies, func(b wire.BlockHash) bool { return !stays(b) }) {
		return
	}
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
		case about && of == d.Target && kind == group.ContentEdit && !d.Annotation && (len(copies) > 0 || !stays(row.Block)):
		default:
			continue
		}
		delete(r.Records[group.KindShelved], string(group.EntryKey(p.Ref())))
		delete(r.Records[group.KindSalt], string(group.EntryKey(p.Ref())))
		row.State, row.Content = group.RowDeleted, nil
		r.Rows[p] = row
	}
}

// copiesOf returns the blocks at which the rows of a message were written.
func (r *Replica) copiesOf(t group.Target) (blocks []wire.BlockHash) {
	add := func(p group.Place) {
		for _, k := range []group.Kind{group.KindEntry, group.KindEarlier} {
			if h, err := dag.ParseHeader(r.Records[k][string(group.EntryKey(p.Ref()))]); err == nil {
				blocks = append(blocks, h.Block)
			}
		}
	}
	for p, row := range r.Rows {
		if row.Target() == t {
			add(p)
		}
	}
	for p, of := range r.hidden {
		if of == t {
			add(p)
		}
	}
	return blocks
}
