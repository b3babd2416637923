//go:build linux

package main_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

const (
	restFriends = 10
	restGroups  = 20
	restOthers  = 5 // in each group, beside Ann
)

// BenchmarkRest runs eleven programs on one local network, Ann's on a machine of its
// own: ten friends are connected with her, and twenty groups of six. After REST (5
// minutes) it counts for IDLE (15 minutes) what passes Ann's network card, by kind,
// and what her program takes of processor and memory.
func BenchmarkRest(b *testing.B) {
	settle, idle := minutes(b, "REST", 5*time.Minute), minutes(b, "IDLE", 15*time.Minute)
	name := fmt.Sprintf("kithrest%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name+"a").CombinedOutput(); err != nil {
		b.Skipf("no network namespaces here (needs root and iproute2): %v: %s", err, out)
	}
	b.Cleanup(func() { exec.Command("ip", "netns", "del", name+"a").Run() })
	for _, args := range []string{
		"netns add " + name + "b",
		"link add eth0 netns " + name + "a type veth peer name eth0 netns " + name + "b",
		"-n " + name + "a addr add 10.77.0.1/24 dev eth0", "-n " + name + "b addr add 10.77.0.2/24 dev eth0",
		"-n " + name + "a link set lo up", "-n " + name + "b link set lo up",
		"-n " + name + "a link set eth0 up", "-n " + name + "b link set eth0 up",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			b.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	b.Cleanup(func() { exec.Command("ip", "netns", "del", name+"b").Run() })
	program := filepath.Join(b.TempDir(), "kith")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	homes := restHomes(b)
	run := func(space, home string) *exec.Cmd {
		c := exec.Command("ip", "netns", "exec", space, program, "--home", home, "run", "--web", "localhost:0")
		c.Stderr = os.Stderr
		check(b, c.Start())
		b.Cleanup(func() {
			c.Process.Signal(syscall.SIGTERM)
			c.Wait()
		})
		return c
	}
	ann := run(name+"a", homes[0])
	for _, h := range homes[1:] {
		run(name+"b", h)
	}
	for b.Loop() {
		eventually(b, "all are connected", func() bool {
			out, _ := exec.Command(program, "--home", homes[0], "friend", "list").Output()
			return strings.Count(string(out), "here now") == restFriends
		})
		pause(b, settle)
		cpu, switches := processor(b, ann.Process.Pid), sum(b, ann.Process.Pid, "voluntary_ctxt_switches")
		wrote := io(b, ann.Process.Pid, "write_bytes")
		count := countPackets(b, name+"a", idle)
		hours := idle.Hours()
		total := 0
		for _, kind := range slices.SortedFunc(maps.Keys(count), func(x, y string) int { return cmp.Compare(count[y], count[x]) }) {
			b.ReportMetric(float64(count[kind])/1e3/hours, kind+"-kB/h")
			total += count[kind]
		}
		b.ReportMetric(float64(total)/1e3/hours, "all-kB/h")
		b.ReportMetric(100*(processor(b, ann.Process.Pid)-cpu).Seconds()/idle.Seconds(), "cpu-%")
		b.ReportMetric(float64(sum(b, ann.Process.Pid, "voluntary_ctxt_switches")-switches)/idle.Seconds(), "wakes/s")
		b.ReportMetric(float64(io(b, ann.Process.Pid, "write_bytes")-wrote)/1e3/hours, "disk-kB/h")
		b.ReportMetric(float64(memory(b, ann.Process.Pid, "VmRSS"))/1e6, "rss-MB")
		b.ReportMetric(float64(memory(b, ann.Process.Pid, "RssAnon"))/1e6, "anon-MB")
		out, _ := exec.Command(program, "--home", homes[0], "friend", "list").Output()
		if n := strings.Count(string(out), "here now"); n != restFriends {
			b.Errorf("%d of %d friends are still connected", n, restFriends)
		}
	}
}

func minutes(b *testing.B, name string, otherwise time.Duration) time.Duration {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	check(b, err)
	return d
}

// restHomes makes the homes, on loopback: the addresses that they know of each other
// mean nothing on the network, where they find each other by discovery.
func restHomes(b *testing.B) (homes []string) {
	nodes := make([]*node.Node, 1+restFriends)
	stops := make([]func(), len(nodes))
	for i := range nodes {
		homes = append(homes, b.TempDir())
		nodes[i], stops[i] = idleNode(b, homes[i], fmt.Sprintf("Friend %d", i), "127.0.0.1:0")
	}
	ann := nodes[0]
	var people []wire.PersonID
	for _, o := range nodes[1:] {
		l, err := ann.NewContactLink()
		check(b, err)
		_, err = o.AddFriend(l.Text)
		check(b, err)
		me := o.Status().Me.ID
		eventually(b, "a request", func() bool { f, err := ann.Friend(me); return err == nil && f.State == node.FriendAsking })
		_, err = ann.AcceptFriend(me)
		check(b, err)
		eventually(b, "a direct chat", func() bool {
			f, err := o.Friend(ann.Status().Me.ID)
			return err == nil && f.Chat != (wire.GroupID{}) && bothIn(ann, f.Chat)
		})
		people = append(people, me)
	}
	for i := range restGroups {
		var in []wire.PersonID
		for j := range restOthers {
			in = append(in, people[(i+2*j)%restFriends])
		}
		var g wire.GroupID
		eventually(b, "a group", func() (ok bool) {
			var err error
			g, err = ann.CreateGroup(fmt.Sprintf("Group %d", i), in)
			return err == nil
		})
		for j := range restOthers {
			o := nodes[1+(i+2*j)%restFriends]
			eventually(b, "an invitation", func() bool { c, err := o.Chat(g); return err == nil && c.State == group.StatusInvited })
			check(b, o.AcceptGroup(g, false))
		}
		eventually(b, "a group of six", func() bool {
			c, err := ann.Chat(g)
			return err == nil && len(c.Members) == 1+restOthers && !slices.ContainsFunc(c.Members, func(m node.Member) bool { return !m.Accepted })
		})
		c, err := group.Text("hello all")
		check(b, err)
		_, err = ann.Send(b.Context(), g, "", c)
		check(b, err)
	}
	for _, stop := range stops {
		stop()
	}
	return homes
}

// countPackets counts for a while the bytes that pass the network card of a
// namespace, by kind, with all headers.
func countPackets(b *testing.B, space string, d time.Duration) map[string]int {
	count := make(map[string]int)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // for good: it is in another network
		ns, err := os.Open("/run/netns/" + space)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		all := int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL}))
		fd := -1
		if err == nil {
			fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
		}
		if err == nil {
			err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1})
		}
		if err != nil {
			b.Errorf("cannot count: %v", err)
			return
		}
		defer unix.Close(fd)
		frame := make([]byte, 1<<16)
		for until := time.Now().Add(d); time.Now().Before(until); {
			n, from, err := unix.Recvfrom(fd, frame, 0)
			if at, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && at.Hatype == unix.ARPHRD_ETHER {
				count[kindOf(frame[:n])] += n
			}
		}
	})
	wg.Wait()
	return count
}

