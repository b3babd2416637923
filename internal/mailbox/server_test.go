package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/mailbox"
	"kith/internal/mailbox/mailboxtest"
)

var access = [32]byte{1, 2, 3}

// serve runs a mailbox on a link until the test ends.
func serve(t testing.TB, cfg mailbox.Config) *mailbox.Server {
	t.Helper()
	cfg.Access = access
	s := mailbox.NewServer(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		cfg.Link.Close()
		cfg.Engine.Close()
	})
	return s
}

// direct is a real link on loopback.
func direct(t testing.TB) link.Link {
	t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	must(t, err)
	return l
}

func openDirect() (link.Link, error) { return link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"}) }

// openMem makes links with fresh names on a network in memory.
func openMem(net *link.MemNet) mailbox.Opener {
	var mu sync.Mutex
	n := 0
	return func() (link.Link, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return link.NewMem(net, string(rune('A'+n%26))+string(rune(n))), nil
	}
}

func boxOf(l link.Link) identity.Box {
	return identity.Box{Peer: l.Address().Peer, Hosts: l.Address().Hosts, Access: access}
}

func client(t testing.TB, open mailbox.Opener, to identity.Box) *mailbox.Client {
	t.Helper()
	c, err := mailbox.Dial(t.Context(), open, to)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func keys(n int, keep bool) mailbox.Keys {
	return mailbox.Derive([32]byte{byte(n), byte(n >> 8), 7}, keep)
}

func wantItems(t testing.TB, p mailbox.Page, want ...[]byte) {
	t.Helper()
	if len(p.Items) != len(want) {
		t.Fatalf("%d items, want %d", len(p.Items), len(want))
	}
	for i := range want {
		if !bytes.Equal(p.Items[i].Bytes, want[i]) {
			t.Errorf("item %d is another", i)
		}
	}
}

// TestRealLinks: the life of a drop of a pair and of a group, over QUIC or TCP on
// loopback, each connection with a link of its own.
func TestRealLinks(t *testing.T) {
	l := direct(t)
	serve(t, mailbox.Config{Link: l, Engine: openEngine(t, t.TempDir(), mailbox.Bounds{})})
	ctx, to := t.Context(), boxOf(l)
	pair, group := keys(1, false), keys(2, true)

	ann := client(t, openDirect, to)
	last, err := ann.MakeAndPut(ctx, pair.WriteOnly(), 24, small(1), small(2))
	if err != nil || last != 2 {
		t.Fatal(last, err)
	}
	last, err = ann.MakeAndPut(ctx, group, 24, item(64<<10, 3))
	if err != nil || last != 1 {
		t.Fatal(last, err)
	}
	must(t, ann.Close())

	ben := client(t, openDirect, to)
	p, err := ben.Fetch(ctx, pair.ReadOnly(), 0)
	must(t, err)
	wantItems(t, p, small(1), small(2))
	must(t, ben.Delete(ctx, pair, p.End))
	p, err = ben.Fetch(ctx, pair, 0)
	must(t, err)
	wantItems(t, p)
	if p.End != 2 {
		t.Errorf("the end went back to %d", p.End)
	}
	if err := ben.Delete(ctx, group, 1); !errors.Is(err, mailbox.ErrRefused) {
		t.Errorf("a reader deleted what is kept for all: %v", err)
	}
	for range 2 {
		p, err = ben.Fetch(ctx, group, 0)
		must(t, err)
		wantItems(t, p, item(64<<10, 3))
	}
	room, err := ben.Room(ctx)
	if err != nil || room.Hours != 720 || room.Free != 15 {
		t.Errorf("%+v, %v", room, err)
	}
}

// TestWaitNotice: who waits hears of an item put by another connection.
func TestWaitNotice(t *testing.T) {
	l := direct(t)
	serve(t, mailbox.Config{Link: l, Engine: openEngine(t, t.TempDir(), mailbox.Bounds{})})
	ctx, k := t.Context(), keys(1, true)
	reader, writer := client(t, openDirect, boxOf(l)), client(t, openDirect, boxOf(l))
	_, err := reader.Make(ctx, k, 24)
	must(t, err)
	heard := make(chan error, 1)
	go func() {
		end, err := reader.Wait(ctx, k, 0, time.Minute)
		if err == nil && end != 1 {
			err = errors.New("another end")
		}
		heard <- err
	}()
	_, err = writer.Put(ctx, k, small(1))
	must(t, err)
	must(t, <-heard)
	if end, err := reader.Wait(ctx, k, 0, time.Minute); err != nil || end != 1 {
		t.Error("what is there already is waited for", end, err)
	}
}

// TestStrangers: who lacks access and capability gets no frame, whatever it asks, and who
// has access cannot tell a drop that is not there from a wrong capability.
func TestStrangers(t *testing.T) {
	l := direct(t)
	serve(t, mailbox.Config{Link: l, Engine: openEngine(t, t.TempDir(), mailbox.Bounds{})})
	ctx, k := t.Context(), keys(1, true)
	member := client(t, openDirect, boxOf(l))
	_, err := member.MakeAndPut(ctx, k, 24, small(1))
	must(t, err)

	wrong := k
	wrong.Read, wrong.Write = wrong.Write, wrong.Read
	stranger := boxOf(l)
	stranger.Access[31]++
	for name, ask := range map[string]func(*mailbox.Client) error{
		"make":             func(c *mailbox.Client) error { _, err := c.Make(ctx, keys(9, true), 24); return err },
		"room":             func(c *mailbox.Client) error { _, err := c.Room(ctx); return err },
		"no drop":          func(c *mailbox.Client) error { _, err := c.Fetch(ctx, keys(8, true), 0); return err },
		"wrong capability": func(c *mailbox.Client) error { _, err := c.Fetch(ctx, wrong, 0); return err },
		"wrong put":        func(c *mailbox.Client) error { _, err := c.Put(ctx, wrong, small(2)); return err },
		"wrong delete":     func(c *mailbox.Client) error { return c.Delete(ctx, wrong, 1) },
		"wrong wait":       func(c *mailbox.Client) error { _, err := c.Wait(ctx, wrong, 0, time.Second); return err },
	} {
		if err := ask(client(t, openDirect, stranger)); !errors.Is(err, mailbox.ErrLost) {
			t.Errorf("a stranger's %s: %v, want no answer", name, err)
		}
		if name == "make" || name == "room" {
			continue
		}
		if err := ask(member); !errors.Is(err, mailbox.ErrRefused) {
			t.Errorf("a user's %s: %v", name, err)
		}
	}
	// A capability alone is enough, for its drop.
	c := client(t, openDirect, stranger)
	p, err := c.Fetch(ctx, k, 0)
	must(t, err)
	wantItems(t, p, small(1))
}

// TestAccessChanged: the former access makes no drops any more, and reads on.
func TestAccessChanged(t *testing.T) {
	net := link.NewMemNet()
	l := link.NewMem(net, "box")
	s := serve(t, mailbox.Config{Link: l, Engine: openEngine(t, t.TempDir(), mailbox.Bounds{})})
	ctx, k := t.Context(), keys(1, true)
	_, err := client(t, openMem(net), boxOf(l)).Make(ctx, k, 24)
	must(t, err)
	s.SetAccess([32]byte{9})
	if _, err := client(t, openMem(net), boxOf(l)).Make(ctx, keys(2, true), 24); !errors.Is(err, mailbox.ErrLost) {
		t.Errorf("the former access: %v", err)
	}
	if _, err := client(t, openMem(net), boxOf(l)).Put(ctx, k, small(1)); err != nil {
		t.Error(err)
	}
}

// TestLimits: full drops, allowances and waits are refused with when to try again, and
// the connection goes on.
func TestLimits(t *testing.T) {
	net := link.NewMemNet()
	l := link.NewMem(net, "box")
	b := mailbox.Bounds{DropItems: 2}
	serve(t, mailbox.Config{
		Link: l, Engine: openEngine(t, t.TempDir(), b), Bounds: b,
		Source: func(link.Address) string { return "one" },
	})
	ctx, k := t.Context(), keys(1, true)
	c := client(t, openMem(net), boxOf(l))
	_, err := c.MakeAndPut(ctx, k, 24, small(1), small(2))
	must(t, err)
	_, err = c.Put(ctx, k, small(3))
	mailboxtest.WantFull(t, err, mailbox.LimitDrop)
	for range 255 { // one was made
		if _, err = c.Make(ctx, k, 24); err != nil {
			break
		}
	}
	must(t, err)
	_, err = c.Make(ctx, k, 24)
	mailboxtest.WantFull(t, err, mailbox.LimitRate)
	if _, err := c.Put(ctx, k, make([]byte, 5000)); !errors.Is(err, mailbox.ErrSize) {
		t.Error(err)
	}
	refused := error(nil)
	for range 700 {
		if _, refused = c.Fetch(ctx, keys(3, true), 0); !errors.Is(refused, mailbox.ErrRefused) {
			break
		}
	}
	mailboxtest.WantFull(t, refused, mailbox.LimitRate)
	if _, err := c.Fetch(ctx, k, 0); err != nil {
		t.Errorf("with the right capability: %v", err)
	}
}

// TestTimes: in virtual time, a visitor without a word is sent away, a wait ends, an idle
// connection ends and one that waits does not, and a drop expires at its hour.
func TestTimes(t *testing.T) {
	dir := t.TempDir() // its clean-up is outside the bubble
	synctest.Test(t, func(t *testing.T) {
		net := link.NewMemNet()
		l := link.NewMem(net, "box")
		serve(t, mailbox.Config{Link: l, Engine: openEngine(t, dir, mailbox.Bounds{}), KeepHours: 48})
		ctx, k := t.Context(), keys(1, true)

		silent, err := link.NewMem(net, "silent").Dial(ctx, l.Address())
		must(t, err)
		began := time.Now()
		<-silent.Done()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("a visitor without a word stayed %s", took)
		}

		c := client(t, openMem(net), boxOf(l))
		expires, err := c.Make(ctx, k, 9000)
		if want := uint32(time.Now().Unix()/3600) + 48; err != nil || expires != want {
			t.Fatalf("expires at %d, want %d; %v", expires, want, err)
		}
		began = time.Now()
		end, err := c.Wait(ctx, k, 0, time.Hour)
		if took := time.Since(began); err != nil || end != 0 || took != time.Hour {
			t.Errorf("waited %s for %d, %v", took, end, err)
		}
		began = time.Now()
		<-c.Done()
		if took := time.Since(began); took > 4*time.Minute {
			t.Errorf("an idle connection stayed %s", took)
		}

		time.Sleep(47 * time.Hour) // virtual: into the hour at which it expires
		again := client(t, openMem(net), boxOf(l))
		if _, err := again.Fetch(ctx, k, 0); !errors.Is(err, mailbox.ErrRefused) {
			t.Errorf("after its hour: %v", err)
		}
		time.Sleep(20 * time.Minute)
		if expires, err := client(t, openMem(net), boxOf(l)).Make(ctx, k, 1); err != nil || expires != uint32(time.Now().Unix()/3600)+1 {
			t.Errorf("made anew after the sweep: %d, %v", expires, err)
		}
	})
}

// TestConcurrentVisits: 20 clients put into one drop at once, all of it is there once, and
// those who wait hear of the end.
func TestConcurrentVisits(t *testing.T) {
	net := link.NewMemNet()
	l := link.NewMem(net, "box")
	serve(t, mailbox.Config{Link: l, Engine: openEngine(t, t.TempDir(), mailbox.Bounds{})})
	ctx, k, open := t.Context(), keys(1, true), openMem(net)
	_, err := client(t, open, boxOf(l)).Make(ctx, k, 24)
	must(t, err)
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			c, err := mailbox.Dial(ctx, open, boxOf(l))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := range 5 {
				if _, err := c.Put(ctx, k, small(n*100+i)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			c, err := mailbox.Dial(ctx, open, boxOf(l))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for end := uint64(0); end < 100; {
				if end, err = c.Wait(ctx, k, end, time.Minute); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	var cur mailbox.Cursor
	got := 0
	for more := true; more; {
		p, err := client(t, open, boxOf(l)).Fetch(ctx, k, cur.After)
		must(t, err)
		taken := cur.Take(p, true)
		got += len(taken.New)
		more = p.More
	}
	if got != 100 || cur.Repeats != 0 || cur.Missing != 0 {
		t.Errorf("%d items, %+v", got, cur.Repeats)
	}
}
