package main_test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"kith/internal/api"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// turn is how many messages one of the two who talk writes until the other does.
const turn = 40

// BenchmarkAway runs the programs of two members of a group of three. One of them missed
// what the other two wrote, KITH_BEHIND messages (10,000 if it is not set). It reports how long
// after they are connected the newest 50 can be read, and all, and what processor time each
// message took on both sides.
func BenchmarkAway(b *testing.B) {
	program := builtProgram(b)
	missed, err := strconv.Atoi(cmp.Or(os.Getenv("KITH_BEHIND"), "10000"))
	check(b, err)
	annHome, benHome := b.TempDir(), b.TempDir()
	g, annAt, benAt := awayHomes(b, annHome, benHome, missed)
	last := fmt.Sprintf("message %d", missed-1)

	var screen, all, annWorked, benWorked []time.Duration
	for b.Loop() {
		home := filepath.Join(b.TempDir(), "ben")
		copyHome(b, home, benHome)
		ann, _, stopAnn := awayRun(b, program, annHome, annAt)
		settle(b, ann)
		ben, client, stopBen := awayRun(b, program, home, benAt)
		annBefore := processor(b, ann)
		awayUntil(b, "connected", func() bool {
			n, err := client.GetNode(b.Context(), &v1.GetNodeRequest{})
			return err == nil && n.Connected > 0
		})
		began, benBefore := time.Now(), processor(b, ben)
		newest := func(limit uint32) []*v1.Message {
			list, err := client.ListMessages(b.Context(), &v1.ListMessagesRequest{Chat: g.String(), Limit: limit})
			check(b, err)
			return list.Messages
		}
		awayUntil(b, "the newest 50", func() bool {
			list := newest(50)
			return len(list) == 50 && list[49].Text == last
		})
		screen = append(screen, time.Since(began))
		awayUntil(b, "all", func() bool {
			c, err := client.GetChat(b.Context(), &v1.GetChatRequest{Chat: g.String()})
			check(b, err)
			list := newest(1)
			return !list[0].EarlierComing && c.Missing == 0
		})
		all = append(all, time.Since(began))
		annWorked, benWorked = append(annWorked, processor(b, ann)-annBefore), append(benWorked, processor(b, ben)-benBefore)
		stopBen()
		stopAnn()
		if n := awayCount(b, home, g); n != missed {
			b.Fatalf("%d of %d messages can be read", n, missed)
		}
	}
	b.ReportMetric(float64(awayMiddle(screen).Milliseconds()), "screen-ms")
	b.ReportMetric(float64(missed)/awayMiddle(all).Seconds(), "messages/s")
	b.ReportMetric(float64(awayMiddle(benWorked).Microseconds())/float64(missed), "ben-cpu-us/message")
	b.ReportMetric(float64(awayMiddle(annWorked).Microseconds())/float64(missed), "ann-cpu-us/message")
}

func copyHome(b *testing.B, to, from string) {
	check(b, os.MkdirAll(to, 0o700))
	files, err := os.ReadDir(from)
	check(b, err)
	for _, f := range files {
		if f.Type().IsRegular() {
			data, err := os.ReadFile(filepath.Join(from, f.Name()))
			check(b, err)
			check(b, os.WriteFile(filepath.Join(to, f.Name()), data, 0o600))
		}
	}
}

func awayMiddle(list []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(list))[len(list)/2]
}

// awayRun runs the program on a home until stop.
func awayRun(b *testing.B, program, home, at string) (pid int, client kithv1connect.KithServiceClient, stop func()) {
	run := exec.Command(program, "run", "--home", home, "--listen", at, "--web", "localhost:0")
	run.Stderr = os.Stderr
	check(b, run.Start())
	b.Cleanup(func() { _ = run.Process.Kill() })
	client = api.NewClient(home)
	coldList(b, client)
	return run.Process.Pid, client, func() {
		check(b, run.Process.Signal(syscall.SIGTERM))
		check(b, run.Wait())
	}
}

// awayUntil looks again every few milliseconds at first, and then more and more rarely: to be
// asked costs the program time, too.
func awayUntil(b *testing.B, what string, is func() bool) {
	b.Helper()
	for began := time.Now(); !is(); {
		waited := time.Since(began)
		if waited > 10*time.Minute {
			b.Fatalf("never: %s", what)
		}
		pause(b, max(10*time.Millisecond, waited/20))
	}
}

// awayCount counts the messages of a chat that can be read.
func awayCount(b *testing.B, home string, g wire.GroupID) (count int) {
	n, err := node.Open(node.Config{Home: home})
	check(b, err)
	defer n.Close()
	for before, more := (*group.Place)(nil), true; more; {
		var list []node.Message
		list, more, err = n.Messages(g, before, 500)
		check(b, err)
		for _, m := range list {
			if m.State == group.RowShown && !m.EarlierComing {
				count++
			}
		}
		if len(list) > 0 {
			before = &list[0].Place
		}
	}
	return count
}

