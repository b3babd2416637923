package node_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/mailbox"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
)

// aMailbox serves a mailbox until the test ends, and returns its address. around, if it is
// not nil, puts something around its engine.
func aMailbox(t *testing.T, around func(mailbox.Engine) mailbox.Engine) string {
	t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	must(t, err)
	engine, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: t.TempDir()})
	must(t, err)
	serves := engine
	if around != nil {
		serves = around(engine)
	}
	access := [32]byte{1, 2, 3}
	s := mailbox.NewServer(mailbox.Config{Link: l, Engine: serves, Access: access})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
		must(t, l.Close())
		must(t, engine.Close())
	})
	text, err := identity.Box{Peer: l.Address().Peer, Hosts: l.Address().Hosts, Access: access}.Text()
	must(t, err)
	return text
}

// TestMailbox: Ann writes while Ben is off, and he reads it while she is.
func TestMailbox(t *testing.T) {
	t.Parallel()
	box := aMailbox(t, nil)
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	for _, p := range []*person{ann, ben} {
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	ann.say(g, "Are you there?")
	ann.within(time.Minute, "left", func() bool { return ann.HasLeft(g) })
	ann.stop()
	ben = ben.again()
	ben.within(time.Minute, "the message", func() bool { texts := ben.texts(g); return len(texts) == 1 && texts[0] == "Are you there?" })
}

// TestInvitedByMailbox: Ann invites Ben while he is off, and is off when he comes. With a mailbox
// of either of them he finds the invitation, and what she wrote since; she finds that he accepted.
func TestInvitedByMailbox(t *testing.T) {
	t.Parallel()
	for _, whose := range []string{"Ann", "Ben"} {
		t.Run("mailbox of "+whose, func(t *testing.T) {
			t.Parallel()
			ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
			befriend(t, ann, ben)
			chat := ann.chatWith(ben)
			ann.connected(chat, ben)
			must(t, map[string]*person{"Ann": ann, "Ben": ben}[whose].AddMailbox(aMailbox(t, nil)))
			uses := func(p *person) func() bool {
				return func() bool {
					list := p.Network().Mailboxes
					return len(list) == 1 && list[0].Chats > 0
				}
			}
			ann.until("the mailbox known", uses(ann))
			ben.until("the mailbox known", uses(ben))
			ben.stop()
			g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id()})
			must(t, err)
			ann.say(g, "We leave on Friday")
			ann.within(time.Minute, "the invitation left", func() bool { return ann.logged("an invitation lies in a mailbox") == 1 && ann.HasLeft(g) })
			ann.stop()

			ben = ben.again()
			ben.within(time.Minute, "the invitation", func() bool { c, err := ben.Chat(g); return err == nil && c.State == group.StatusInvited })
			must(t, ben.AcceptGroup(g, false))
			ben.within(time.Minute, "what was said", func() bool { return slices.Equal(ben.texts(g), []string{"We leave on Friday"}) })
			ben.say(g, "I bring the tent")
			ben.within(time.Minute, "left", func() bool { return ben.HasLeft(g) })
			ben.stop()

			ann = ann.again()
			ann.within(time.Minute, "that he came", func() bool { return ann.accepted(g) == 2 && len(ann.texts(g)) == 2 })
			if n := ann.logged("an invitation lies in a mailbox"); n != 0 {
				t.Errorf("left once more after he came: %d", n)
			}
		})
	}
}

// liar is an engine that always says to have more than it has.
type liar struct {
	mailbox.Engine
	made *atomic.Int32
}

func (l liar) Make(ctx context.Context, d mailbox.Drop, hour uint32) (mailbox.Held, error) {
	l.made.Add(1)
	return l.Engine.Make(ctx, d, hour)
}

func (l liar) Find(ctx context.Context, name mailbox.Name) (mailbox.Held, bool, error) {
	h, ok, err := l.Engine.Find(ctx, name)
	h.End++
	return h, ok, err
}

