package node_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/mailbox"
	"kith/internal/node"
	"kith/internal/wire"
)

// seen is what a mailbox sees of puts: by drop, how large each item was.
type seen struct {
	mailbox.Engine
	mu    sync.Mutex
	looks bool // not at turns that a node takes by its own clock
	sizes map[mailbox.Name][]int
}

func (s *seen) Put(ctx context.Context, name mailbox.Name, items [][]byte) (uint64, error) {
	s.mu.Lock()
	for _, i := range items {
		if !s.looks {
			break
		}
		s.sizes[name] = append(s.sizes[name], len(i))
	}
	s.mu.Unlock()
	return s.Engine.Put(ctx, name, items)
}

// day has a person take all turns of the day.
func (s *seen) day(t *testing.T, p *person, g wire.GroupID) int {
	t.Helper()
	s.look(true)
	turns, err := p.QuietDay(t.Context(), g)
	s.look(false)
	must(t, err)
	return turns
}

func (s *seen) look(on bool) {
	s.mu.Lock()
	s.looks = on
	s.mu.Unlock()
}

// puts are the sizes in the drop that was put into most.
func (s *seen) puts() (most []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.sizes {
		if len(list) > len(most) {
			most = slices.Clone(list)
		}
	}
	return most
}

func atDrawnTimes(s *node.Settings) { s.QuietMail = true }

// TestQuietMail: Ann and Ben are never on at the same time, and come to the mailbox at drawn times
// alone. What they say arrives, and the mailbox sees one piece of one size at each turn, as many
// as if they had said nothing.
func TestQuietMail(t *testing.T) {
	t.Parallel()
	sees := &seen{sizes: make(map[mailbox.Name][]int)}
	box := aMailbox(t, func(e mailbox.Engine) mailbox.Engine { sees.Engine = e; return sees })
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	for _, p := range []*person{ann, ben} {
		must(t, p.ChangeSettings(atDrawnTimes))
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	for _, text := range []string{"one", "two", "three"} {
		ann.say(g, text)
	}
	ann.within(time.Minute, "the mailbox is used", func() bool { return len(ann.Network().Mailboxes) > 0 })
	turns := sees.day(t, ann, g)
	// By its own clock each node takes a turn besides, if one is due just now.
	if got := sees.puts(); len(got) < mailbox.Turns/2 || len(got) > mailbox.Turns/2+1 {
		t.Errorf("Ann puts %d items in a day, want %d", len(got), mailbox.Turns/2)
	}
	ann.stop()
	ben = ben.again()
	theirs := sees.day(t, ben, g)
	if got := ben.texts(g); !slices.Equal(got, []string{"one", "two", "three"}) {
		t.Fatalf("Ben reads %q", got)
	}
	if got := sees.puts(); len(got) < mailbox.Turns || len(got) > mailbox.Turns+2 || slices.ContainsFunc(got, func(n int) bool { return n != mailbox.Sizes[0] }) {
		t.Errorf("the mailbox sees %v, want %d of %d bytes", got, mailbox.Turns, mailbox.Sizes[0])
	}
	if want := 3 * mailbox.Turns; turns+theirs != want { // putting, and reading two drops
		t.Errorf("%d turns in a day, want %d", turns+theirs, want)
	}
}

// TestQuietMailReadAtOnce: who comes at once reads what somebody has left at drawn times.
func TestQuietMailReadAtOnce(t *testing.T) {
	t.Parallel()
	box := aMailbox(t, nil)
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	must(t, ann.ChangeSettings(atDrawnTimes))
	for _, p := range []*person{ann, ben} {
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	ann.say(g, "whenever you like")
	ann.within(time.Minute, "the mailbox is used", func() bool { return len(ann.Network().Mailboxes) > 0 })
	_, err := ann.QuietDay(t.Context(), g)
	must(t, err)
	ann.stop()
	ben = ben.again()
	ben.within(time.Minute, "the message", func() bool { return slices.Equal(ben.texts(g), []string{"whenever you like"}) })
}

// TestInvitedAtDrawnTimes: an invitation goes by the turns of the direct chat as well.
func TestInvitedAtDrawnTimes(t *testing.T) {
	t.Parallel()
	box := aMailbox(t, nil)
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	chat := ann.chatWith(ben)
	ann.connected(chat, ben)
	must(t, ann.ChangeSettings(atDrawnTimes))
	for _, p := range []*person{ann, ben} {
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()})
	must(t, err)
	ann.within(time.Minute, "the mailbox is used", func() bool { return len(ann.Network().Mailboxes) > 0 })
	_, err = ann.QuietDay(t.Context(), chat)
	must(t, err)
	ann.stop()
	ben = ben.again()
	ben.within(time.Minute, "the invitation", func() bool { c, err := ben.Chat(g); return err == nil && c.State == group.StatusInvited })
}