// kindOf tells what an Ethernet frame is for.
func kindOf(f []byte) string {
	if len(f) < 14 {
		return "other"
	}
	proto, body := byte(0), f[14:]
	switch kind := binary.BigEndian.Uint16(f[12:]); {
	case kind == 0x0800 && len(body) >= 20:
		proto, body = body[9], body[min(len(body), int(body[0]&15)*4):]
	case kind == 0x86dd && len(body) >= 40:
		proto, body = body[6], body[40:]
	}
	switch {
	case proto == unix.IPPROTO_TCP:
		return "tcp"
	case proto != unix.IPPROTO_UDP || len(body) < 8:
		return "arp+icmp+igmp"
	case binary.BigEndian.Uint16(body[2:]) == 5353:
		return "mdns"
	case len(body) < 8+64: // no frame of ours is so short: it holds PING, DATAGRAM or ACK
		return "quic-alive"
	}
	return "quic-frames"
}

// sum adds up a line of the status of all threads of a process.
func sum(b *testing.B, pid int, field string) (total uint64) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	check(b, err)
	for _, t := range threads {
		if text, err := os.ReadFile(t); err == nil {
			total += number(string(text), "\n"+field+":")
		}
	}
	return total
}

// io returns a line of /proc/PID/io, in bytes.
func io(b *testing.B, pid int, field string) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	check(b, err)
	return number(string(text), "\n"+field+":")
}

func number(text, after string) uint64 {
	_, rest, _ := strings.Cut(text, after)
	n, _ := strconv.ParseUint(strings.Fields(rest + " 0")[0], 10, 64)
	return n
}
