package node

import (
	"fmt"
	"maps"
	"testing"

	"kith/internal/group"
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
