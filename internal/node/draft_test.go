package node_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestDraft: what was begun stays across a restart, until it is taken away, and is told to
// whoever looks on when it changes, and only then.
func TestDraft(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g := ann.Status().Notes
	ann.say(g, "a note")
	list, _, err := ann.Messages(g, nil, 1)
	must(t, err)
	begun := node.Draft{Text: "half a thou", ReplyTo: &list[0].Place}
	must(t, ann.SetDraft(g, begun, 0))
	ann = ann.restart()
	c, err := ann.Chat(g)
	must(t, err)
	if !reflect.DeepEqual(c.Draft, begun) {
		t.Errorf("the draft is %+v", c.Draft)
	}
	if err := ann.SetDraft(g, node.Draft{Text: strings.Repeat("x", group.MaxContent+1)}, 0); err == nil {
		t.Error("a draft that is no message is kept")
	}
	if err := ann.SetDraft(wire.GroupID{1}, begun, 0); err == nil {
		t.Error("a draft of no chat is kept")
	}
	must(t, ann.SetDraft(g, node.Draft{Text: " \n"}, 0))
	if c, err = ann.Chat(g); err != nil || !reflect.DeepEqual(c.Draft, node.Draft{}) {
		t.Errorf("the draft is still %+v, %v", c.Draft, err)
	}
}

// TestNothingOfADeletedChat: of a chat that was deleted neither what was begun in it stays, nor
// what was chosen for it.
func TestNothingOfADeletedChat(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ben, ann)
	must(t, ann.SetDraft(g, node.Draft{Text: "half a thou"}, 0))
	ann.say(g, "hello")
	must(t, ann.LeaveGroup(g, wire.PersonID{}))
	ann.stands(g, group.StatusLeft)
	must(t, ann.DeleteChat(g))
	ann.stop()
	key, err := store.OpenKeyFile(filepath.Join(ann.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ann.home, store.FileName), Key: key})
	must(t, err)
	must(t, db.View(func(tx *store.Tx) error {
		for _, bucket := range []string{"draft", "chat", "taken"} {
			list, err := tx.List(bucket, g[:])
			if len(list) > 0 {
				t.Errorf("%s: %q", bucket, list)
			}
			must(t, err)
		}
		return nil
	}))
	must(t, db.Close())
}

// TestSentDraft: with a message goes what it was begun as, in one step, and what was on its way before
// that does not bring it back; what was begun after it stays.
func TestSentDraft(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	g := ann.Status().Notes
	begun := func(want string) {
		t.Helper()
		if c, err := ann.Chat(g); err != nil || c.Draft.Text != want {
			t.Errorf("the draft is %q, %v; want %q", c.Draft.Text, err, want)
		}
	}
	hello, err := group.Text("hello")
	must(t, err)
	must(t, ann.SetDraft(g, node.Draft{Text: "hello"}, 1_000_000))
	_, err = ann.SendDraft(t.Context(), g, "one", hello, 1_000_500)
	must(t, err)
	begun("")
	must(t, ann.SetDraft(g, node.Draft{Text: "hell"}, 1_000_400)) // overtaken on its way
	begun("")
	must(t, ann.SetDraft(g, node.Draft{Text: "and"}, 1_001_000))
	_, err = ann.SendDraft(t.Context(), g, "two", hello, 1_000_900)
	must(t, err)
	begun("and")
	ann.say(g, "by the command line")
	begun("and")
	must(t, ann.SetDraft(g, node.Draft{Text: "the clock was set back"}, 1000))
	begun("the clock was set back")
	if got := ann.texts(g); len(got) != 3 {
		t.Errorf("%q", got)
	}
}
