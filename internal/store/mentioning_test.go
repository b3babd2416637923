package store_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
)

// TestUnreadHolding: lines of others after the read mark that hold some bytes, or have an edit of their
// author's that does.
func TestUnreadHolding(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		read, old, fresh, plain := words(bob, 1, "you! read"), words(bob, 2, "old"), words(bob, 4, "for you!"), words(bob, 5, "plain")
		must(t, db.Commit(g1, nil, []group.Row{
			read, old, words(ann, 3, "I say you! too"), fresh, plain,
			about(bob, 6, group.Edit{Of: plain.Target(), Text: "now for you!"}),
			about(bob, 7, group.Edit{Of: old.Target(), Text: "you! when it was read"}),
			about(ann, 8, group.Edit{Of: plain.Target(), Text: "you! by somebody else"}),
			about(bob, 9, group.Edit{Of: fresh.Target(), Text: "you! again"}),
		}, nil))
		must(t, db.SetLastRead(g1, old.Place))
		for n, want := range map[int][]group.Row{10: {fresh, plain}, 1: {fresh}, 0: nil} {
			rows, err := db.UnreadHolding(g1, ann, []byte("you!"), n)
			must(t, err)
			if !slices.EqualFunc(rows, want, func(a, b group.Row) bool { return a.Place == b.Place }) {
				t.Errorf("%d of them: %q, want %q", n, texts(rows), texts(want))
			}
		}
		if rows, err := db.UnreadHolding(g2, ann, []byte("you!"), 10); len(rows) != 0 || err != nil {
			t.Errorf("in a group that is not here: %s, %v", texts(rows), err)
		}
	})
}
