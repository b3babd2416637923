package node

import (
	"fmt"
	"maps"
	"testing"
	"time"

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

// TestLeaveLacking: what a member lacks is left once more after a day, then 3 days, then 9 each time;
// anew once nobody lacks anything, and once a clock that was ahead is set right.
func TestLeaveLacking(t *testing.T) {
	t.Parallel()
	var now time.Time
	n, err := Open(Config{Home: t.TempDir(), Listen: "127.0.0.1:0", Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	task := &mailTask{n: n}
	lacks, word := group.Word{Lacks: true}, wire.Digest{1}
	begin := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		hours int
		word  group.Word
		anew  bool // all that is lacking is left
	}{
		{0, lacks, true},
		{1, lacks, false},
		{24, lacks, true},
		{24 + 71, lacks, false},
		{24 + 72, lacks, true},
		{4*24 + 215, lacks, false},
		{4*24 + 216, lacks, true},
		{13*24 + 216, lacks, true},
		{22*24 + 1, group.Word{}, false},
		{90 * 24, group.Word{}, false},
		{91 * 24, lacks, false}, // something new, which goes by itself
		{91*24 + 23, lacks, false},
		{92 * 24, lacks, true},
		{12, lacks, false}, // the clock was ahead
		{36, lacks, true},
	} {
		now = begin.Add(time.Duration(step.hours) * time.Hour)
		task.leaveLacking(step.word)
		if anew := task.state.Mark == nil; anew != step.anew {
			t.Errorf("after %d hours: all left anew is %v, want %v", step.hours, anew, step.anew)
		}
		task.state.Mark, task.state.Word = []byte{1}, word // it is left
	}
	now = begin.Add(200 * 24 * time.Hour)
	task.state.Anew, task.state.Times = uint64(now.UnixMilli()), 2
	if task.lackingDue(lacks) {
		t.Error("what was left just now is left again")
	}
	now = now.Add(9 * 24 * time.Hour)
	task.leaveLacking(lacks)
	task.leaveLacking(lacks) // the first time the mailbox did not answer
	if task.state.Times != 3 {
		t.Errorf("after a try in vain it counts as left %d times, want 3", task.state.Times)
	}
	if now = now.Add(-time.Hour); !task.lackingDue(lacks) {
		t.Error("after a clock that was ahead nothing is due until that time")
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

// TestMailTurns: however many chats have mailboxes, all are served in time, never too many at once.
func TestMailTurns(t *testing.T) {
	t.Parallel()
	for count, turns := range map[int]uint64{0: 1, 1: 1, maxMail: 1, maxMail + 1: 2, 200: 10, 1000: 60} {
		served := make(map[int]bool)
		for turn := range turns {
			list := inTurn(count, 1_000_000+turn*mailTurn)
			if len(list) > maxMail || len(list) < min(count, maxMail) {
				t.Errorf("%d of %d run at once", len(list), count)
			}
			for _, i := range list {
				served[i] = true
			}
		}
		if len(served) != count {
			t.Errorf("in %d turns %d of %d were served", turns, len(served), count)
		}
	}
}
