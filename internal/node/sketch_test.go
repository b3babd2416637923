package node_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"path/filepath"
	"reflect"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestOpening: after a start the chats are shown as they stood, without their machines; who asks
// for more than that has the machine made, and behind it come the others, the newest first.
func TestOpening(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	d, g := ann.chatWith(ben), together(t, "Trip", ann, ben)
	ann.say(g, "older")
	ann.say(d, "newer")
	ben.sees(d, "newer")
	ben.sees(g, "older")
	ann.until("Ben has both", func() bool { c, err := ann.Chat(g); return err == nil && c.Waiting == 0 })
	ben.stop()
	ann.until("Ben is gone", func() bool { return ann.Status().Connected == 0 })
	before, err := ann.Chats()
	must(t, err)
	ann.stop()

	n, err := node.Open(ann.cfg)
	must(t, err)
	after, err := n.Chats()
	must(t, err)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the chats before and after:\n%+v\n%+v", before, after)
	}
	if order := n.Unopened(); len(order) != 3 || order[0] != before[0].ID || order[1] != before[1].ID {
		t.Errorf("they are loaded in the order %v", order)
	}
	if _, _, err := n.Messages(n.Status().Notes, nil, 50); err != nil {
		t.Error(err)
	}
	must(t, n.Close())

	ann, ben = ann.again(), ben.again()
	ann.say(g, "at once")
	ben.sees(g, "older", "at once")
	ann.until("all are loaded", func() bool { return len(ann.Unopened()) == 0 })
	ben.say(d, "and you?")
	ann.sees(d, "newer", "and you?")
}

// TestOpeningAfterCrash: what was written after a sketch makes it void, so that a start after a
// crash shows nothing that is over.
func TestOpeningAfterCrash(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g, err := ann.CreateGroup("Trip", nil)
	must(t, err)
	ann = ann.restart()
	must(t, ann.SetTitle(g, "Journey"))
	copied := t.TempDir() // as a crash would leave it
	must(t, ann.Snapshot(copied))
	n, err := node.Open(node.Config{Home: copied})
	must(t, err)
	defer n.Close()
	if c, err := n.Chat(g); err != nil || c.Title != "Journey" {
		t.Errorf("%q, %v", c.Title, err)
	}
	if order := n.Unopened(); len(order) > 1 {
		t.Errorf("without a machine: %v, want the notes at most", order)
	}
}

// TestDamagedUnopened: a chat that was shown does not load. It goes, and whoever asked is told.
func TestDamagedUnopened(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g, err := ann.CreateGroup("Trip", nil)
	must(t, err)
	ann.stop()
	key, err := store.OpenKeyFile(filepath.Join(ann.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ann.home, store.FileName), Key: key})
	must(t, err)
	var kept []byte
	must(t, db.Sketches(func(id wire.GroupID, value []byte) error {
		if id == g {
			kept = value
		}
		return nil
	}))
	must(t, db.Commit(g, []group.Record{{Kind: group.KindSelf, Value: []byte{1}}}, nil, nil))
	must(t, db.PutSketch(g, kept))
	must(t, db.Close())

	ann = ann.again()
	text, err := group.Text("is anybody there?")
	must(t, err)
	if _, err := ann.Send(context.Background(), g, "", text); reason(err) != node.ReasonUnknown {
		t.Errorf("a message to it: %v", err)
	}
	if s := ann.Status(); len(s.Damaged) != 1 || s.Damaged[0] != g {
		t.Errorf("damaged chats: %v", s.Damaged)
	}
	if _, err := ann.Chat(g); reason(err) != node.ReasonUnknown {
		t.Errorf("the damaged chat: %v", err)
	}
	ann.say(ann.Status().Notes, "the rest goes on")
}

// TestSketchBytes: every kind of value, spelt out.
func TestSketchBytes(t *testing.T) {
	var v node.Sketched
	v.Yes, v.Small, v.Large, v.Signed, v.Text = true, 0xab, 0x0102030405060708, -2, "hé"
	v.Bytes, v.ID, v.List, v.Pointer = []byte{9, 8}, [3]byte{1, 2, 3}, []uint16{0x1122, 0x3344}, &struct{ N int8 }{-1}
	want := "01 ab 0102030405060708 fffffffffffffffe 00000003 68c3a9 00000002 0908 010203 00000002 1122 3344 01 ff 00"
	got := node.MarshalSketched(v)
	if hex.EncodeToString(got) != string(bytes.ReplaceAll([]byte(want), []byte(" "), nil)) {
		t.Errorf("% x, want %s", got, want)
	}
	back, err := node.ParseSketched(got)
	if err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("%+v, %v", back, err)
	}
	for n := range got {
		if _, err := node.ParseSketched(got[:n]); err == nil {
			t.Errorf("its first %d bytes are taken", n)
		}
	}
}

func FuzzSketched(f *testing.F) {
	f.Add(node.MarshalSketched(node.Sketched{}))
	f.Add(node.MarshalSketched(node.Sketched{List: []uint16{1}, Text: "x", Pointer: &struct{ N int8 }{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := node.ParseSketched(b); err == nil && !bytes.Equal(node.MarshalSketched(v), b) {
			t.Errorf("%x comes back as %x", b, node.MarshalSketched(v))
		}
	})
}
