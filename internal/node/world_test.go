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
	cfg  node.Config // with the address it listens at
	log  *journal
	*node.Node
	stop func()
}

// start runs a node on loopback; a home that is new gets an identity.
func start(t *testing.T, name, home string) *person {
	t.Helper()
	return startWith(t, name, node.Config{Home: home})
}

// startWith is start with more of the Config; what it lacks is filled in.
func startWith(t *testing.T, name string, cfg node.Config) *person {
	t.Helper()
	p := startBlank(t, name, cfg)
	if !p.Ready() {
		if err := p.Setup(name); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// startBlank is startWith for a home that gets no identity.
func startBlank(t *testing.T, name string, cfg node.Config) *person {
	t.Helper()
	home := cfg.Home
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	log := &journal{Handler: slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}), name: name, seen: make(map[string]int), on: make(map[string]func())}
	cfg.Log = slog.New(log)
	n, err := node.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	p := &person{t: t, name: name, home: home, cfg: cfg, log: log, Node: n}
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
	if cfg.Link == nil {
		p.until("listens", func() bool { return len(p.Status().Addresses) > 0 })
		p.cfg.Listen = p.Status().Addresses[0]
	}
	return p
}

// again starts a stopped node where it was.
func (p *person) again() *person {
	p.t.Helper()
	return startWith(p.t, p.name, p.cfg)
}

func (p *person) restart() *person {
	p.t.Helper()
	p.stop()
	return p.again()
}

// A journal counts what a node logs, and shows it where the test fails.
type journal struct {
	slog.Handler
	name string

	mu   sync.Mutex // guards seen and on
	seen map[string]int
	on   map[string]func() // run once, where the message is logged
}

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.mu.Lock()
	j.seen[r.Message]++
	do := j.on[r.Message]
	delete(j.on, r.Message)
	j.mu.Unlock()
	if do != nil {
		do()
	}
	r.AddAttrs(slog.String("at", j.name))
	return j.Handler.Handle(ctx, r)
}

// logged returns how often the node has logged a message.
func (p *person) logged(message string) int {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.seen[message]
}

// onLog has do run when the node logs a message next, before it goes on.
func (p *person) onLog(message string, do func()) {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	p.log.on[message] = do
}

// until waits for something to become so: it looks again at every event.
func (p *person) until(what string, is func() bool) {
	p.t.Helper()
	p.within(30*time.Second, what, is)
}

// within is until with another patience.
func (p *person) within(patience time.Duration, what string, is func() bool) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
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

// reason is why a node refused a request; empty if it did not.
func reason(err error) node.Reason {
	var e *node.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// stands waits until a chat stands so with somebody.
func (p *person) stands(g wire.GroupID, s group.Status) {
	p.t.Helper()
	p.until("the chat to stand at "+statusName[s], func() bool {
		c, err := p.Chat(g)
		return err == nil && c.State == s
	})
}

var statusName = map[group.Status]string{
	group.StatusInvited: "invited", group.StatusActive: "active", group.StatusLeaving: "leaving",
	group.StatusLeft: "left", group.StatusRemoved: "removed", group.StatusDeclined: "declined",
}

// together makes a group that everybody has joined; first makes it and is a
// friend of all others.
func together(t *testing.T, title string, first *person, others ...*person) wire.GroupID {
	t.Helper()
	var people []wire.PersonID
	for _, o := range others {
		people = append(people, o.id())
	}
	g, err := first.CreateGroup(title, people)
	must(t, err)
	for _, o := range others {
		o.stands(g, group.StatusInvited)
		must(t, o.AcceptGroup(g, false))
	}
	for _, p := range append(others, first) {
		p.until("everybody accepted", func() bool { return p.accepted(g) == 1+len(others) })
	}
	return g
}

// accepted counts the members who have accepted.
func (p *person) accepted(g wire.GroupID) (n int) {
	c, _ := p.Chat(g)
	for _, m := range c.Members {
		if m.Accepted {
			n++
		}
	}
	return n
}

// chatWith is the direct chat with somebody.
func (p *person) chatWith(o *person) wire.GroupID {
	f, err := p.Friend(o.id())
	must(p.t, err)
	return f.Chat
}
