package node

import (
	"encoding/json"
	"reflect"
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

// draftRecord is a Draft as it is stored. One without text is kept for its moment: what was on its way
// before it must not come back.
type draftRecord struct {
	Draft
	At uint64 // ms, by the clock of whoever wrote it
}

// draftSkew is up to how much earlier than what is kept a draft is taken for one that was overtaken on
// its way, in ms. What is earlier than that comes from a clock that was set back.
const draftSkew = 30_000

// SetDraft keeps what was begun in a chat; a text of nothing but space is none, unless it
// answers something. It was so at a moment, in ms, 0: now, and changes nothing of what is later.
func (n *Node) SetDraft(g wire.GroupID, d Draft, at uint64) error {
	if _, err := n.in(g); err != nil {
		return err
	}
	if len(d.Text) > group.MaxContent {
		_, err := group.Text(d.Text)
		return err
	}
	changed := false
	err := n.db.Update(func(tx *store.Tx) (err error) {
		if changed, err = putDraft(tx, g, d, at); err != nil || !changed {
			return err
		}
		return n.share(tx, sharedDraft, g[:])
	})
	if err != nil {
		return storeError(err)
	}
	if changed {
		n.shareSoon()
		n.hub.publish(ChatChanged{g})
	}
	return nil
}

func putDraft(tx *store.Tx, g wire.GroupID, d Draft, at uint64) (changed bool, err error) {
	b, there, err := tx.Get(bucketDraft, g[:])
	if err != nil {
		return false, err
	}
	var was draftRecord
	if there && json.Unmarshal(b, &was) != nil {
		was = draftRecord{}
	}
	if at == 0 {
		at = nowMS()
	}
	if at < was.At && was.At-at < draftSkew {
		return false, nil
	}
	if strings.TrimSpace(d.Text) == "" && d.ReplyTo == nil {
		d = Draft{}
	}
	return !reflect.DeepEqual(d, was.Draft), putJSON(tx, bucketDraft, g[:], draftRecord{d, at})
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
