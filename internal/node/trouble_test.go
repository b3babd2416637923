package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestDamagedChat: one chat does not load; the rest goes on, and what is stored
// of it stays as it is.
func TestDamagedChat(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	d := ann.chatWith(ben)
	ben.stop()
	key, err := store.OpenKeyFile(filepath.Join(ben.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ben.home, store.FileName), Key: key})
	must(t, err)
	var was []byte
	must(t, db.Load(g, []group.Kind{group.KindSelf}, func(r group.Record) error { was = append(was, r.Value...); return nil }))
	spoil := func(b []byte) { must(t, db.Commit(g, []group.Record{{Kind: group.KindSelf, Value: b}}, nil, nil)) }
	spoil(was[:3])
	must(t, db.Close())

	ben = ben.again()
	if s := ben.Status(); len(s.Damaged) != 1 || s.Damaged[0] != g {
		t.Errorf("damaged chats: %v", s.Damaged)
	}
	ann.say(d, "are you well?")
	ben.sees(d, "are you well?")
	ann.say(g, "hello")
	must(t, ann.RemoveMember(g, ben.id()))
	must(t, ann.AddMembers(g, []wire.PersonID{ben.id()})) // the invitation does not mix with it
	ann.say(g, "after")
	ann.say(d, "and now?")
	ben.sees(d, "are you well?", "and now?")
	if _, err := ben.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("the damaged chat: %v", err)
	}

	ben.stop()
	db, err = store.Open(store.Config{Path: filepath.Join(ben.home, store.FileName), Key: key})
	must(t, err)
	spoil(was)
	must(t, db.Close())
	ben = ben.again()
	ben.until("what was said after", func() bool { ben.joins(g); return slices.Contains(ben.texts(g), "after") })
	ben.say(g, "here again")
	ann.sees(g, "hello", "after", "here again")
}

// TestBytesThatBreak: a panic while a peer's message is answered ends that
// peer's session, and nothing else.
func TestBytesThatBreak(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	ben := start(t, "Ben", t.TempDir())
	cleo := start(t, "Cleo", t.TempDir())
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), TapMessage: func(_ wire.DeviceID, channel [32]byte, payload []byte) {
		if channel != ([32]byte{}) && payload[0] == 4 && armed.CompareAndSwap(true, false) {
			panic("what it asks for")
		}
	}})
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	d, e := ann.chatWith(ben), ann.chatWith(cleo)
	ben.stop()
	ann.say(d, "while you were away")
	armed.Store(true)
	ben.again()
	ann.until("noticed", func() bool { return ann.logged("a peer's bytes broke the program") == 1 })
	ann.say(d, "still here")
	ann.say(e, "hello")
	cleo.sees(e, "hello")
}

// TestManyGroupsAtOnce: an honest friend is not taken for one that floods.
func TestManyGroupsAtOnce(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	made := 0
	ann.until("80 groups", func() bool {
		for made < 80 {
			_, err := ann.CreateGroup(fmt.Sprint("Trip ", made), []wire.PersonID{ben.id()})
			if reason(err) == node.ReasonNoPackage {
				return false
			}
			must(t, err)
			made++
			if made < 64 { // as many as one may be invited to, unanswered
				continue
			}
			chats, err := ben.Chats()
			must(t, err)
			for _, c := range chats {
				if c.State == group.StatusInvited {
					must(t, ben.AcceptGroup(c.ID, false))
				}
			}
		}
		return true
	})
	if n := ben.logged("peer broke a rule") + ann.logged("peer broke a rule"); n != 0 {
		t.Errorf("%d rules were broken", n)
	}
	d := ann.chatWith(ben)
	ann.say(d, "done")
	ben.sees(d, "done")
}

// TestJunkInvitations: they cost who sends them its session.
func TestJunkInvitations(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	go func() {
		for range m.session.Messages() {
		}
	}()
	for range 20 {
		if m.session.Send(peer.Message{Channel: [32]byte(wire.Random(32)), Payload: []byte{8, 1, 2, 3}}) != nil {
			break
		}
	}
	ann.until("Mallory is shut out", func() bool { return ann.Status().Connected == 0 })
}

// TestCopiedHome: two copies of one home write to the same friend; the one that
// hears of the other's message says so.
func TestCopiedHome(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d := ann.chatWith(ben)
	ben.stop()
	other := t.TempDir()
	must(t, os.CopyFS(other, os.DirFS(ben.home)))
	must(t, os.Chmod(filepath.Join(other, node.KeyFile), 0o600))
	ben = ben.again()
	ben.say(d, "first")
	ann.sees(d, "first")
	ben.stop()
	copied := startWith(t, "Ben's copy", node.Config{Home: other})
	copied.until("a sign of the other", func() bool { return copied.Status().Copied })
	if ann.logged("peer broke a rule") != 0 {
		t.Error("Ann takes it for an offence")
	}
}
