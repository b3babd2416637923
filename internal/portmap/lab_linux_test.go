package portmap_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/portmap"
)

// A lab is a home behind a router of its own, each a network namespace:
//
//	home 192.168.7.2 -- 192.168.7.1 router 1.2.3.1 -- 1.2.3.9 the Internet
//
// The router is miniupnpd, which many real ones run, with nftables.
type lab struct {
	t    *testing.T
	name string
	dir  string
	daemon,
	mapper *exec.Cmd
	ask    io.WriteCloser
	began  time.Time // of the router
	states chan portmap.State
	now    portmap.State
	wg     sync.WaitGroup
}

// The port of the home's program.
const port = 4001

// labs counts them, so that all have other names.
var labs atomic.Int64

// newLab makes the namespaces, or skips where it cannot. wan is the router's
// external address, in a network with the Internet at .9.
func newLab(t *testing.T, wan string) *lab {
	t.Helper()
	for _, tool := range []string{"ip", "nft", "miniupnpd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no real router here: %s is not installed", tool)
		}
	}
	t.Parallel()
	l := &lab{t: t, name: fmt.Sprintf("kpm%d-%d", os.Getpid(), labs.Add(1)), dir: t.TempDir()}
	for _, space := range []string{"home", "router", "internet"} {
		if out, err := exec.Command("ip", "netns", "add", l.space(space)).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here (needs root): %s", out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", l.space(space)).Run() })
		if out, err := exec.Command("ip", "-n", l.space(space), "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here (they can be made and not entered): %s", out)
		}
	}
	t.Cleanup(l.stop)
	beyond := wan[:strings.LastIndex(wan, ".")] + ".9"
	l.cable("home", "router", "eth0", "lan")
	l.cable("router", "internet", "wan", "eth0")
	l.in("home", "ip", "addr", "add", "192.168.7.2/24", "dev", "eth0")
	l.in("router", "ip", "addr", "add", "192.168.7.1/24", "dev", "lan")
	l.in("router", "ip", "addr", "add", wan+"/24", "dev", "wan")
	l.in("internet", "ip", "addr", "add", beyond+"/24", "dev", "eth0")
	l.in("home", "ip", "route", "add", "default", "via", "192.168.7.1")
	l.in("router", "ip", "route", "add", "default", "via", beyond)
	// The same in IPv6, without translation.
	l.in("home", "ip", "addr", "add", "2a00:7::2/64", "dev", "eth0", "nodad")
	l.in("router", "ip", "addr", "add", "2a00:7::1/64", "dev", "lan", "nodad")
	l.in("router", "ip", "addr", "add", "2a00:9::1/64", "dev", "wan", "nodad")
	l.in("internet", "ip", "addr", "add", "2a00:9::9/64", "dev", "eth0", "nodad")
	l.in("home", "ip", "route", "add", "default", "via", "2a00:7::1")
	l.in("internet", "ip", "route", "add", "2a00:7::/64", "via", "2a00:9::1")
	l.in("router", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	l.rules(`
table inet filter {
	chain early { type filter hook input priority -10; policy accept; }
	chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname "lan" accept
		icmpv6 type { echo-request, packet-too-big } accept
		jump miniupnpd
	}
	chain miniupnpd { }
	chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
	chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname "wan" meta nfproto ipv4 masquerade; }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
}`)
	return l
}

func (l *lab) space(name string) string { return l.name + "-" + name }

// in runs a command in a namespace.
func (l *lab) in(space string, args ...string) string {
	l.t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", l.space(space)}, args...)...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s: %v: %v: %s", space, args, err, out)
	}
	return string(out)
}

func (l *lab) cable(a, b, nameA, nameB string) {
	l.t.Helper()
	l.in(a, "ip", "link", "add", nameA, "type", "veth", "peer", "name", nameB, "netns", l.space(b))
	l.in(a, "ip", "link", "set", nameA, "up")
	l.in(b, "ip", "link", "set", nameB, "up")
}

// rules loads nftables rules at the router.
func (l *lab) rules(text string) {
	l.t.Helper()
	file := filepath.Join(l.dir, "rules.nft")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.in("router", "nft", "-f", file)
}

// ways lets the router hear only these.
func (l *lab) ways(list ...portmap.Way) {
	l.t.Helper()
	text := "flush chain inet filter early\n"
	drop := map[portmap.Way]string{
		portmap.PCP:    "udp dport 5351 @th,64,8 2 drop",
		portmap.NATPMP: "udp dport 5351 @th,64,8 0 drop",
		portmap.UPnP:   "udp dport 1900 drop",
	}
	for _, w := range list {
		delete(drop, w)
	}
	for _, rule := range drop {
		text += "add rule inet filter early " + rule + "\n"
	}
	l.rules(text)
}