// loser is an engine that says to keep what is put, and hands out nothing of it while it loses.
type loser struct {
	mailbox.Engine
	mu     sync.Mutex
	loses  bool
	hidden map[mailbox.Name]uint64 // up to which position
}

func (l *loser) Put(ctx context.Context, name mailbox.Name, items [][]byte) (uint64, error) {
	last, err := l.Engine.Put(ctx, name, items)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.loses {
		l.hidden[name] = last
	}
	return last, err
}

func (l *loser) Fetch(ctx context.Context, name mailbox.Name, after uint64) (mailbox.Page, error) {
	p, err := l.Engine.Fetch(ctx, name, after)
	l.mu.Lock()
	defer l.mu.Unlock()
	p.Items = slices.DeleteFunc(p.Items, func(i mailbox.Item) bool { return i.Position <= l.hidden[name] })
	return p, err
}

// TestMailboxLoses: a mailbox keeps nothing of what Ann leaves, and does not say so. A day later she
// leaves it once more, since nobody has confirmed it, though she has said nothing since.
func TestMailboxLoses(t *testing.T) {
	t.Parallel()
	lost := &loser{loses: true, hidden: make(map[mailbox.Name]uint64)}
	box := aMailbox(t, func(e mailbox.Engine) mailbox.Engine { lost.Engine = e; return lost })
	var clock watch
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Clock: clock.Now})
	ben := start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	for _, p := range []*person{ann, ben} {
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	ann.say(g, "Are you there?")
	ann.within(time.Minute, "left", func() bool { return ann.HasLeft(g) })
	lost.mu.Lock()
	lost.loses = false
	lost.mu.Unlock()
	clock.set(25 * time.Hour)
	ann.within(time.Minute, "left once more", func() bool { times, _ := ann.Left(g); return times > 0 })
	ann.stop()
	ben = ben.again()
	ben.within(time.Minute, "the message", func() bool { return slices.Equal(ben.texts(g), []string{"Are you there?"}) })
}

// exchanged is an engine in whose place another comes.
type exchanged struct {
	mu  sync.Mutex
	now mailbox.Engine
}

func (e *exchanged) engine() mailbox.Engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *exchanged) Make(ctx context.Context, d mailbox.Drop, hour uint32) (mailbox.Held, error) {
	return e.engine().Make(ctx, d, hour)
}

func (e *exchanged) Find(ctx context.Context, name mailbox.Name) (mailbox.Held, bool, error) {
	return e.engine().Find(ctx, name)
}

func (e *exchanged) Put(ctx context.Context, name mailbox.Name, items [][]byte) (uint64, error) {
	return e.engine().Put(ctx, name, items)
}

func (e *exchanged) Fetch(ctx context.Context, name mailbox.Name, after uint64) (mailbox.Page, error) {
	return e.engine().Fetch(ctx, name, after)
}

func (e *exchanged) Delete(ctx context.Context, name mailbox.Name, upTo uint64) error {
	return e.engine().Delete(ctx, name, upTo)
}

func (e *exchanged) Expire(ctx context.Context, hour uint32) error {
	return e.engine().Expire(ctx, hour)
}

func (e *exchanged) Usage() mailbox.Usage { return e.engine().Usage() }
func (e *exchanged) Close() error         { return e.engine().Close() }

// TestMailboxComesBackEmpty: a mailbox comes back with nothing in it. Ann leaves once more what she had said, and
// the block by which Ben, who was off when she changed the group, comes to read it.
func TestMailboxComesBackEmpty(t *testing.T) {
	t.Parallel()
	var engine *exchanged
	box := aMailbox(t, func(e mailbox.Engine) mailbox.Engine { engine = &exchanged{now: e}; return engine })
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	for _, p := range []*person{ann, ben} {
		must(t, p.AddMailbox(box))
	}
	ben.stop()
	must(t, ann.SetTitle(g, "Walk"))
	ann.say(g, "Are you there?")
	ann.within(time.Minute, "left", func() bool { _, blocks := ann.Left(g); return blocks > 0 && ann.HasLeft(g) })
	ann.stop()
	empty, err := mailbox.OpenSQLite(mailbox.SQLiteConfig{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, empty.Close()) })
	engine.mu.Lock()
	engine.now = empty
	engine.mu.Unlock()
	ann = ann.again()
	ann.within(time.Minute, "what is lost seen", func() bool { return !ann.HasLeft(g) })
	ann.within(time.Minute, "left once more", func() bool { return ann.HasLeft(g) })
	ann.stop()
	ben = ben.again()
	ben.within(time.Minute, "the message", func() bool { return slices.Equal(ben.texts(g), []string{"Are you there?"}) })
}

