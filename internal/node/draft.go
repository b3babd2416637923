package node

import (
	"encoding/json"
	"strings"

	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// A Draft is what somebody has begun to write in a chat. It lies with all else in the
// encrypted database, and nowhere in the browser.
type Draft struct {
	Text    string
	ReplyTo *group.Place `json:",omitempty"` // what it answers; nil: nothing
}

// SetDraft keeps what was begun in a chat; a text of nothing but space is none, unless it
// answers something.
func (n *Node) SetDraft(g wire.GroupID, d Draft) error {
	if _, err := n.in(g); err != nil {
		return err
	}
	if len(d.Text) > group.MaxContent {
		_, err := group.Text(d.Text)
		return err
	}
	changed := false
	err := n.db.Update(func(tx *store.Tx) error {
		was, there, err := tx.Get(bucketDraft, g[:])
		if err != nil {
			return err
		}
		if strings.TrimSpace(d.Text) == "" && d.ReplyTo == nil {
			changed = there
			return tx.Delete(bucketDraft, g[:])
		}
		is, err := json.Marshal(d)
		if err != nil {
			return err
		}
		changed = string(was) != string(is)
		return tx.Put(bucketDraft, g[:], is)
	})
	if err != nil {
		return storeError(err)
	}
	if changed {
		n.hub.publish(ChatChanged{g})
	}
	return nil
}

// draft returns what was begun in a chat; what cannot be read is none.
func (n *Node) draft(g wire.GroupID) (d Draft, err error) {
	err = n.db.View(func(tx *store.Tx) error {
		b, there, err := tx.Get(bucketDraft, g[:])
		if err == nil && there && json.Unmarshal(b, &d) != nil {
			d = Draft{}
		}
		return err
	})
	return d, err
}
