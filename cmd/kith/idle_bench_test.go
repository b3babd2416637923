package main_test

import (
	"bufio"
	"context"
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
	"kith/internal/node"
	"kith/internal/wire"
)

const (
	idleGroups   = 10
	idleMessages = 100 // in each group
	idleFor      = 15 * time.Second
)

// BenchmarkIdle runs the program on a home with ten groups while the other
// member of all of them is connected, and reports how soon the page's address is
// printed, and what the program takes of memory and processor while nobody does
// anything.
func BenchmarkIdle(b *testing.B) {
	program := builtProgram(b)
	annHome, benHome := b.TempDir(), b.TempDir()
	annAt, benAt := makeGroups(b, annHome, benHome)
	ben, stop := idleNode(b, benHome, "Ben", benAt)
	defer stop()
	for b.Loop() {
		ann := exec.Command(program, "run", "--home", annHome, "--listen", annAt, "--web", "localhost:0")
		out, err := ann.StdoutPipe()
		check(b, err)
		began := time.Now()
		check(b, ann.Start())
		printed := make(chan time.Duration, 1)
		go func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if strings.Contains(lines.Text(), "#login=") {
					printed <- time.Since(began)
				}
			}
		}()
		b.Cleanup(func() { ann.Process.Kill() })
		b.ReportMetric(float64((<-printed).Milliseconds()), "start-ms")
		eventually(b, "Ann is connected", func() bool { return ben.Status().Connected == 1 })
		pause(b, idleFor/3)
		before := processor(b, ann.Process.Pid)
		pause(b, idleFor)
		b.ReportMetric(100*(processor(b, ann.Process.Pid)-before).Seconds()/idleFor.Seconds(), "cpu-%")
		b.ReportMetric(float64(memory(b, ann.Process.Pid, "VmRSS"))/1e6, "rss-MB")
		b.ReportMetric(float64(memory(b, ann.Process.Pid, "RssAnon"))/1e6, "anon-MB")
		b.ReportMetric(float64(memory(b, ann.Process.Pid, "VmHWM"))/1e6, "peak-MB")
		check(b, ann.Process.Signal(syscall.SIGTERM))
		check(b, ann.Wait())
	}
}

// builtProgram builds the program, to be run and measured.
func builtProgram(b *testing.B) (path string) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("no /proc here that tells the memory and the processor time of a process")
	}
	path = filepath.Join(b.TempDir(), "kith")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// makeGroups makes two friends with ten groups, in homes that are then closed,
// and returns where each was reached: the other looks for it there.
func makeGroups(b *testing.B, annHome, benHome string) (annAt, benAt string) {
	ann, stopAnn := idleNode(b, annHome, "Ann", "127.0.0.1:0")
	defer stopAnn()
	ben, stopBen := idleNode(b, benHome, "Ben", "127.0.0.1:0")
	defer stopBen()
	befriendNodes(b, ann, ben)
	me := ben.Status().Me.ID
	for i := range idleGroups {
		var g wire.GroupID
		eventually(b, "a group", func() bool { // until a key package of Ben's is there
			var err error
			g, err = ann.CreateGroup(fmt.Sprintf("Group %d", i), []wire.PersonID{me})
			return err == nil
		})
		eventually(b, "an invitation", func() bool {
			c, err := ben.Chat(g)
			return err == nil && c.State == group.StatusInvited
		})
		check(b, ben.AcceptGroup(g, false))
		eventually(b, "a group of two", func() bool { return bothIn(ann, g) })
		for j := range idleMessages {
			c, err := group.Text(fmt.Sprintf("message %d of this group, about nothing in particular", j))
			check(b, err)
			_, err = []*node.Node{ann, ben}[j%2].Send(b.Context(), g, "", c)
			check(b, err)
		}
		eventually(b, "all messages", func() bool {
			a, _, _ := ann.Messages(g, nil, 2*idleMessages)
			o, _, _ := ben.Messages(g, nil, 2*idleMessages)
			return len(a) == idleMessages && len(o) == idleMessages
		})
	}
	return ann.Status().Addresses[0], ben.Status().Addresses[0]
}

func bothIn(n *node.Node, g wire.GroupID) bool {
	c, err := n.Chat(g)
	return err == nil && len(c.Members) == 2 &&
		!slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
}

func idleNode(b *testing.B, home, name, listen string) (*node.Node, func()) {
	n, err := node.Open(node.Config{Home: home, Listen: listen})
	check(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	if !n.Ready() {
		check(b, n.Setup(name))
	}
	eventually(b, "a link", func() bool { return len(n.Status().Addresses) > 0 })
	return n, func() {
		cancel()
		<-done
		n.Close()
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func eventually(b *testing.B, what string, is func() bool) {
	b.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !is(); {
		if now := <-tick.C; now.After(deadline) {
			b.Fatalf("never: %s", what)
		}
	}
}

// pause lets real time pass: idling cannot be had faster.
func pause(b *testing.B, d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.Context().Done():
	}
}

// memory returns a line of /proc/PID/status, in bytes.
func memory(b *testing.B, pid int, field string) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	check(b, err)
	_, rest, _ := strings.Cut(string(text), field+":")
	kB, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
	check(b, err)
	return kB * 1024
}

// processor returns the processor time of a process, of all its threads.
func processor(b *testing.B, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	check(b, err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks uint64
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseUint(f, 10, 64)
		check(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
