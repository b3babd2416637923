package node

import (
	"context"
	"errors"

	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/wire"
)

// openDirect makes the direct chat with a friend, unless there is one.
func (n *Node) openDirect(p wire.PersonID) error {
	n.mu.Lock()
	f := n.friends[p]
	n.mu.Unlock()
	if f == nil || f.State != FriendFriend || !f.Opener || f.Chat != (wire.GroupID{}) {
		return nil
	}
	suite := f.directSuite()
	err := n.withNewcomers([]wire.PersonID{p}, suite, func(newcomers []group.Newcomer, take []edit) error {
		m, eff, err := group.Create(n.me(), group.CreateParams{Direct: true, Newcomers: newcomers, Suite: suite}, nowMS())
		if err != nil {
			return err
		}
		return n.adopt(m, eff, also{edits: append(take, setChat(p, wire.GroupID{}, m.Group()))})
	})
	if errors.Is(err, errOtherChat) {
		return nil // the other opened it meanwhile
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == ReasonNoPackage {
		n.log.Info("the direct chat waits for a key package")
		return nil
	}
	return err
}

// directSuite is the suite of the direct chat with a friend: that of new groups,
// unless all that is known of its program is that it reads suite 1 alone.
func (f *friend) directSuite() mls.Suite {
	if f.Able || len(f.Resorts) > 0 || f.left(suiteFor(false)) == 0 || f.left(group.NewSuite) > 0 {
		return group.NewSuite
	}
	return suiteFor(false)
}

// openDirects makes the direct chats that a crash, or a lack of key packages, has
// left out.
func (n *Node) openDirects() {
	n.mu.Lock()
	var people []wire.PersonID
	for p := range n.friends {
		people = append(people, p)
	}
	n.mu.Unlock()
	for _, p := range people {
		n.spawnOpen(p)
	}
}

func (n *Node) spawnOpen(p wire.PersonID) {
	n.spawn(func(context.Context) {
		if err := n.openDirect(p); err != nil {
			n.log.Error("cannot open the direct chat", "err", err)
		}
	})
}