// router starts miniupnpd, with these settings besides.
func (l *lab) router(settings ...string) {
	l.t.Helper()
	conf := strings.Join(append([]string{
		"ext_ifname=wan", "ext_ifname6=wan", "listening_ip=lan", "http_port=0", "enable_natpmp=yes", "enable_upnp=yes",
		"secure_mode=yes", "system_uptime=no", "uuid=5d8ffd34-3b5c-4a73-9d7a-9a3c0b3f1f11", "min_lifetime=3", "notify_interval=900",
		"upnp_table_name=filter", "upnp_nat_table_name=filter",
	}, settings...), "\n") + "\n"
	if !strings.Contains(conf, "\ndeny ") {
		conf += "allow 1024-65535 192.168.7.0/24 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n"
	}
	file := filepath.Join(l.dir, "miniupnpd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		l.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(l.dir, "miniupnpd.log"))
	if err != nil {
		l.t.Fatal(err)
	}
	defer log.Close()
	l.daemon = exec.Command("ip", "netns", "exec", l.space("router"), "miniupnpd", "-d", "-f", file, "-P", filepath.Join(l.dir, "pid"))
	l.daemon.Stdout, l.daemon.Stderr = log, log
	if err := l.daemon.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.began = time.Now()
	l.until("the router listens", func() bool {
		return strings.Contains(l.in("router", "ss", "-lunp"), ":5351")
	})
}

// other lets another machine at home have our port, by UPnP.
func (l *lab) other() {
	l.t.Helper()
	own, _ := os.Executable()
	cmd := exec.Command("ip", "netns", "exec", l.space("home"), own)
	cmd.Env = append(os.Environ(), "PORTMAP_OTHER=192.168.7.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("the other machine: %v: %s", err, out)
	}
}

// routerDies ends miniupnpd, and with it all that it knows.
func (l *lab) routerDies() {
	l.t.Helper()
	if l.daemon == nil {
		return
	}
	_ = l.daemon.Process.Kill()
	_ = l.daemon.Wait()
	l.daemon = nil
	l.rules("flush chain inet filter miniupnpd\nflush chain inet filter prerouting_miniupnpd\nflush chain inet filter postrouting_miniupnpd")
}

// open starts a mapper at home, in a process of its own that echoes what comes to
// its port.
func (l *lab) open(lease, least time.Duration) {
	l.t.Helper()
	l.mapper = exec.Command("ip", "netns", "exec", l.space("home"), "/proc/self/exe")
	own, err := os.Executable()
	if err != nil {
		l.t.Fatal(err)
	}
	l.mapper.Args[len(l.mapper.Args)-1] = own
	l.mapper.Env = append(os.Environ(), fmt.Sprintf("PORTMAP_AT_HOME=%d %d", lease.Milliseconds(), least.Milliseconds()))
	l.mapper.Stderr = os.Stderr
	out, err := l.mapper.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if l.ask, err = l.mapper.StdinPipe(); err != nil {
		l.t.Fatal(err)
	}
	if err := l.mapper.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.states = make(chan portmap.State)
	states := l.states
	l.wg.Go(func() {
		defer close(states)
		for s := bufio.NewScanner(out); s.Scan(); {
			var state portmap.State
			if json.Unmarshal(s.Bytes(), &state) != nil {
				fmt.Fprintf(os.Stderr, "at home: %s\n", s.Text())
				continue
			}
			states <- state
		}
	})
}

// kick tells the mapper that the network is another.
func (l *lab) kick() { fmt.Fprintln(l.ask, "kick") }

// close ends the mapper, which takes its mappings back.
func (l *lab) close() {
	l.t.Helper()
	if l.mapper == nil {
		return
	}
	_ = l.ask.Close()
	for range l.states {
	}
	l.wg.Wait()
	if err := l.mapper.Wait(); err != nil {
		l.t.Errorf("at home: %v", err)
	}
	l.mapper = nil
}

// crash ends the mapper as a cut of power does.
func (l *lab) crash() {
	_ = l.mapper.Process.Kill()
	for range l.states {
	}
	l.wg.Wait()
	_ = l.mapper.Wait()
	l.mapper = nil
}

func (l *lab) stop() {
	if l.mapper != nil {
		l.crash()
	}
	if l.daemon != nil {
		_ = l.daemon.Process.Kill()
		_ = l.daemon.Wait()
	}
	if l.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(l.dir, "miniupnpd.log"))
		log = log[max(0, len(log)-4000):]
		l.t.Logf("the router says:\n%s", log)
	}
}

