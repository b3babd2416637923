package node

import (
	"context"
	"errors"
	"time"

	"kith/internal/group"
)

// newKeyFor is how long whoever sends waits for a chat to take in the new key of a home that has healed. It
// comes within 3 to 6 s where the keys of before are here (docs/spec/group.md, "Coming back"), and a new head
// meanwhile makes it later.
const newKeyFor = 12 * time.Second

// onceIn runs do in the owner's goroutine; if it is refused because the new key of this home is not in the
// chat yet, again once that is, and no later than newKeyFor.
func (n *Node) onceIn(ctx context.Context, o *owner, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, newKeyFor)
	defer cancel()
	for {
		seen := n.hub.newest()
		err := o.ask(do)
		if !awaitsNewKey(err) {
			return err
		}
		in := errors.New("it is in")
		waited := n.Subscribe(ctx, n.hub.run, seen, func(Event) error {
			if o.picture.Load().view.NewKey {
				return nil
			}
			return in
		})
		if !errors.Is(waited, in) {
			return err
		}
	}
}

func awaitsNewKey(err error) bool {
	r, ok := errors.AsType[*group.Refusal](err)
	return ok && r.Reason == group.ReasonNewKey
}
