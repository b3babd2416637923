//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"golang.org/x/time/rate"
)

// An Internet of namespaces: homes behind routers of their own, and a DHT of a library that
// has nothing to do with ours. Its addresses look public; nothing leaves the machine that tests.

// A nat is what a home's router does with UDP (RFC 4787; the old names of RFC 3489 in the
// comments). All of them drop what nobody inside has asked for.
type nat string

const (
	natFull       nat = "full cone"       // whoever sends to the port that the router shows is let in
	natAddress    nat = "restricted cone" // whoever was sent something, from any port of theirs
	natPort       nat = "port-restricted" // the same, from that port alone: what Linux does
	natSymmetric  nat = "symmetric"       // and each destination sees another port
	natEverything nat = "no NAT"          // a machine with an address of its own
)

// homePort is where programs behind routers listen.
const homePort = 4001

// An internet is a switch with homes and a DHT.
type internet struct {
	*lab
	homes int
	seeds []string // of the DHT, HOST:PORT
}

// newInternet makes it with so many nodes of the DHT.
func newInternet(t *testing.T, nodes int) *internet {
	t.Helper()
	l := newLab(t)
	if out, err := exec.Command("ip", "netns", "exec", l.name+"-switch", "nft", "list", "ruleset").CombinedOutput(); err != nil {
		t.Skipf("no routers here (needs the package nftables): %s", out)
	}
	n := &internet{lab: l}
	if nodes > 0 {
		n.startDHT(nodes)
	}
	return n
}

// plug makes a namespace with a cable to the switch.
func (n *internet) plug(space, cable, address string) {
	n.t.Helper()
	n.ip("netns", "add", space)
	n.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
	n.ip("link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", cable, "netns", n.name+"-switch")
	n.ip("-n", n.name+"-switch", "link", "set", cable, "master", "bridge", "up")
	n.ip("-n", space, "link", "set", "lo", "up")
	n.ip("-n", space, "link", "set", "eth0", "up")
	n.ip("-n", space, "addr", "add", address+"/8", "dev", "eth0")
}

// startDHT runs the nodes of the DHT, each in a network of its own.
func (n *internet) startDHT(nodes int) {
	n.t.Helper()
	space := n.name + "-dht"
	n.plug(space, "dht", "11.200.0.1")
	var list []string
	for i := range nodes {
		at := fmt.Sprintf("11.200.%d.9", i+1)
		n.ip("-n", space, "addr", "add", at+"/32", "dev", "eth0")
		list = append(list, at+":6881")
	}
	self, err := os.Executable()
	if err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.Command("ip", append([]string{"netns", "exec", space, self}, list...)...)
	cmd.Env = append(os.Environ(), "KITH_TEST_DHT=1")
	ready, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		n.t.Fatalf("the DHT did not start: %v", err)
	}
	n.seeds = list[:min(len(list), 3)]
}

