package node_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/node"
	"kith/internal/wire"
)

// TestCrossingRequests: each opens the other's link before either has answered.
func TestCrossingRequests(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	toAnn, err := ann.NewContactLink()
	must(t, err)
	toBen, err := ben.NewContactLink()
	must(t, err)
	var both sync.WaitGroup
	both.Go(func() { _, _ = ann.AddFriend(toBen.Text) })
	both.Go(func() { _, _ = ben.AddFriend(toAnn.Text) })
	both.Wait()
	agree(t, ann, ben)
	g := ann.chatWith(ben)
	ann.say(g, "hello")
	ben.sees(g, "hello")
	ben.say(g, "hello yourself")
	ann.sees(g, "hello", "hello yourself")
}

// TestOpenedMeanwhile: while the direct chat that Ann has made is taken, Ben's
// program writes one of its own.
func TestOpenedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, smaller := range map[string]bool{"Ben stays with his own": true, "Ben gives way": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
			if a, b := ann.id(), ben.id(); (slices.Compare(b[:], a[:]) < 0) != smaller {
				ann, ben = ben, ann
			}
			l, err := ann.NewContactLink()
			must(t, err)
			_, err = ben.AddFriend(l.Text)
			must(t, err)
			ann.until("asked", func() bool { f, err := ann.Friend(ben.id()); return err == nil && f.State == node.FriendAsking })
			opened := make(chan error, 1)
			ben.onLog("invited", func() { opened <- ben.OpenCrossed(ann.id()) })
			_, err = ann.AcceptFriend(ben.id())
			must(t, err)
			must(t, <-opened)
			agree(t, ann, ben)
			g := ann.chatWith(ben)
			ann.say(g, "hello")
			ben.sees(g, "hello")
			for _, p := range []**person{&ann, &ben} {
				*p = (*p).restart()
			}
			agree(t, ann, ben)
			ben.say(g, "hello yourself")
			ann.sees(g, "hello", "hello yourself")
		})
	}
}

// TestRequestWhileAsked: Ben's link cannot be reached; Ann has opened it, and
// he opens hers.
func TestRequestWhileAsked(t *testing.T) {
	t.Parallel()
	for range 2 { // whoever has the smaller id
		ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
		toBen, err := ben.NewContactLink()
		must(t, err)
		ben.stop()
		_, err = ann.AddFriend(toBen.Text)
		must(t, err)
		toAnn, err := ann.NewContactLink()
		must(t, err)
		ben = start(t, "Ben", ben.home) // at another port
		_, err = ben.AddFriend(toAnn.Text)
		must(t, err)
		agree(t, ann, ben)
	}
}

// agree waits until both are friends with one direct chat.
func agree(t *testing.T, a, b *person) {
	t.Helper()
	a.until("one direct chat", func() bool {
		fa, errA := a.Friend(b.id())
		fb, errB := b.Friend(a.id())
		if errA != nil || errB != nil || fa.Chat != fb.Chat || fa.Chat == (wire.GroupID{}) ||
			fa.State != node.FriendFriend || fb.State != node.FriendFriend {
			return false
		}
		return a.accepted(fa.Chat) == 2 && b.accepted(fa.Chat) == 2
	})
	for _, p := range []*person{a, b} {
		if chats, err := p.Chats(); err != nil || len(chats) != 2 {
			t.Errorf("%s has %d chats, want notes and the direct chat", p.name, len(chats))
		}
	}
}

func TestDeclinedRequest(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	l, err := ann.NewContactLink()
	must(t, err)
	_, err = ben.AddFriend(l.Text)
	must(t, err)
	ann.until("asked", func() bool { f, err := ann.Friend(ben.id()); return err == nil && f.State == node.FriendAsking })
	must(t, ann.DeclineFriend(ben.id()))
	if _, err := ann.Friend(ben.id()); reason(err) != node.ReasonUnknown {
		t.Errorf("a declined person: %v", err)
	}
	if _, err := ann.AcceptFriend(ben.id()); reason(err) != node.ReasonNotAsking {
		t.Errorf("accepting after declining: %v", err)
	}
	if f, err := ben.Friend(ann.id()); err != nil || f.State != node.FriendAsked || f.Chat != (wire.GroupID{}) {
		t.Errorf("Ben's side: %+v, %v", f, err)
	}
	must(t, ben.DeclineFriend(ann.id())) // takes it back
	befriend(t, ann, ben)                // and another link begins anew
}

func TestBlockedFriend(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	_, err := ann.BlockFriend(ben.id())
	must(t, err)
	ben.until("no session", func() bool { return !ben.connected(g, ann) })
	ben.say(g, "are you there?")
	if _, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()}); reason(err) != node.ReasonNotFriend {
		t.Errorf("a group with a blocked friend: %v", err)
	}
	if _, err := ben.CreateGroup("Trip", []wire.PersonID{ann.id()}); err != nil {
		t.Errorf("Ben cannot know: %v", err)
	}
	ann = ann.restart()
	if list := ann.texts(g); len(list) != 0 {
		t.Errorf("Ann sees %q of somebody she has blocked", list)
	}
	if chats, _ := ann.Chats(); len(chats) != 2 {
		t.Errorf("Ann has %d chats, want her notes and the direct chat", len(chats))
	}
	_, err = ann.AcceptFriend(ben.id()) // takes the block back
	must(t, err)
	ann.sees(g, "are you there?")
}