// wait reads states until one is as it should be.
func (l *lab) wait(what string, is func(portmap.State) bool) portmap.State {
	l.t.Helper()
	end := time.NewTimer(20 * time.Second)
	defer end.Stop()
	for {
		select {
		case s, ok := <-l.states:
			if !ok {
				l.t.Fatalf("waiting for %s: the mapper ended", what)
			}
			l.now = s
			if is(s) {
				return s
			}
		case <-end.C:
			l.t.Fatalf("waited in vain for %s; the last state: %+v", what, l.now)
		}
	}
}

func (l *lab) until(what string, is func() bool) {
	l.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// reaches reports whether a packet from the Internet comes to the home's program
// and its answer back.
func (l *lab) reaches(network, to string) bool {
	l.t.Helper()
	own, _ := os.Executable()
	cmd := exec.Command("ip", "netns", "exec", l.space("internet"), own)
	cmd.Env = append(os.Environ(), "PORTMAP_FROM_OUTSIDE="+network+" "+to)
	return cmd.Run() == nil
}

// TestMain runs this program as one end of a lab, if it is told to.
func TestMain(m *testing.M) {
	if text := os.Getenv("PORTMAP_AT_HOME"); text != "" {
		atHome(text)
		return
	}
	if text := os.Getenv("PORTMAP_OTHER"); text != "" {
		other(netip.MustParseAddr(text))
		return
	}
	if text := os.Getenv("PORTMAP_FROM_OUTSIDE"); text != "" {
		network, to, _ := strings.Cut(text, " ")
		os.Exit(fromOutside(network, to))
	}
	os.Exit(m.Run())
}

// atHome runs a Mapper until standard input ends, and prints its states.
func atHome(text string) {
	var lease, least int
	if _, err := fmt.Sscan(text, &lease, &least); err != nil {
		panic(err)
	}
	at := fmt.Sprintf(":%d", port)
	stream, err := net.Listen("tcp", at)
	if err != nil {
		panic(err)
	}
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		panic(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for b := make([]byte, 100); ; {
			n, from, err := packets.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(b[:n], from)
		}
	})
	wg.Go(func() {
		for {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(conn, conn, 5)
			_ = conn.Close()
		}
	})

	const milli = time.Millisecond
	m := portmap.OpenFast(portmap.Config{Port: port, Nonce: [12]byte{1, 2, 3}}, time.Duration(lease)*milli, time.Duration(least)*milli, 500*milli, 3500*milli)
	quit := make(chan struct{})
	wg.Go(func() {
		for {
			_ = json.NewEncoder(os.Stdout).Encode(m.State())
			select {
			case <-m.Changed():
			case <-quit:
				return
			}
		}
	})
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		before := m.State().IPv4.Until
		m.Kick()
		for end := time.Now().Add(5 * time.Second); m.State().IPv4.Until.Equal(before) && time.Now().Before(end); {
			<-time.After(milli)
		}
		_ = json.NewEncoder(os.Stdout).Encode(m.State())
	}
	_ = m.Close()
	close(quit)
	_ = stream.Close()
	_ = packets.Close()
	wg.Wait()
}

// fromOutside is 0 if an echo comes back.
func fromOutside(network, to string) int {
	conn, err := net.DialTimeout(network, to, time.Second)
	if err != nil {
		return 1
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	b := make([]byte, 5)
	if _, err := conn.Write([]byte("hello")); err != nil {
		return 1
	}
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "hello" {
		return 1
	}
	return 0
}

// other maps our port for another address of the home, and leaves it so.
func other(from netip.Addr) {
	route := func(six bool) (portmap.Route, error) {
		if six {
			return portmap.Route{}, errors.New("IPv4 only")
		}
		return portmap.Route{Gateway: netip.MustParseAddr("192.168.7.1"), Local: from, Device: "eth0"}, nil
	}
	m := portmap.Open(portmap.Config{Port: port, Route: route})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		select {
		case <-m.Changed():
		case <-time.After(time.Second):
		}
		if m.State().IPv4.UDP.IsValid() && m.State().IPv4.TCP.IsValid() {
			os.Exit(0) // without Close: it stays
		}
	}
	fmt.Printf("%+v\n", m.State())
	os.Exit(1)
}

// carried is what has gone over the cable of the home, in bytes, both ways.
func (l *lab) carried() int {
	l.t.Helper()
	sum := 0
	for _, way := range []string{"rx", "tx"} {
		n, err := strconv.Atoi(strings.TrimSpace(l.in("home", "cat", "/sys/class/net/eth0/statistics/"+way+"_bytes")))
		if err != nil {
			l.t.Fatal(err)
		}
		sum += n
	}
	return sum
}
