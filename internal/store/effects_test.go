package store_test

import (
	"bytes"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestEffects: a block hash alone deletes every ratchet of its epoch and no
// other, and Checked clears the mark of a row that waited.
func TestEffects(t *testing.T) {
	db, err := store.Mem()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	g := wire.GroupID{1}
	one, two := bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte{8}, 32)
	row := group.Row{Place: group.Place{Order: 5, Seq: 1}, State: group.RowShown, Waiting: true, ID: wire.ContentID{9}}
	records := []group.Record{
		{Kind: group.KindRatchet, Key: append(bytes.Clone(one), 1), Value: []byte{1}},
		{Kind: group.KindRatchet, Key: append(bytes.Clone(one), 0xFF, 0xFF), Value: []byte{1}},
		{Kind: group.KindRatchet, Key: append(bytes.Clone(two), 1), Value: []byte{1}},
	}
	if err := db.Commit(g, records, []group.Row{row}, nil); err != nil {
		t.Fatal(err)
	}
	err = db.CommitMany([]store.Batch{{
		Group:   g,
		Records: []group.Record{{Kind: group.KindRatchet, Key: one}},
		Checked: []group.Place{row.Place},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var left [][]byte
	err = db.Load(g, []group.Kind{group.KindRatchet}, func(r group.Record) error {
		left = append(left, bytes.Clone(r.Key))
		return nil
	})
	if err != nil || len(left) != 1 || !bytes.HasPrefix(left[0], two) {
		t.Fatalf("left %x, %v", left, err)
	}
	if got, err := db.RowAt(g, row.Place); err != nil || got == nil || got.Waiting {
		t.Fatalf("row %+v, %v", got, err)
	}
}
