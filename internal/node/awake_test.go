package node_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/node"
)

// A watch is a clock that a test sets.
type watch struct{ off atomic.Int64 }

func (w *watch) Now() time.Time      { return time.Now().Add(time.Duration(w.off.Load())) }
func (w *watch) set(d time.Duration) { w.off.Add(int64(d)) }

// TestWakes: a laptop that slept for hours, which its clock alone tells, ends the
// sessions that the others have given up, connects anew, and does what was due
// meanwhile.
func TestWakes(t *testing.T) {
	t.Parallel()
	var clock watch
	c := newCables(t)
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Link: c.plug("Ann", nil)})
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Link: c.plug("Ben", nil), Clock: clock.Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	connected := func() bool { return ann.connected(g, ben) && ben.connected(g, ann) }
	ben.until("connected", connected)

	before := ben.logged("connected")
	clock.set(8 * time.Hour)
	began := time.Now()
	ben.until("awake", func() bool { return ben.logged("awake again, or the clock was set forward") == 1 })
	ben.until("connected anew", func() bool { return ben.logged("connected") > before && connected() })
	t.Logf("connected again %v after waking", time.Since(began).Round(time.Millisecond))
	ann.say(g, "good morning")
	ben.sees(g, "good morning")
}

// TestClockJumps: a clock that is set forward, and back by more, while the node runs
// keeps neither messages nor acknowledgements, and changes no order.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	var clock watch
	ann := start(t, "Ann", t.TempDir())
	ben := startWith(t, "Ben", node.Config{Home: t.TempDir(), Clock: clock.Now})
	befriend(t, ann, ben)
	g := together(t, "Trip", ann, ben)
	var want []string
	talk := func(when string) {
		t.Helper()
		for _, p := range []*person{ben, ann} {
			p.say(g, p.name+" "+when)
			want = append(want, p.name+" "+when)
			for _, o := range []*person{ann, ben} {
				o.sees(g, want...)
			}
			p.until("an acknowledgement", func() bool {
				list, _, err := p.Messages(g, nil, 1)
				return err == nil && list[0].Reached == 1
			})
		}
	}
	talk("at first")
	clock.set(40 * 24 * time.Hour)
	ben.until("the jump noticed", func() bool { return ben.logged("awake again, or the clock was set forward") == 1 })
	talk("in the future")
	clock.set(-400 * 24 * time.Hour)
	ben.until("the jump back noticed", func() bool { return ben.logged("the clock was set back") == 1 })
	talk("in the past")
	if ben.logged("awake again, or the clock was set forward") != 1 || ann.logged("the clock was set back") != 0 {
		t.Error("a jump was noticed where there was none")
	}
}

// TestAttention: whose chat is open and watched is missed within seconds though
// nothing is said; who is only a friend is not asked so often.
func TestAttention(t *testing.T) {
	t.Parallel()
	c := newCables(t)
	run := func(name string) *person {
		return startWith(t, name, node.Config{Home: t.TempDir(), Link: c.plug(name, nil)})
	}
	ann, ben, cleo := run("Ann"), run("Ben"), run("Cleo")
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	for range 2 {
		watching.Go(func() { _ = ann.Subscribe(ctx, "", 0, func(node.Event) error { return nil }) })
	}
	left := together(t, "Left", ann, ben)
	d := ann.chatWith(ben)
	for tries := 0; tries < 4 && bytes.Compare(left[:], d[:]) < 0; tries++ { // in nearly all runs it is looked at after their chat; Ben has eight packages
		left = together(t, "Left", ann, ben)
	}
	must(t, ann.RemoveMember(left, ben.id()))
	ann.Look(ann.chatWith(cleo))
	ann.Look(left)
	ann.Look(ann.chatWith(ben)) // two watch: two chats are open, of which Ben was taken out of one
	quiet(t, ann, ben, cleo)
	c.Cut("Ann", "Ben")
	c.Cut("Ann", "Cleo")
	began := time.Now()
	ann.within(12*time.Second, "Ben missed", func() bool { return !ann.connected(ann.chatWith(ben), ben) })
	t.Logf("missed after %v", time.Since(began).Round(time.Millisecond))
	if !ann.connected(ann.chatWith(cleo), cleo) {
		t.Error("Cleo is missed as soon, though her chat is not open")
	}
	ann.Look(ann.chatWith(cleo))
	ann.within(12*time.Second, "Cleo missed", func() bool { return !ann.connected(ann.chatWith(cleo), cleo) })
}

// quiet waits until what the nodes had to say to each other has been said, and more
// than a link takes to be at rest has passed.
func quiet(t *testing.T, nodes ...*person) {
	t.Helper()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for range 2 {
		<-tick.C
	}
	for _, p := range nodes {
		p.until("all said", func() bool {
			chats, err := p.Chats()
			return err == nil && !slices.ContainsFunc(chats, func(c node.Chat) bool { return c.Waiting > 0 })
		})
	}
}
