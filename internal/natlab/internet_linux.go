package natlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// spaces is where iproute2 keeps the namespaces it made.
const spaces = "/run/netns"

// An Internet forwards between the sites that are plugged into it.
type Internet struct {
	t     testing.TB
	name  string // in front of all names of this one
	space string
	sites int
}

// built counts the Internets of this process.
var built atomic.Int64

// New makes an Internet without anybody, or skips the test where it cannot.
func New(t testing.TB) *Internet {
	t.Helper()
	for tool, pack := range map[string]string{"ip": "iproute2", "nft": "nftables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no routers here: the package %s is not installed", pack)
		}
	}
	sweep()
	n := &Internet{t: t, name: fmt.Sprintf("natlab%dx%d", os.Getpid(), built.Add(1))}
	n.space = n.name + "-internet"
	if out, err := exec.Command("ip", "netns", "add", n.space).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here (needs root): %s", out)
	}
	n.drop(n.space)
	if err := in(n.space, func() error { return nil }); err != nil {
		t.Skipf("no network namespaces here (they can be made and not entered): %v", err)
	}
	if err := in(n.space, func() error {
		return feed("table ip try { chain c { type nat hook postrouting priority srcnat; masquerade; }; }", "nft", "-f", "-")
	}); err != nil {
		t.Skipf("no routers here: the kernel lacks NAT of nftables: %v", err)
	}
	n.nft(n.space, "flush ruleset")
	n.forwards(n.space)
	n.ip("-n "+n.space+" link set lo up", "-n "+n.space+" addr add 11.0.0.1/32 dev lo")
	return n
}

// sweep deletes the namespaces of processes that are no more.
func sweep() {
	list, _ := filepath.Glob(filepath.Join(spaces, "natlab*"))
	for _, path := range list {
		pid := regexp.MustCompile(`^natlab(\d+)x`).FindStringSubmatch(filepath.Base(path))
		if pid == nil {
			continue
		}
		if _, err := os.Stat("/proc/" + pid[1]); errors.Is(err, fs.ErrNotExist) {
			_ = exec.Command("ip", "netns", "del", filepath.Base(path)).Run()
		}
	}
}

// newSpace makes a namespace, which goes when the test ends.
func (n *Internet) newSpace(name string) string {
	n.t.Helper()
	space := n.name + "-" + name
	n.run("netns add " + space)
	n.drop(space)
	n.sysctl(space, "ipv6/conf/default/accept_dad", "0")
	n.sysctl(space, "ipv6/conf/all/accept_dad", "0")
	n.ip("-n " + space + " link set lo up")
	return space
}

func (n *Internet) drop(space string) {
	n.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
}

func (n *Internet) forwards(space string) {
	n.t.Helper()
	for _, key := range []string{"ipv6/conf/default/accept_dad", "ipv6/conf/all/accept_dad"} {
		n.sysctl(space, key, "0")
	}
	n.sysctl(space, "ipv4/ip_forward", "1")
	n.sysctl(space, "ipv6/conf/all/forwarding", "1")
	// Where the kernel would show frames of a bridge to the rules for packets, it is
	// told not to: machines of one home talk past their router.
	for _, key := range []string{"bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables"} {
		if _, err := os.Stat("/proc/sys/net/" + key); err == nil {
			n.sysctl(space, key, "0")
		}
	}
}

// ip runs lines of iproute2. Each is a process of its own: a batch cannot change
// the namespace between its lines.
func (n *Internet) ip(lines ...string) {
	n.t.Helper()
	for _, l := range lines {
		n.run(l)
	}
}

func (n *Internet) run(line string) {
	n.t.Helper()
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

func (n *Internet) nft(space, rules string) {
	n.t.Helper()
	if err := in(space, func() error { return feed(rules, "nft", "-f", "-") }); err != nil {
		n.t.Fatalf("%v, of the rules\n%s", err, rules)
	}
}

func (n *Internet) sysctl(space, key, value string) {
	n.t.Helper()
	err := in(space, func() error { return os.WriteFile("/proc/sys/net/"+key, []byte(value), 0) })
	if err != nil {
		n.t.Fatalf("sysctl %s in %s: %v", key, space, err)
	}
}

// feed runs a command with text on its standard input.
func feed(text string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Stdin = strings.NewReader(text)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// in calls f on a thread in a namespace: sockets that f opens and programs that it
// starts are there. Goroutines that f starts are not.
func in(space string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		file, err := os.Open(filepath.Join(spaces, space))
		if err != nil {
			done <- err
			return
		}
		defer file.Close()
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter %s: %w", space, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// A site is what has public addresses: a cable between dev in a namespace and port
// in that of the Internet.
type site struct {
	net       *Internet
	space     string
	dev, port string
	number    int
	addresses int // it has had
	six       bool
	wide      bool // all of 11.N.0.0/16 is its
}

// plug connects a namespace with the Internet.
func (n *Internet) plug(space, dev string, six bool) *site {
	n.t.Helper()
	n.sites++
	s := &site{net: n, space: space, dev: dev, port: "site" + strconv.Itoa(n.sites), number: n.sites, six: six}
	n.ip("link add " + dev + " netns " + space + " type veth peer name " + s.port + " netns " + n.space)
	n.ip("-n " + space + " link set " + dev + " up")
	n.ip("-n " + n.space + " link set " + s.port + " up")
	s.renumber()
	return s
}

func (s *site) address() string { return fmt.Sprintf("11.%d.%d.10", s.number, s.addresses) }

// prefix is what the site's IPv6 addresses begin with, 64 bits.
func (s *site) prefix() string { return fmt.Sprintf("2a02:%x:%x:1:", 0x100+s.number, s.addresses) }

// renumber gives the site another address and takes the one it had.
func (s *site) renumber() {
	s.net.t.Helper()
	at := "-n " + s.space + " "
	s.net.ip(at + "-4 addr flush dev " + s.dev)
	s.cut()
	s.addresses++
	s.net.ip(at + "addr add " + s.address() + "/32 dev " + s.dev)
	if s.six {
		s.net.ip(at + "-6 addr flush dev " + s.dev + " scope link")
		s.net.ip(at + "addr add fe80::2/64 nodad dev " + s.dev)
	}
	s.heal()
}

func (s *site) cut() { s.net.ip("-n " + s.net.space + " link set " + s.port + " down") }

// heal plugs the cable in; the routes over it went when it was cut.
func (s *site) heal() {
	s.net.t.Helper()
	far, at := "-n "+s.net.space+" ", "-n "+s.space+" "
	s.net.ip(far+"link set "+s.port+" up",
		far+"route replace "+s.address()+"/32 dev "+s.port,
		at+"route replace default via 11.0.0.1 dev "+s.dev+" onlink")
	if s.wide {
		s.net.ip(far + fmt.Sprintf("route replace 11.%d.0.0/16 dev %s", s.number, s.port))
	}
	if s.six {
		s.net.ip(far+"-6 addr flush dev "+s.port, far+"addr add fe80::1/64 nodad dev "+s.port,
			far+"-6 route replace "+s.prefix()+":/64 via fe80::2 dev "+s.port,
			at+"-6 route replace default via fe80::1 dev "+s.dev)
	}
}