// TestMailboxUntold: Ann adds a mailbox while Ben is off. What she writes lies there, and she is not told that it
// reaches him by it, before he has heard of it; after that she is.
func TestMailboxUntold(t *testing.T) {
	t.Parallel()
	box := aMailbox(t, nil)
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	ben.stop()
	ann.until("Ben is off", func() bool { return !ann.connected(g, ben) })
	must(t, ann.AddMailbox(box))
	ann.say(g, "Are you there?")
	ann.within(time.Minute, "left", func() bool { return ann.HasLeft(g) })
	lies := func() bool {
		t.Helper()
		c, err := ann.Chat(g)
		must(t, err)
		return c.Mailbox
	}
	untold := func() int { return ann.Network().Mailboxes[0].Untold }
	if lies() || untold() != 1 {
		t.Errorf("Ben gets it by the mailbox: %v; %d do not know of it", lies(), untold())
	}
	ben = ben.again()
	ben.until("the message", func() bool { return len(ben.texts(g)) == 1 })
	ann.within(time.Minute, "Ben told", func() bool { return untold() == 0 })
	ben.stop()
	ann.until("Ben is off", func() bool { return !ann.connected(g, ben) })
	ann = ann.restart()
	ann.say(g, "And now?")
	ann.within(time.Minute, "Ben gets it by the mailbox", lies)
}

// TestRemovedByMailbox: Cid is removed while off, and all who stay are connected. When they are off
// in turn, the mailbox tells Cid.
func TestRemovedByMailbox(t *testing.T) {
	t.Parallel()
	box := aMailbox(t, nil)
	ann, ben, cid := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cid", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cid)
	g := together(t, "Trip", ann, ben, cid)
	for _, p := range []*person{ann, cid} {
		must(t, p.AddMailbox(box))
	}
	uses := func(p *person) func() bool {
		return func() bool {
			list := p.Network().Mailboxes
			return len(list) == 1 && list[0].Chats > 1 && list[0].Ready
		}
	}
	ann.within(time.Minute, "the mailbox used", uses(ann))
	cid.within(time.Minute, "the mailbox used", uses(cid))
	cid.stop()
	ann.until("Cid is off", func() bool { return !ann.connected(g, cid) && ann.connected(g, ben) })
	_, before := ann.Left(g)
	must(t, ann.RemoveMember(g, cid.id()))
	ann.within(time.Minute, "the block left", func() bool { _, blocks := ann.Left(g); return blocks > before })
	ann.stop()
	ben.stop()
	cid = cid.again()
	cid.within(time.Minute, "the removal", func() bool { c, err := cid.Chat(g); return err == nil && c.State == group.StatusRemoved })
}

// TestMailboxLies: a mailbox that tells of news which it does not have is not asked without end.
func TestMailboxLies(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	box := aMailbox(t, func(e mailbox.Engine) mailbox.Engine { return liar{e, &made} })
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	ann.connected(g, ben)
	must(t, ann.AddMailbox(box))
	ann.within(time.Minute, "the lie is seen", func() bool { return ann.logged("a mailbox is not served") > 0 })
	if n := made.Load(); n > 10 {
		t.Errorf("it was asked %d times before", n)
	}
}

