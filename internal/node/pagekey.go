package node

import (
	"kith/internal/store"
	"kith/internal/wire"
)

// PageKey returns the key by which a page seals what it has to keep in the browser while this node is
// away. It lies in the database, and in no profile of a browser: what is left there is read by whoever
// may talk to the node, and by nobody else.
func (n *Node) PageKey() (key []byte, err error) {
	if !n.Ready() {
		return nil, fail(ReasonNoIdentity, "")
	}
	get := func(tx *store.Tx) (err error) {
		key, _, err = tx.Get(bucketSelf, []byte(keyPage))
		return err
	}
	if err := n.db.View(get); err != nil || len(key) > 0 {
		return key, storeError(err)
	}
	err = n.db.Update(func(tx *store.Tx) error {
		if err := get(tx); err != nil || len(key) > 0 { // another page was faster
			return err
		}
		key = wire.Random(32)
		return tx.Put(bucketSelf, []byte(keyPage), key)
	})
	return key, storeError(err)
}
