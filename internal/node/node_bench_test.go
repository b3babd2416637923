//go:build unix

package node_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/link/linktest"
	"kith/internal/node"
	"kith/internal/wire"
)

// measured is a running node of a benchmark.
type measured struct {
	*node.Node
	b    *testing.B
	stop func()
}

func startMeasured(b *testing.B, name string, cfg node.Config) *measured {
	b.Helper()
	n, err := node.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	p := &measured{Node: n, b: b}
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		n.Close()
	})
	b.Cleanup(p.stop)
	if !n.Ready() {
		p.must(n.Setup(name))
	}
	p.until("listens", func() bool { return len(n.Status().Addresses) > 0 })
	return p
}

func (p *measured) must(err error) {
	p.b.Helper()
	if err != nil {
		p.b.Fatal(err)
	}
}

// patience bounds every wait: with 50 nodes on two cores many things take minutes.
const patience = 10 * time.Minute

// until looks again every few milliseconds, and returns how long it took.
func (p *measured) until(what string, is func() bool) time.Duration {
	p.b.Helper()
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := began.Add(patience); !is(); {
		if now := <-tick.C; now.After(deadline) {
			p.b.Fatalf("never: %s", what)
		}
	}
	return time.Since(began)
}

// friends makes two nodes friends and returns their direct chat.
func friends(a, b *measured) wire.GroupID {
	a.b.Helper()
	l, err := a.NewContactLink()
	a.must(err)
	_, err = b.AddFriend(l.Text)
	a.must(err)
	me := b.Status().Me.ID
	a.until("asked", func() bool {
		f, err := a.Friend(me)
		return err == nil && f.State == node.FriendAsking
	})
	_, err = a.AcceptFriend(me)
	a.must(err)
	var chat wire.GroupID
	for _, p := range [][2]*measured{{a, b}, {b, a}} {
		p[0].until("direct chat", func() bool {
			f, err := p[0].Friend(p[1].Status().Me.ID)
			if err != nil || f.Chat == (wire.GroupID{}) {
				return false
			}
			chat = f.Chat
			return p[0].allAccepted(chat, 2)
		})
	}
	return chat
}

func (p *measured) allAccepted(g wire.GroupID, n int) bool {
	c, err := p.Chat(g)
	return err == nil && c.State == group.StatusActive && len(c.Members) == n &&
		!slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
}

func (p *measured) say(g wire.GroupID, text string) {
	p.b.Helper()
	c, err := group.Text(text)
	p.must(err)
	_, err = p.Send(p.b.Context(), g, "", c)
	p.must(err)
}

// sayOn is say of who writes more than others have said to have: it waits for them.
func (p *measured) sayOn(g wire.GroupID, text string) {
	p.b.Helper()
	c, err := group.Text(text)
	p.must(err)
	p.until("somebody has it", func() bool {
		_, err = p.Send(p.b.Context(), g, "", c)
		return refusal(err) != group.ReasonUncovered
	})
	p.must(err)
}

// arrivals gives the text of every message event of p.
func (p *measured) arrivals(ctx context.Context) <-chan string {
	texts := make(chan string, 1024)
	go p.Subscribe(ctx, "", 0, func(e node.Event) error {
		if m, ok := e.Change.(node.MessageChanged); ok {
			texts <- string(m.Message.Content.Body)
		}
		return nil
	})
	return texts
}

// await returns once text has come.
func (p *measured) await(texts <-chan string, text string) {
	p.b.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case got := <-texts:
			if got == text {
				return
			}
		case <-deadline.C:
			p.b.Fatalf("never came: %q", text)
		}
	}
}

// crowd starts a node for each member of a group, all friends of the first.
func crowd(b *testing.B, members int) (all []*measured, g wire.GroupID) {
	first := startMeasured(b, "0", node.Config{Home: b.TempDir(), Listen: "127.0.0.1:0"})
	all = append(all, first)
	began := time.Now()
	for i := 1; i < members; i++ {
		p := startMeasured(b, fmt.Sprint(i), node.Config{Home: b.TempDir(), Listen: "127.0.0.1:0"})
		g = friends(first, p)
		all = append(all, p)
	}
	if members == 2 {
		return all, g
	}
	b.Logf("%d are friends of the first after %.0f s", members-1, time.Since(began).Seconds())
	return all, groupOf(first, all[1:]...)
}

// groupOf makes a group of the first with friends of its, who all accept.
func groupOf(first *measured, others ...*measured) wire.GroupID {
	var people []wire.PersonID
	for _, p := range others {
		people = append(people, p.Status().Me.ID)
	}
	g, err := first.CreateGroup("Measured", people)
	first.must(err)
	began := time.Now()
	for _, p := range others {
		p.until("invited", func() bool { c, err := p.Chat(g); return err == nil && c.State == group.StatusInvited })
		p.must(p.AcceptGroup(g, false))
	}
	joined := time.Since(began)
	for _, p := range append(others[:len(others):len(others)], first) {
		p.until("all accepted", func() bool { return p.allAccepted(g, 1+len(others)) })
	}
	first.b.Logf("%d are in after %.0f s, and know that of each other after %.0f s", len(others), joined.Seconds(), time.Since(began).Seconds())
	return g
}

// crowds are how many nodes BenchmarkDelivery connects. KITH_CROWD=50 takes four minutes, since among
// more than 32 Acks are passed on slowly, the first ones too.
func crowds(b *testing.B) []int {
	n, err := strconv.Atoi(os.Getenv("KITH_CROWD"))
	if err != nil {
		return []int{2, 5}
	}
	return []int{n}
}