// TestMailboxOfStrangers: who keeps the address to friends asks no mailbox of another member, which
// would see it.
func TestMailboxOfStrangers(t *testing.T) {
	t.Parallel()
	ann, ben, cid := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cid", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cid)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cid.id()})
	must(t, err)
	for _, p := range []*person{ben, cid} {
		p.stands(g, group.StatusInvited)
		must(t, p.AcceptGroup(g, p == ben))
	}
	ann.until("both have accepted", func() bool { return ann.accepted(g) == 3 })
	chats := func(p *person) (list []int) {
		for _, b := range p.Network().Mailboxes {
			list = append(list, b.Chats)
		}
		return list
	}
	must(t, cid.AddMailbox(aMailbox(t, nil)))
	ann.until("Ann hears of Cid's", func() bool { return slices.Equal(chats(ann), []int{2}) }) // and of the direct chat
	must(t, ann.AddMailbox(aMailbox(t, nil)))
	ben.until("Ben hears of Ann's", func() bool { return slices.Contains(chats(ben), 2) })
	if list := chats(ben); len(list) != 1 {
		t.Errorf("Ben uses %d mailboxes, want Ann's", len(list))
	}
}

// TestMailNotKept: what could not be kept comes again, and is not passed over as junk is.
func TestMailNotKept(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	secret := [32]byte{1}
	items, err := ben.SealMail(g, ben.Head(g), secret)
	must(t, err)
	must(t, ann.TakeMail(g, secret, items))
	junk := slices.Clone(items[0])
	junk[len(junk)-1] ^= 1
	must(t, ann.TakeMail(g, secret, [][]byte{junk}))
	ann.stop()
	if err := ann.TakeMail(g, secret, items); reason(err) != node.ReasonStopping {
		t.Errorf("once the program stops: %v", err)
	}
}

// TestMailOfAnotherHead: a drop is of one head, and nothing goes there once the group has
// another: whom that removes reads it.
func TestMailOfAnotherHead(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	before := ann.Head(g)
	_, err := ann.SealMail(g, before, [32]byte{})
	must(t, err)
	must(t, ann.RemoveMember(g, ben.id()))
	ann.until("he is removed", func() bool { return ann.Head(g) != before })
	if items, err := ann.SealMail(g, before, [32]byte{}); err == nil {
		t.Errorf("%d items are left for who was removed", len(items))
	}
}

// noted is an engine that notes which drops are made.
type noted struct {
	mailbox.Engine
	drops *sync.Map // by name
}

func (e noted) Make(ctx context.Context, d mailbox.Drop, hour uint32) (mailbox.Held, error) {
	e.drops.Store(d.Name(), true)
	return e.Engine.Make(ctx, d, hour)
}

// TestMailboxWithoutKeys: a device without keys at the head, and with those of an earlier one, waits
// at the mailbox, and does not read there without end.
func TestMailboxWithoutKeys(t *testing.T) {
	t.Parallel()
	var drops sync.Map
	box := aMailbox(t, func(e mailbox.Engine) mailbox.Engine { return noted{e, &drops} })
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	must(t, ben.AddMailbox(box))
	before := ben.Head(g)
	must(t, ann.SetTitle(g, "Journey"))
	ben.until("the title", func() bool { return ben.Head(g) != before })
	head := ben.Head(g)
	ann.stop()
	ben.stop()
	key, err := store.OpenKeyFile(filepath.Join(ben.home, node.KeyFile))
	must(t, err)
	db, err := store.Open(store.Config{Path: filepath.Join(ben.home, store.FileName), Key: key})
	must(t, err)
	must(t, db.Commit(g, []group.Record{{Kind: group.KindEpoch, Key: head[:]}, {Kind: group.KindRatchet, Key: head[:]}}, nil, nil))
	must(t, db.Close())
	drops.Clear()
	ben = ben.again()
	ben.until("no keys at the head", func() bool { c, err := ben.Chat(g); return err == nil && c.NoKeys })
	if n := ben.DropKeys(g); n == 0 {
		t.Fatal("no keys of an earlier head are left: the test shows nothing")
	}
	ben.until("this chat waits, as the direct one does", func() bool {
		n := 0
		drops.Range(func(any, any) bool { n++; return true })
		return n == 2
	})
}
