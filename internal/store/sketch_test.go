package store_test

import (
	"maps"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestSketch: a sketch stays until a record of its group is written or the group goes.
func TestSketch(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		stored := func(want map[wire.GroupID]string) {
			t.Helper()
			got := make(map[wire.GroupID]string)
			must(t, db.Sketches(func(g wire.GroupID, value []byte) error { got[g] = string(value); return nil }))
			if !maps.Equal(got, want) {
				t.Errorf("sketches %q, want %q", got, want)
			}
		}
		self := []group.Record{{Kind: group.KindSelf, Value: []byte("self")}}
		must(t, db.PutSketch(g1, []byte("of no group")))
		stored(map[wire.GroupID]string{})
		must(t, db.Commit(g1, self, nil, nil))
		must(t, db.Commit(g2, self, nil, nil))
		must(t, db.PutSketch(g1, []byte("one")))
		must(t, db.PutSketch(g2, nil))
		must(t, db.PutSketch(g2, []byte("two")))
		stored(map[wire.GroupID]string{g1: "one", g2: "two"})

		must(t, db.Commit(g1, nil, []group.Row{says(ann, 1, 1, "a row is in no sketch")}, nil))
		must(t, db.SetLastRead(g1, group.Place{Order: 1}))
		stored(map[wire.GroupID]string{g1: "one", g2: "two"})

		must(t, db.Commit(g1, self, nil, nil))
		stored(map[wire.GroupID]string{g2: "two"})
		must(t, db.PutSketch(g1, []byte("again")))
		must(t, db.Commit(g1, []group.Record{{Kind: group.KindSelf}}, nil, nil)) // it deletes one
		stored(map[wire.GroupID]string{g2: "two"})
		must(t, db.DeleteGroup(g2))
		stored(map[wire.GroupID]string{})
	})
}
