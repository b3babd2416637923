package node_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/link"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
)

// TestMain lets the test binary run as another process: a node that writes until
// it is killed.
func TestMain(m *testing.M) {
	if home := os.Getenv("KITH_TEST_WRITER"); home != "" {
		if err := write(home); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// write runs the node of home and sends message after message, from the number
// on that the environment gives; it prints each number when Send has returned.
func write(home string) error {
	n, err := node.Open(node.Config{Home: home, Listen: os.Getenv("KITH_TEST_LISTEN")})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go func() { _ = n.Run(ctx) }()
	do := makeGroup
	if g, err := n.FindChat("Trip"); err == nil {
		do = func(n *node.Node, i int) error { return say(ctx, n, g, i) }
	}
	from, err := strconv.Atoi(os.Getenv("KITH_TEST_FROM"))
	if err != nil {
		return err
	}
	for i := from; ctx.Err() == nil; i++ {
		if err := do(n, i); err != nil {
			return err
		}
		fmt.Println(i)
	}
	return ctx.Err()
}

// say sends a message.
func say(ctx context.Context, n *node.Node, g wire.GroupID, i int) error {
	c, err := group.Text("ben " + strconv.Itoa(i))
	if err != nil {
		return err
	}
	_, err = n.Send(ctx, g, "client "+strconv.Itoa(i), c)
	return err
}

// makeGroup makes a group, renames it, and deletes every third again.
func makeGroup(n *node.Node, i int) error {
	g, err := n.CreateGroup("begun "+strconv.Itoa(i), nil)
	if err != nil {
		return err
	}
	if err := n.SetTitle(g, "made "+strconv.Itoa(i)); err != nil || i%3 != 0 {
		return err
	}
	return n.DeleteChat(g)
}

// killed runs the writer until it has printed count numbers, kills it, and
// returns the number to go on with: one may have been sent and not printed.
func killed(t *testing.T, p *person, from, count int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KITH_TEST_WRITER="+p.home, "KITH_TEST_LISTEN="+p.cfg.Listen, "KITH_TEST_FROM="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	next := from
	for lines := bufio.NewScanner(out); ; count-- {
		if count == 0 {
			must(t, cmd.Process.Kill()) // and read what was printed before that
		}
		if !lines.Scan() {
			break
		}
		i, err := strconv.Atoi(lines.Text())
		must(t, err)
		next = i + 1
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() >= 0 {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return next
}

// The tests that start processes do not run beside others: for a moment a new
// process holds the locks of all homes that are open here.

// TestKill9: whatever Send returned is there after kill -9, on every node, once,
// in one order; also what others sent meanwhile.
func TestKill9(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	g := together(t, "Trip", ann, ben, cleo)
	ben.stop()
	ctx, cancel := context.WithCancel(t.Context())
	wrote := make(chan int)
	go func() { // writes all the while
		n := 0
		defer func() { wrote <- n }()
		for tick := time.NewTicker(10 * time.Millisecond); ; n++ {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			c, err := group.Text("ann " + strconv.Itoa(n))
			if err == nil {
				_, err = ann.Send(t.Context(), g, "", c)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	next := 0
	for _, count := range []int{1, 40, 7, 0, 400, 100, 23} {
		next = killed(t, ben, next, count)
	}
	cancel()
	anns := <-wrote
	ben = ben.again()
	c, err := group.Text("ben " + strconv.Itoa(next))
	must(t, err)
	_, err = ben.Send(t.Context(), g, "client "+strconv.Itoa(next), c) // may be there already
	must(t, err)
	var want []string
	for i := range next + 1 {
		want = append(want, "ben "+strconv.Itoa(i))
	}
	for i := range anns {
		want = append(want, "ann "+strconv.Itoa(i))
	}
	slices.Sort(want)
	t.Logf("%d messages by Ben, %d by Ann", next+1, anns)
	for _, p := range []*person{ann, ben, cleo} {
		defer func() {
			if t.Failed() {
				have := p.all(g)
				t.Logf("%s has %d messages of %d; missing: %q", p.name, len(have), len(want), without(want, have))
				c, _ := p.Chat(g)
				t.Logf("%s: missing %d, waiting %d, connected %d", p.name, c.Missing, c.Waiting, c.Connected)
			}
		}()
		p.until("all messages, once", func() bool { return slices.Equal(slices.Sorted(slices.Values(p.all(g))), want) })
	}
	if !slices.Equal(ann.all(g), ben.all(g)) || !slices.Equal(ann.all(g), cleo.all(g)) {
		t.Error("the order differs")
	}
}

// TestKill9Groups: groups that were made, renamed or deleted when the node was
// killed are as they were left, and the node opens.
func TestKill9Groups(t *testing.T) {
	ann := start(t, "Ann", t.TempDir())
	next := 0
	for _, count := range []int{1, 0, 20, 5, 2} {
		ann.stop()
		first := next
		next = killed(t, ann, next, count)
		ann = ann.again()
		titles := make(map[string]int)
		chats, err := ann.Chats()
		must(t, err)
		for _, c := range chats {
			titles[c.Title]++
		}
		for i := first; i < next; i++ {
			want := 1
			if i%3 == 0 {
				want = 0
			}
			if made := titles["made "+strconv.Itoa(i)]; made != want {
				t.Errorf("group %d is there %d times, want %d", i, made, want)
			}
		}
		next++ // the one under way may be there in part of its life
	}
	t.Logf("%d groups", next)
	chats, err := ann.Chats()
	must(t, err)
	for _, c := range chats {
		ann.say(c.ID, "still works")
	}
}

// without returns what is in all and not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// all reads a chat page by page, oldest first.
func (p *person) all(g wire.GroupID) (list []string) {
	var before *group.Place
	for {
		page, more, err := p.Messages(g, before, 100)
		if err != nil || len(page) == 0 {
			return list
		}
		var texts []string
		for _, m := range page {
			texts = append(texts, string(m.Content.Body))
		}
		list = append(texts, list...)
		if before = &page[0].Place; !more {
			return list
		}
	}
}

// TestFullDisk: one clear error, nothing lost, and it works when there is space.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small disk can be made here (needs root): %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	ann, ben := start(t, "Ann", filepath.Join(dir, "ann")), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	g := ann.chatWith(ben)
	ann.say(g, "before")
	ben.sees(g, "before")

	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	long, err := group.Text(strings.Repeat("long ", 10_000))
	must(t, err)
	var sent int
	for err = nil; err == nil && sent < 100; sent++ { // the database has some room left
		_, err = ann.Send(t.Context(), g, "", long)
	}
	if reason(err) != node.ReasonFull {
		t.Fatalf("send on a full disk: %v", err)
	}
	if _, err := ann.Send(t.Context(), g, "", long); reason(err) != node.ReasonFull {
		t.Errorf("again: %v", err)
	}
	if _, _, err := ann.Messages(g, nil, 10); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	if n := ann.logged("cannot write"); n != 1 {
		t.Errorf("the log says %d times that nothing can be written, and may lie on the same disk", n)
	}
	if !ann.Status().DiskFull {
		t.Error("the node does not say that the disk is full")
	}
	ben.say(g, "while full")
	must(t, os.Remove(ballast))
	ann.until("there is room again", func() bool { return !ann.Status().DiskFull })
	ann.say(g, "after")
	want := append([]string{"before"}, slices.Repeat([]string{string(long.Body)}, sent-1)...)
	for _, p := range []*person{ann, ben} {
		p.until("everything", func() bool {
			list := p.texts(g)
			return len(list) == len(want)+2 && slices.Equal(list[:len(want)], want) && slices.Contains(list, "after") && slices.Contains(list, "while full")
		})
	}
	ann = ann.restart()
	if list := ann.texts(g); len(list) != len(want)+2 {
		t.Errorf("after a restart there are %d messages, want %d", len(list), len(want)+2)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	defer f.Close()
	for _, size := range []int{64 << 10, 4 << 10} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// TestHomeTrouble: a home that is open elsewhere, damaged, or locked otherwise.
func TestHomeTrouble(t *testing.T) {
	ann := start(t, "Ann", t.TempDir())
	if _, err := node.Open(node.Config{Home: ann.home}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a second program on one home: %v", err)
	}
	ann.say(ann.Status().Notes, "kept")

	other, err := node.Open(node.Config{Home: t.TempDir(), Listen: ann.cfg.Listen})
	must(t, err)
	if err := other.Run(t.Context()); !errors.Is(err, link.ErrPortTaken) {
		t.Errorf("a port in use: %v", err)
	}
	must(t, other.Close())
	ann.stop()

	path := filepath.Join(ann.home, store.FileName)
	whole, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	if _, err := node.Open(node.Config{Home: ann.home}); !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("a database cut short: %v", err)
	}
	left, err := os.ReadFile(path)
	must(t, err)
	if len(left) != len(whole)/2 {
		t.Error("opening has changed the damaged file")
	}
	must(t, os.WriteFile(path, whole, 0o600))
	ann = ann.again()
	ann.sees(ann.Status().Notes, "kept")
}

func TestWrongPassphrase(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	ann := startWith(t, "Ann", node.Config{Home: home, Passphrase: store.Passphrase("correct horse")})
	ann.say(ann.Status().Notes, "kept")
	ann.stop()
	if _, err := node.Open(node.Config{Home: home, Passphrase: store.Passphrase("correct cow")}); !errors.Is(err, store.ErrWrongPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := node.Open(node.Config{Home: home, Passphrase: store.Passphrase("")}); !errors.Is(err, store.ErrNoPassphrase) {
		t.Errorf("an empty passphrase: %v", err)
	}
	_, err := node.Open(node.Config{Home: home})
	if e, ok := errors.AsType[*node.Error](err); !ok || e.Reason != node.ReasonPassphrase {
		t.Errorf("without its passphrase: %v", err)
	}
	ann = ann.again()
	ann.sees(ann.Status().Notes, "kept")
}

// TestNotRunning: a node that does not run refuses instead of waiting for ever,
// and one that stops lets nobody hang.
func TestNotRunning(t *testing.T) {
	t.Parallel() // it waits
	n, err := node.Open(node.Config{Home: t.TempDir()})
	must(t, err)
	defer n.Close()
	must(t, n.Setup("Ann"))
	c, err := group.Text("hello")
	must(t, err)
	if _, err := n.Send(t.Context(), n.Status().Notes, "", c); reason(err) != node.ReasonStopping {
		t.Errorf("send on a node that does not run: %v", err)
	}
	ann := start(t, "Ann", t.TempDir())
	ended := make(chan error)
	for range 8 {
		go func() {
			var err error
			for err == nil {
				_, err = ann.Send(context.Background(), ann.Status().Notes, "", c)
			}
			ended <- err
		}()
	}
	go ann.stop()
	for range 8 {
		if err := <-ended; reason(err) != node.ReasonStopping && !errors.Is(err, store.ErrClosed) {
			t.Errorf("send on a node that stops: %v", err)
		}
	}
	ann.stop()
}
