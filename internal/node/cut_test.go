package node_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/link/linktest"
	"kith/internal/node"
	"kith/internal/wire"
)

// cables is a network on loopback with one cable from each node to each other,
// real QUIC and TCP through a proxy that can cut it.
type cables struct {
	t *testing.T

	mu    sync.Mutex // guards the rest
	ports map[string]link.Link
	lines map[[2]string]*linktest.Proxy // from the one who dials
	cut   map[[2]string]bool
	conns []link.Conn
}

func newCables(t *testing.T) *cables {
	return &cables{t: t, ports: make(map[string]link.Link), lines: make(map[[2]string]*linktest.Proxy), cut: make(map[[2]string]bool)}
}

// a port is a node's link: what it dials goes through the cables.
type port struct {
	link.Link
	cables *cables
	name   string
}

// plug makes the link of a node, and lays cables to and from all others.
func (c *cables) plug(name string, tap func([]byte)) link.Link {
	c.t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", KeySeed: [32]byte(wire.Hash(wire.HashDigest, []byte(name))), Write: tap})
	must(c.t, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	for other, o := range c.ports {
		if other == name {
			continue
		}
		c.lines[[2]string{other, name}] = linktest.NewProxy(c.t, l.Address())
		if c.lines[[2]string{name, other}] == nil {
			c.lines[[2]string{name, other}] = linktest.NewProxy(c.t, o.Address())
		}
		for _, way := range [][2]string{{other, name}, {name, other}} {
			if c.cut[way] {
				c.lines[way].Cut()
			}
		}
	}
	c.ports[name] = l
	return port{l, c, name}
}

func (p port) Dial(ctx context.Context, to link.Address) (link.Conn, error) {
	p.cables.mu.Lock()
	var line *linktest.Proxy
	for name, l := range p.cables.ports {
		if string(l.Address().Peer) == string(to.Peer) {
			line = p.cables.lines[[2]string{p.name, name}]
		}
	}
	p.cables.mu.Unlock()
	if line == nil {
		return nil, link.ErrUnreachable
	}
	return p.cables.keep(p.Link.Dial(ctx, line.Address(to, "")))
}

func (p port) Accept(ctx context.Context) (link.Conn, error) {
	return p.cables.keep(p.Link.Accept(ctx))
}

func (c *cables) keep(conn link.Conn, err error) (link.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

// Drop ends all connections; new ones can be made.
func (c *cables) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cables) each(a, b string, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, way := range [][2]string{{a, b}, {b, a}} {
		c.cut[way] = cut
		if cut {
			c.lines[way].Cut()
		} else {
			c.lines[way].Heal()
		}
	}
}

func (c *cables) Cut(a, b string)  { c.each(a, b, true) }
func (c *cables) Heal(a, b string) { c.each(a, b, false) }

// TestCutCables is the story with cables cut and healed.
func TestCutCables(t *testing.T) {
	t.Parallel() // it waits
	c := newCables(t)
	run := func(name, home string) *person {
		return startWith(t, name, node.Config{Home: home, Link: c.plug(name, nil)})
	}
	ann, ben, cleo := run("Ann", t.TempDir()), run("Ben", t.TempDir()), run("Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	ben.until("a session with Cleo", func() bool { return ben.connected(g, cleo) && cleo.connected(g, ben) })

	// Through the third.
	c.Cut("Ann", "Ben")
	began := time.Now()
	ann.say(g, "one")
	ben.sees(g, "one")
	t.Logf("through the third member after %v", time.Since(began).Round(time.Millisecond))
	ben.say(g, "two")
	ann.sees(g, "one", "two")
	ann.until("the cut to be noticed", func() bool { return !ann.connected(g, ben) })
	t.Logf("cut noticed after %v", time.Since(began).Round(time.Millisecond))

	// Alone.
	c.Cut("Cleo", "Ben")
	ann.say(g, "three")
	ben.say(g, "four")
	cleo.sees(g, "one", "two", "three")
	ben.until("the cut to be noticed", func() bool { return !ben.connected(g, cleo) && !ben.connected(g, ann) })
	if m, err := ben.Chat(g); err != nil || m.Waiting != 1 {
		t.Errorf("Ben's own message is not shown as waiting: %+v, %v", m, err)
	}

	// One cable heals: all of it comes through Cleo.
	began = time.Now()
	c.Heal("Cleo", "Ben")
	all := func(texts ...string) func() bool {
		return func() bool {
			return slices.Equal(ann.all(g), ben.all(g)) && slices.Equal(ann.all(g), cleo.all(g)) && len(ann.all(g)) == len(texts)
		}
	}
	ben.until("all messages", all("one", "two", "three", "four"))
	t.Logf("healed cable used after %v", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	c.Heal("Ann", "Ben")
	ann.until("Ben again", func() bool { return ann.connected(g, ben) && ben.connected(g, ann) })
	t.Logf("healed cable used after %v", time.Since(began).Round(time.Millisecond))

	// Ben is off while Ann and Cleo write; Ann goes off; Ben gets it from Cleo.
	ben.stop()
	ann.say(g, "five")
	cleo.until("five", func() bool { return slices.Contains(cleo.all(g), "five") })
	ann.stop()
	began = time.Now()
	ben = run("Ben", ben.home)
	ben.until("five", func() bool { return slices.Contains(ben.all(g), "five") })
	t.Logf("from Cleo %v after Ben's start", time.Since(began).Round(time.Millisecond))
	ann = run("Ann", ann.home)
	ann.until("all", func() bool { return ann.connected(g, ben) && ann.connected(g, cleo) })

	// A removal is heard of through the other, and then nothing.
	c.Cut("Ann", "Cleo")
	must(t, ann.RemoveMember(g, cleo.id()))
	ann.say(g, "six")
	cleo.stands(g, group.StatusRemoved)
	ben.until("six", func() bool { return slices.Contains(ben.all(g), "six") })
	c.Heal("Ann", "Cleo")
	d := ann.chatWith(cleo)
	ann.say(d, "sorry")
	cleo.sees(d, "sorry")
	if list := cleo.all(g); slices.Contains(list, "six") {
		t.Errorf("Cleo reads %s", strings.Join(list, ", "))
	}
}

// TestSessionsEnd: messages are on their way while the connection ends, again
// and again; all arrive, once.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	c := newCables(t)
	run := func(name string) *person {
		return startWith(t, name, node.Config{Home: t.TempDir(), Link: c.plug(name, nil)})
	}
	ann, ben := run("Ann"), run("Ben")
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	var want []string
	for i := range 10 {
		for j := range 20 {
			text := strings.Repeat(string(rune('a'+i)), j+1)
			if j == 2*i {
				c.Drop()
			}
			ann.say(g, "ann "+text)
			ben.say(g, "ben "+text)
			want = append(want, "ann "+text, "ben "+text)
		}
		if i%2 == 0 {
			ben.until("connected", func() bool { return ben.connected(g, ann) && ann.connected(g, ben) })
		}
	}
	slices.Sort(want)
	for _, p := range []*person{ann, ben} {
		p.until("all, once", func() bool { return slices.Equal(slices.Sorted(slices.Values(p.all(g))), want) })
	}
	if !slices.Equal(ann.all(g), ben.all(g)) {
		t.Error("the order differs")
	}
}

// TestKilledAndBack: Ben's machine dies without a word and is back before Ann
// could notice; his new session takes the place of the dead one at once,
// whichever of them had dialled.
func TestKilledAndBack(t *testing.T) {
	for i := range 4 {
		t.Run(string(rune('a'+i)), func(t *testing.T) {
			t.Parallel()
			c := newCables(t)
			run := func(name, home string) *person {
				return startWith(t, name, node.Config{Home: home, Link: c.plug(name, nil)})
			}
			ann, ben := run("Ann", t.TempDir()), run("Ben", t.TempDir())
			befriend(t, ann, ben)
			g := ann.chatWith(ben)
			// The session of a friendship was dialled by who asked; another one by
			// either of them.
			c.Drop()
			ann.until("dropped", func() bool { return ann.logged("disconnected") > 0 })
			ben.until("connected again", func() bool { return ben.connected(g, ann) && ann.connected(g, ben) })
			before := ann.logged("connected")
			c.Cut("Ann", "Ben")
			ben.stop() // his farewell is lost
			ben = run("Ben", ben.home)
			c.Heal("Ann", "Ben")
			began := time.Now()
			ben.say(g, "I was gone")
			ann.sees(g, "I was gone")
			ann.say(g, "so I see")
			ben.sees(g, "I was gone", "so I see")
			t.Logf("talking again after %v, in session %d of Ann's", time.Since(began).Round(time.Millisecond), ann.logged("connected")-before+1)
		})
	}
}
