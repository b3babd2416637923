package node_test

import (
	"path/filepath"
	"testing"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/store"
)

// TestLostKeys: the keys of a chat are gone from Ben's home. He comes back by
// himself once Ann is there, and everybody reads that he did.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	ann.say(g, "one")
	ben.sees(g, "one")
	ben.stop()
	key, err := store.OpenKeyFile(filepath.Join(ben.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ben.home, store.FileName), Key: key})
	must(t, err)
	var lost []group.Record
	must(t, db.Load(g, []group.Kind{group.KindEpoch}, func(r group.Record) error {
		lost = append(lost, group.Record{Kind: group.KindEpoch, Key: r.Key}, group.Record{Kind: group.KindRatchet, Key: r.Key})
		return nil
	}))
	must(t, db.Commit(g, lost, nil, nil))
	must(t, db.Close())

	ben = ben.again()
	if c, err := ben.Chat(g); err != nil || !c.NoKeys || c.State != group.StatusActive {
		t.Errorf("Ben without keys: %+v, %v", c, err)
	}
	ben.until("keys", func() bool {
		c, err := ben.Chat(g)
		return err == nil && !c.NoKeys
	})
	ben.say(g, "two")
	ann.sees(g, "one", "two")
	ann.say(g, "three")
	ben.sees(g, "one", "two", "three")
	for _, p := range []*person{ann, ben} {
		list, err := p.Blocks(g)
		must(t, err)
		last := list[len(list)-1]
		if _, ok := last.Changes[0].Op.(*chain.Unpark); !ok || last.Changes[0].Subject.ID != ben.id() || last.Author.ID != ben.id() || !last.SignatureValid {
			t.Errorf("%s reads %+v", p.name, last)
		}
	}
	if ben.Status().Copied {
		t.Error("Ben takes himself for a copy")
	}
}