// awayHomes makes Ann, Ben and Cleo with a group of theirs, in which then Ann and Cleo talk by
// turns, and returns where Ann and Ben were reached. Of what is said Ann has all, in her home,
// and Ben nothing.
func awayHomes(b *testing.B, annHome, benHome string, messages int) (g wire.GroupID, annAt, benAt string) {
	cleoHome := b.TempDir()
	ann, stopAnn := idleNode(b, annHome, "Ann", "127.0.0.1:0")
	ben, stopBen := idleNode(b, benHome, "Ben", "127.0.0.1:0")
	cleo, stopCleo := idleNode(b, cleoHome, "Cleo", "127.0.0.1:0")
	others := []*node.Node{ben, cleo}
	var people []wire.PersonID
	for _, n := range others {
		befriendNodes(b, ann, n)
		people = append(people, n.Status().Me.ID)
	}
	g, err := ann.CreateGroup("Away", people)
	check(b, err)
	for _, n := range others {
		eventually(b, "an invitation", func() bool { c, err := n.Chat(g); return err == nil && c.State == group.StatusInvited })
		check(b, n.AcceptGroup(g, false))
	}
	for _, n := range append(others, ann) {
		eventually(b, "a group of three", func() bool {
			c, err := n.Chat(g)
			return err == nil && len(c.Members) == 3 && !slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
		})
	}
	annAt, benAt = ann.Status().Addresses[0], ben.Status().Addresses[0]
	stopAnn()
	stopBen()
	stopCleo()
	awayTalk(b, g, annHome, cleoHome, messages)
	return g, annAt, benAt
}

func befriendNodes(b *testing.B, ann, ben *node.Node) {
	l, err := ann.NewContactLink()
	check(b, err)
	_, err = ben.AddFriend(l.Text)
	check(b, err)
	me := ben.Status().Me.ID
	eventually(b, "asked", func() bool { f, err := ann.Friend(me); return err == nil && f.State == node.FriendAsking })
	_, err = ann.AcceptFriend(me)
	check(b, err)
	eventually(b, "a direct chat", func() bool {
		f, err := ben.Friend(ann.Status().Me.ID)
		return err == nil && f.Chat != (wire.GroupID{}) && bothIn(ann, f.Chat) && bothIn(ben, f.Chat)
	})
}

// A talker is a member's machine, and the database of its home.
type talker struct {
	self    group.Self
	machine *group.Machine
	db      *store.DB
	batches []store.Batch
	hears   []group.Received
}

func newTalker(b *testing.B, home string, g wire.GroupID) *talker {
	key, err := store.OpenKeyFile(filepath.Join(home, node.KeyFile))
	check(b, err)
	db, err := store.Open(store.Config{Path: filepath.Join(home, store.FileName), Key: key})
	check(b, err)
	t := &talker{self: homeSelf(b, db), db: db}
	t.machine, err = group.LoadBy(t.self, func(k group.Kind, from []byte, each func(group.Record) error) error {
		return db.LoadFrom(g, k, from, each)
	})
	check(b, err)
	return t
}

// step steps the machine; what it says goes to the other, and what it writes is kept.
func (t *talker) step(b *testing.B, now uint64, c group.Cause, to *talker) {
	eff, err := t.machine.Step(group.Input{Now: now, Cause: c})
	check(b, err)
	t.batches = append(t.batches, store.Batch{
		Group: t.machine.Group(), Records: eff.Write, Rows: eff.Rows, Checked: eff.Checked, Deleted: eff.Deleted, Twice: eff.Twice,
	})
	for _, f := range eff.Send {
		if f.To == to.self.Device.ID() {
			to.hears = append(to.hears, group.Received{From: t.self.Member(), Payload: f.Payload})
		}
	}
	if len(t.batches) >= 500 {
		t.keep(b)
	}
}

func (t *talker) keep(b *testing.B) {
	check(b, t.db.CommitMany(t.batches))
	t.batches = nil
}

// awayTalk has two machines talk by turns, and stores what that takes.
func awayTalk(b *testing.B, g wire.GroupID, annHome, cleoHome string, messages int) {
	both := []*talker{newTalker(b, annHome, g), newTalker(b, cleoHome, g)}
	now := uint64(time.Now().UnixMilli())
	listen := func() {
		for len(both[0].hears)+len(both[1].hears) > 0 {
			for i, t := range both {
				list := t.hears
				t.hears = nil
				for _, in := range list {
					t.step(b, now, in, both[1-i])
				}
			}
		}
	}
	tick := func() {
		for i, t := range both {
			t.step(b, now, group.Tick{}, both[1-i])
		}
		listen()
	}
	for i, t := range both {
		t.step(b, now, group.PeerUp{Peer: both[1-i].self.Member()}, both[1-i])
	}
	for range 10 { // until they know what the other has, and push
		listen()
		now += 300
		tick()
	}
	for i := range messages {
		at := i / turn % 2
		c, err := group.Text(fmt.Sprintf("message %d", i))
		check(b, err)
		both[at].step(b, now, group.Compose{Content: c}, both[1-at])
		now++
		if i%turn == turn-1 || i == messages-1 {
			listen()
			tick()
		}
	}
	now += 10_000
	tick()
	for _, t := range both {
		t.keep(b)
		check(b, t.db.Close())
	}
}
