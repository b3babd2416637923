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
	must(t, ann.SetDraft(g, begun))
	ann = ann.restart()
	c, err := ann.Chat(g)
	must(t, err)
	if !reflect.DeepEqual(c.Draft, begun) {
		t.Errorf("the draft is %+v", c.Draft)
	}
	if err := ann.SetDraft(g, node.Draft{Text: strings.Repeat("x", group.MaxContent+1)}); err == nil {
		t.Error("a draft that is no message is kept")
	}
	if err := ann.SetDraft(wire.GroupID{1}, begun); err == nil {
		t.Error("a draft of no chat is kept")
	}
	must(t, ann.SetDraft(g, node.Draft{Text: " \n"}))
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
	must(t, ann.SetDraft(g, node.Draft{Text: "half a thou"}))
	must(t, ann.LeaveGroup(g, wire.PersonID{}))
	ann.stands(g, group.StatusLeft)
	must(t, ann.DeleteChat(g))
	ann.stop()
	key, err := store.OpenKeyFile(filepath.Join(ann.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ann.home, store.FileName), Key: key})
	must(t, err)
	must(t, db.View(func(tx *store.Tx) error {
		for _, bucket := range []string{"draft", "chat"} {
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
