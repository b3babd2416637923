package node_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

// A person is one running node in a test.
type person struct {
	t    *testing.T
	name string
	home string
	*node.Node
	stop func()
}

// start runs a node on loopback; a home that is new gets an identity.
func start(t *testing.T, name, home string) *person {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", name)
	n, err := node.Open(node.Config{Home: home, Listen: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	p := &person{t: t, name: name, home: home, Node: n}
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := n.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(p.stop)
	if !n.Ready() {
		if err := n.Setup(name); err != nil {
			t.Fatal(err)
		}
	}
	p.until("listens", func() bool { return len(p.Status().Addresses) > 0 })
	return p
}

// until waits for something to become so: it looks again at every event.
func (p *person) until(what string, is func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			chats, _ := p.Chats()
			p.t.Fatalf("%s: never: %s\n%+v\n%+v", p.name, what, p.Status(), chats)
		}
	}
}

func (p *person) id() wire.PersonID { return p.Status().Me.ID }

func befriend(t *testing.T, a, b *person) {
	t.Helper()
	l, err := a.NewContactLink()
	must(t, err)
	_, err = b.AddFriend(l.Text)
	must(t, err)
	a.until("asked by "+b.name, func() bool {
		f, err := a.Friend(b.id())
		return err == nil && f.State == node.FriendAsking
	})
	_, err = a.AcceptFriend(b.id())
	must(t, err)
	for _, p := range [][2]*person{{a, b}, {b, a}} {
		p[0].until("direct chat with "+p[1].name, func() bool {
			f, err := p[0].Friend(p[1].id())
			if err != nil || f.State != node.FriendFriend || f.Chat == (wire.GroupID{}) {
				return false
			}
			c, err := p[0].Chat(f.Chat)
			return err == nil && c.State == group.StatusActive && len(c.Members) == 2 && c.Members[0].Accepted && c.Members[1].Accepted
		})
	}
}

func (p *person) say(g wire.GroupID, text string) {
	p.t.Helper()
	c, err := group.Text(text)
	must(p.t, err)
	_, err = p.Send(p.t.Context(), g, "", c)
	must(p.t, err)
}

func (p *person) texts(g wire.GroupID) (list []string) {
	msgs, _, err := p.Messages(g, nil, 500)
	if err != nil {
		return []string{err.Error()}
	}
	for _, m := range msgs {
		if m.State == group.RowShown {
			list = append(list, string(m.Content.Body))
		}
	}
	return list
}

func (p *person) sees(g wire.GroupID, want ...string) {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("%s sees %q, want %q", p.name, p.texts(g), want)
		}
	}()
	p.until("the messages", func() bool { return slices.Equal(p.texts(g), want) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestStory is the story of the first release, with real links and stores.
func TestStory(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, cleo, ann)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cleo.id()})
	must(t, err)
	for _, p := range []*person{ben, cleo} {
		p.until("invited", func() bool {
			c, err := p.Chat(g)
			return err == nil && c.State == group.StatusInvited && c.Title == "Trip" && c.InvitedBy.Name == "Ann"
		})
		must(t, p.AcceptGroup(g, false))
	}
	ann.until("everybody accepted", func() bool {
		c, err := ann.Chat(g)
		return err == nil && len(c.Members) == 3 && !slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
	})
	ann.say(g, "one")
	ben.sees(g, "one")
	ben.say(g, "two")
	cleo.sees(g, "one", "two")
	cleo.say(g, "three")
	for _, p := range []*person{ann, ben, cleo} {
		p.sees(g, "one", "two", "three")
	}
	ann.until("two ticks", func() bool {
		m, _, err := ann.Messages(g, nil, 10)
		return err == nil && m[0].Reached == 2 && m[0].ReachOf == 2
	})
	cleo.until("Ben reaches Cleo", func() bool { return cleo.connected(g, ben) })

	ben.stop()
	ann.say(g, "four")
	cleo.sees(g, "one", "two", "three", "four")
	cleo.say(g, "five")
	ann.sees(g, "one", "two", "three", "four", "five")
	ann.stop()
	ben = start(t, "Ben", ben.home)
	ben.sees(g, "one", "two", "three", "four", "five")
	ann = start(t, "Ann", ann.home)
	ann.until("Cleo", func() bool { return ann.connected(g, cleo) && ann.connected(g, ben) })

	must(t, ann.RemoveMember(g, cleo.id()))
	cleo.until("removed", func() bool {
		c, err := cleo.Chat(g)
		return err == nil && c.State == group.StatusRemoved && c.RemovedBy.Name == "Ann"
	})
	ann.say(g, "six")
	ben.sees(g, "one", "two", "three", "four", "five", "six")
	cleo.sees(g, "one", "two", "three", "four", "five")

	dan := start(t, "Dan", t.TempDir())
	befriend(t, ann, dan)
	must(t, ann.AddMembers(g, []wire.PersonID{dan.id()}))
	dan.until("invited", func() bool { c, err := dan.Chat(g); return err == nil && c.State == group.StatusInvited })
	must(t, dan.AcceptGroup(g, false))
	ben.say(g, "seven")
	dan.sees(g, "seven")
	dan.say(g, "eight")
	ben.sees(g, "one", "two", "three", "four", "five", "six", "seven", "eight")

	blocks, err := dan.Blocks(g)
	must(t, err)
	if len(blocks) != 3 || blocks[1].Changes[0].Subject.Name != "Cleo" || blocks[1].Author.Name != "Ann" || !blocks[1].SignatureValid {
		t.Errorf("blocks: %+v", blocks)
	}
	if err := ben.RemoveMember(g, dan.id()); refusal(err) != group.ReasonRole {
		t.Errorf("Ben removes Dan: %v", err)
	}
}

func (p *person) connected(g wire.GroupID, o *person) bool {
	c, err := p.Chat(g)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c.Members, func(m node.Member) bool { return m.Person.ID == o.id() && m.Person.Connected })
}

func refusal(err error) group.Reason {
	var r *group.Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}
