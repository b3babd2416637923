package node

import (
	"fmt"
	"maps"
	"testing"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestMailState: what is kept of a drop begins where a bundle begins that is not whole, and goes
// with the drop.
func TestMailState(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	const today = 100
	key := keptKey{DropKey: group.NewDropKey(wire.BlockHash{1}, 1, [32]byte{})}
	name := func(day uint64) string { return dropOf(key, day) }
	gone := blockName(wire.BlockHash{2})
	task := &mailTask{n: n, held: make(map[string]uint64)}
	task.load()
	task.state.Read = map[string]uint64{name(99): 7, name(today): 9, name(60): 3, fmt.Sprint(gone, " ", today): 5}
	task.state.Days = map[string]uint64{blockName(key.Block): today, gone: today}
	task.state.Next = map[string]int{blockName(key.Block): 1, gone: 1}
	task.held = map[string]uint64{name(today): 4, name(60): 1}
	task.prune([]keptKey{key}, today)
	if err := task.save(); err != nil {
		t.Fatal(err)
	}
	if want := map[string]uint64{name(99): 7, name(today): 9}; !maps.Equal(task.state.Read, want) {
		t.Errorf("of what was read is known %v, want %v", task.state.Read, want)
	}
	again := &mailTask{n: n}
	again.load()
	if want := map[string]uint64{name(99): 7, name(today): 4}; !maps.Equal(again.state.Read, want) {
		t.Errorf("after a restart it is %v, want %v", again.state.Read, want)
	}
	if len(again.state.Days) != 1 || len(again.state.Next) != 1 {
		t.Errorf("what is gone is kept: %v, %v", again.state.Days, again.state.Next)
	}
}

// TestMailOfDeletedChat: with a chat goes what is kept of its drops, secrets among it, and of no
// other.
func TestMailOfDeletedChat(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	gone, stays := wire.GroupID{1}, wire.GroupID{2}
	left := make(map[string]int)
	err = n.db.Update(func(tx *store.Tx) error {
		for _, bucket := range []string{bucketDrop, bucketMail} {
			for _, g := range []wire.GroupID{gone, stays} {
				if err := tx.Put(bucket, dropID(g, wire.BlockHash{3}), []byte("{}")); err != nil {
					return err
				}
			}
		}
		if err := dropChat(tx, gone); err != nil {
			return err
		}
		for _, bucket := range []string{bucketDrop, bucketMail} {
			for _, g := range []wire.GroupID{gone, stays} {
				pairs, err := tx.List(bucket, g[:])
				if err != nil {
					return err
				}
				left[fmt.Sprint(bucket, g[0])] = len(pairs)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"drop1": 0, "mail1": 0, "drop2": 1, "mail2": 1}; !maps.Equal(left, want) {
		t.Errorf("left is %v, want %v", left, want)
	}
}
