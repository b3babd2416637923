package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
)

// An Outbox is what one poster has put into one drop and does not know to be safe
// elsewhere. A mailbox that acknowledges and forgets is found out by reading the drop
// back, over another Client, which the mailbox cannot tell from a reader's. It is
// a value of the poster's own, without a lock; the zero value is empty.
//
// A drop from which a reader deletes cannot be read back in this way: there the
// reader's own answer, inside the chat, says what arrived.
type Outbox struct {
	Posted []Posted // in the order of putting
}

// Posted is one item that was acknowledged.
type Posted struct {
	Hash     [32]byte // SHA-256 of its bytes
	Position uint64
}

// Note remembers items that Put acknowledged with the position of the last.
func (o *Outbox) Note(last uint64, items ...[]byte) {
	for i, item := range items {
		o.Posted = append(o.Posted, Posted{sha256.Sum256(item), last - uint64(len(items)-1-i)})
	}
}

// Forget drops an item that is known to have arrived.
func (o *Outbox) Forget(item []byte) {
	h := sha256.Sum256(item)
	o.Posted = slices.DeleteFunc(o.Posted, func(p Posted) bool { return p.Hash == h })
}

// Check reads the drop from its beginning and returns what of the Outbox is not in it,
// to be put again, here or at another mailbox; those are taken out of the Outbox. moved
// counts items that lie at another position than was acknowledged: the mailbox has
// put them there again, or lies. A drop that is not there any more has lost all. On
// another error nothing is decided.
func (o *Outbox) Check(ctx context.Context, c *Client, k Keys) (lost []Posted, moved int, err error) {
	at := make(map[[32]byte]uint64)
	for after, more := uint64(0), true; more; {
		p, err := c.Fetch(ctx, k, after)
		if errors.Is(err, ErrRefused) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		for _, i := range p.Items {
			h := sha256.Sum256(i.Bytes)
			if _, ok := at[h]; !ok {
				at[h] = i.Position
			}
			after = i.Position
		}
		more = p.More
	}
	o.Posted = slices.DeleteFunc(o.Posted, func(p Posted) bool {
		position, there := at[p.Hash]
		if !there {
			lost = append(lost, p)
		} else if position != p.Position {
			moved++
		}
		return !there
	})
	return lost, moved, nil
}