// BenchmarkDelivery is the time from a call of Send on one node to the event of
// the message at another, both with databases on disk and a link over loopback.
// The next message is sent when the last has arrived.
func BenchmarkDelivery(b *testing.B) {
	for _, members := range crowds(b) {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			all, g := crowd(b, members)
			first, last := all[0], all[members-1]
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			texts := last.arrivals(ctx)
			first.until("the stream", func() bool { // an event shows that the subscription has begun
				first.say(g, "hello")
				select {
				case <-texts:
					return true
				case <-time.After(100 * time.Millisecond):
					return false
				}
			})
			var took []time.Duration
			worked := processTime(b)
			for b.Loop() {
				text := fmt.Sprintf("message %d", len(took))
				began := time.Now()
				first.say(g, text)
				last.await(texts, text)
				took = append(took, time.Since(began))
			}
			worked = processTime(b) - worked
			b.ReportMetric(float64(worked.Microseconds())/1000/float64(len(took)*members), "cpu-ms/message-and-node")
			slices.Sort(took)
			for _, p := range []int{50, 90, 99} {
				b.ReportMetric(float64(took[len(took)*p/100].Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
			}
		})
	}
}

// A cabled link is reached through a proxy alone.
type cabled struct {
	link.Link
	at link.Address
}

func (c cabled) Address() link.Address { return c.at }

func cable(b *testing.B, kind string) (cabled, *linktest.Proxy) {
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	p := linktest.NewProxy(b, l.Address())
	return cabled{l, p.Address(l.Address(), kind)}, p
}

// outage lets a cable stay cut for so long that redialling has backed off.
func outage(b *testing.B) {
	select {
	case <-time.After(10 * time.Second):
	case <-b.Context().Done():
	}
}

// BenchmarkCut is how long a cut cable stays unnoticed by a node that has just
// sent a message, and how long after it is healed that message arrives.
func BenchmarkCut(b *testing.B) {
	for _, kind := range []string{"quic", "tcp"} {
		b.Run(kind, func(b *testing.B) {
			annLink, annCable := cable(b, kind)
			benLink, benCable := cable(b, kind)
			ann := startMeasured(b, "Ann", node.Config{Home: b.TempDir(), Link: annLink})
			ben := startMeasured(b, "Ben", node.Config{Home: b.TempDir(), Link: benLink})
			g := friends(ann, ben)
			texts := ben.arrivals(b.Context())
			linked := func(p *measured) bool { return p.Status().Connected > 0 }
			var noticed, healed []time.Duration
			for b.Loop() {
				ann.until("connected", func() bool { return linked(ann) && linked(ben) })
				annCable.Cut()
				benCable.Cut()
				text := fmt.Sprintf("cut %d", len(noticed))
				ann.say(g, text)
				noticed = append(noticed, ann.until("noticed", func() bool { return !linked(ann) }))
				ben.until("noticed by the other", func() bool { return !linked(ben) })
				outage(b)
				annCable.Heal()
				benCable.Heal()
				began := time.Now()
				ben.await(texts, text)
				healed = append(healed, time.Since(began))
			}
			for name, list := range map[string][]time.Duration{"noticed": noticed, "healed": healed} {
				b.ReportMetric(middle(list).Seconds(), name+"-s")
				b.ReportMetric(slices.Max(list).Seconds(), name+"-most-s")
			}
		})
	}
}

func middle(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// processTime is the processor time of this process, both nodes and the
// collector included.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// behind is how many messages BenchmarkCatchUp lets a node miss: KITH_BEHIND, or 5,000.
func behind(b *testing.B) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("KITH_BEHIND"), "5000"))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkCatchUp is a node that comes back after it missed many messages, from
// the moment it is connected to the moment it has the newest, and has them all.
func BenchmarkCatchUp(b *testing.B) {
	missed := behind(b)
	ann := startMeasured(b, "Ann", node.Config{Home: b.TempDir(), Listen: "127.0.0.1:0"})
	home := b.TempDir()
	ben := startMeasured(b, "Ben", node.Config{Home: home, Listen: "127.0.0.1:0"})
	cleo := startMeasured(b, "Cleo", node.Config{Home: b.TempDir(), Listen: "127.0.0.1:0"})
	at := ben.Status().Addresses[0]
	friends(ann, cleo)
	friends(ann, ben)
	g := groupOf(ann, ben, cleo)
	var took, used, screen time.Duration
	sent, rounds := 0, 0
	for b.Loop() {
		b.StopTimer()
		ben.stop()
		ann.until("Ben is gone", func() bool { return ann.Status().Connected == 1 })
		for range missed {
			ann.sayOn(g, fmt.Sprintf("message %d", sent))
			sent++
		}
		last := fmt.Sprintf("message %d", sent-1)
		ben = startMeasured(b, "Ben", node.Config{Home: home, Listen: at})
		ben.until("connected", func() bool { return ben.Status().Connected > 0 })
		b.StartTimer()
		began := processTime(b)
		newest := func(whole bool) func() bool {
			return func() bool {
				list, _, err := ben.Messages(g, nil, 1)
				return err == nil && len(list) == 1 && string(list[0].Content.Body) == last && !(whole && list[0].EarlierComing)
			}
		}
		first := ben.until("the newest message", newest(false))
		screen += first
		took += first + ben.until("all messages", newest(true))
		rounds++
		used += processTime(b) - began
	}
	b.ReportMetric(float64(screen.Milliseconds())/float64(rounds), "screen-ms")
	b.ReportMetric(float64(sent)/took.Seconds(), "messages/s")
	b.ReportMetric(float64(used.Microseconds())/float64(sent), "cpu-us/message")
}