// insteadOfTests runs the DHT, if that is what this process is started for.
func insteadOfTests() bool {
	if os.Getenv("KITH_TEST_DHT") == "" {
		return false
	}
	if err := runDHT(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// runDHT is what the test binary does in place of tests, if it is told to.
func runDHT(list []string) error {
	var nodes []*dht.Server
	for _, at := range list {
		conn, err := net.ListenPacket("udp4", at)
		if err != nil {
			return err
		}
		c := dht.NewDefaultServerConfig()
		c.Conn = conn
		c.StartingNodes = func() ([]dht.Addr, error) { return nil, nil }
		c.SendLimiter = rate.NewLimiter(rate.Inf, 1)
		c.OnQuery = func(q *krpc.Msg, _ net.Addr) bool {
			if q.A != nil && q.A.InfoHash == (krpc.ID{}) {
				q.A.InfoHash = q.A.Target // the library looks near the info hash, whatever is asked
			}
			return true
		}
		s, err := dht.NewServer(c)
		if err != nil {
			return err
		}
		nodes = append(nodes, s)
	}
	var wait sync.WaitGroup
	for i, s := range nodes {
		wait.Go(func() {
			for _, j := range rand.Perm(len(list)) {
				if i != j {
					s.Ping(net.UDPAddrFromAddrPort(netip.MustParseAddrPort(list[j])))
				}
			}
		})
	}
	wait.Wait()
	fmt.Println("ready")
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
	return nil
}

// home makes a machine behind a router of its own, or with an address of its own.
func (n *internet) home(name string, kind nat) *machine {
	n.t.Helper()
	n.homes++
	space := n.name + "-" + name
	outside := fmt.Sprintf("11.%d.7.7", n.homes)
	m := &machine{lab: n.lab, person: &person{
		t: n.t, name: name, program: kithHere(n.t), home: filepath.Join(n.t.TempDir(), name),
		run: []string{"--verbose", "--listen", fmt.Sprintf(":%d", homePort), "--bootstrap", strings.Join(n.seeds, ",")}, through: []string{"ip", "netns", "exec", space},
	}}
	if kind == natEverything {
		n.plug(space, name, outside)
	} else {
		n.router(name, outside, kind)
		n.ip("netns", "add", space)
		n.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", space).Run() })
		n.ip("link", "add", "eth0", "netns", space, "type", "veth", "peer", "name", "in", "netns", n.routerOf(name))
		n.ip("-n", n.routerOf(name), "link", "set", "in", "up")
		n.ip("-n", n.routerOf(name), "addr", "add", "192.168.1.1/24", "dev", "in")
		n.ip("-n", space, "link", "set", "lo", "up")
		n.ip("-n", space, "link", "set", "eth0", "up")
		n.ip("-n", space, "addr", "add", "192.168.1.2/24", "dev", "eth0")
		n.ip("-n", space, "route", "add", "default", "via", "192.168.1.1")
	}
	n.t.Cleanup(m.off)
	m.kith("init", "--name", name)
	return m
}

func (n *internet) routerOf(name string) string { return n.name + "-" + name + "-r" }

// router makes the router of a home.
func (n *internet) router(name, outside string, kind nat) {
	n.t.Helper()
	space := n.routerOf(name)
	n.plug(space, name, outside)
	if out, err := exec.Command("ip", "netns", "exec", space, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward").CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %s", space, out)
	}
	cmd := exec.Command("ip", "netns", "exec", space, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules(kind))
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("nft: %v: %s", err, out)
	}
}

// rules are those of a router. Linux shows all the port of the socket as it is where that is
// free, and lets in who was sent something from where it was sent to. What is more open is so
// for homePort alone, which no other program of the home shows.
func rules(kind nat) string {
	masquerade, open, note := "masquerade", "", ""
	switch kind {
	case natSymmetric:
		masquerade = "masquerade fully-random"
	case natFull:
		open = fmt.Sprintf(`iifname eth0 udp dport %d dnat to 192.168.1.2`, homePort)
	case natAddress:
		open = fmt.Sprintf(`iifname eth0 udp dport %d ip saddr @sent dnat to 192.168.1.2`, homePort)
		note = fmt.Sprintf(`oifname eth0 udp sport %d update @sent { ip daddr }`, homePort)
	}
	return fmt.Sprintf(`
table ip home {
	set sent { type ipv4_addr; flags dynamic,timeout; timeout 60s; }
	chain out { type nat hook postrouting priority srcnat; oifname eth0 %s; }
	chain in { type nat hook prerouting priority dstnat; %s; }
	chain seen { type filter hook forward priority -10; %s; }
	chain through {
		type filter hook forward priority 0; policy drop;
		iifname in accept
		ct state established,related accept
		ct status dnat accept
	}
	chain self { type filter hook input priority 0; policy drop; iifname lo accept; iifname in accept; ct state established,related accept; }
}
`, masquerade, open, note)
}