// TestInvitationsOfTheBlocked are not listed, and are again once the block is taken back.
func TestInvitationsOfTheBlocked(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g, err := ben.CreateGroup("Trip", []wire.PersonID{ann.id()})
	must(t, err)
	listed := func() bool {
		chats, err := ann.Chats()
		must(t, err)
		return slices.ContainsFunc(chats, func(o node.Chat) bool { return o.ID == g })
	}
	ann.until("an invitation", listed)
	_, err = ann.BlockFriend(ben.id())
	must(t, err)
	if listed() || !ann.Hidden(g) {
		t.Error("an invitation by somebody who is blocked is listed")
	}
	ann = ann.restart()
	if listed() {
		t.Error("it is listed after a start")
	}
	_, err = ann.AcceptFriend(ben.id())
	must(t, err)
	if !listed() {
		t.Error("it is not listed after the block was taken back")
	}
}

// TestLinkTrouble: a link that is used up, of oneself, cut short, expired.
func TestLinkTrouble(t *testing.T) {
	t.Parallel()
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	own, err := ann.NewContactLink()
	must(t, err)
	if _, err := ann.AddFriend(own.Text); reason(err) != node.ReasonOwnLink {
		t.Errorf("a link of oneself: %v", err)
	}
	if _, err := ben.AddFriend(own.Text[:len(own.Text)-3]); reason(err) != node.ReasonLink {
		t.Errorf("a link cut short: %v", err)
	}
	l, err := identity.ParseContactLink(own.Text, uint64(time.Now().Unix()))
	must(t, err)
	l.Expiry = uint64(time.Now().Unix()) - 1
	old, err := l.Text()
	must(t, err)
	if _, err := ben.AddFriend(old); reason(err) != node.ReasonLinkExpired && reason(err) != node.ReasonLink {
		t.Errorf("an expired link: %v", err)
	}
	_, err = ben.AddFriend(own.Text)
	must(t, err)
	ann.until("asked", func() bool { f, err := ann.Friend(ben.id()); return err == nil && f.State == node.FriendAsking })
	_, err = cleo.AddFriend(own.Text) // answered by silence, as to any stranger
	must(t, err)
	_, err = ann.AcceptFriend(ben.id())
	must(t, err)
	other, err := cleo.NewContactLink() // which Ann opens: the used one is not in the way
	must(t, err)
	_, err = ann.AddFriend(other.Text)
	must(t, err)
	for _, p := range [][2]*person{{ann, cleo}, {cleo, ann}, {ann, ben}} {
		p[0].until("friend of "+p[1].name, func() bool {
			f, err := p[0].Friend(p[1].id())
			return err == nil && f.State == node.FriendFriend && p[0].accepted(f.Chat) == 2
		})
	}
}

// TestAnotherPort: each comes back at another port, one after the other.
func TestAnotherPort(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	for range 2 {
		ben.stop()
		ben = start(t, "Ben", ben.home)
		talk(ann, ben, g)
		ann.stop()
		ann = start(t, "Ann", ann.home)
		talk(ann, ben, g) // until then Ben may not know where she is
	}
	if c, err := ann.Chat(g); err != nil || c.Kind != node.ChatDirect || c.Title != "Ben" || c.State != group.StatusActive {
		t.Errorf("the direct chat: %+v, %v", c, err)
	}
}

// talk says something both ways, twice.
func talk(a, b *person, g wire.GroupID) {
	a.t.Helper()
	for range 2 {
		for _, p := range [][2]*person{{a, b}, {b, a}} {
			n := len(p[1].all(g))
			p[0].say(g, "are you there?")
			p[1].until("what "+p[0].name+" says", func() bool { return len(p[1].all(g)) > n })
		}
	}
}

// TestBothMoved: two friends who have come back at other ports, each while the other was
// off, find each other by a new contact link of either.
func TestBothMoved(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	link, err := ann.NewContactLink()
	must(t, err)
	if _, err := ben.AddFriend(link.Text); reason(err) != node.ReasonFriend {
		t.Errorf("a link of a friend who is here: %v", err)
	}
	ann.stop()
	ben.stop()
	ann, ben = start(t, "Ann", ann.home), start(t, "Ben", ben.home)
	link, err = ann.NewContactLink()
	must(t, err)
	f, err := ben.AddFriend(link.Text)
	must(t, err)
	if f.State != node.FriendFriend || f.Chat != g || !f.Sought {
		t.Errorf("a friend who is looked for: %+v", f)
	}
	talk(ann, ben, g)
	if f, err := ben.Friend(ann.id()); err != nil || f.State != node.FriendFriend || f.Chat != g || f.Sought {
		t.Errorf("a friend who is found: %+v, %v", f, err)
	}
	for _, p := range []*person{ann, ben} {
		if chats, _ := p.Chats(); len(chats) != 2 {
			t.Errorf("%s has %d chats, want the notes and the direct chat", p.name, len(chats))
		}
	}
}
