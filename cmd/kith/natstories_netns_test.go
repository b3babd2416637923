//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// TestTwoHomes follows the lines of the README for two households word for word, but for the link and
// the mailbox's address: two homes behind routers of their own meet by a contact link that names no
// place where the other could be reached.
func TestTwoHomes(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(readme), "## Two households")
	_, part, _ = strings.Cut(part, "```sh\n")
	part, _, _ = strings.Cut(part, "```")
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	ann, ben := at(t, "Ann", n.Router("ra", usual).Home("ann"), d.seeds()...), at(t, "Ben", n.Router("rb", usual).Home("ben"), d.seeds()...)
	box := serveMailbox(t, n.Host("box"))
	began, link, lines := time.Now(), "", 0
	for line := range strings.Lines(part) {
		words, who, ok := strings.Cut(line, "#")
		if !ok {
			t.Fatalf("nobody is told to run %q", line)
		}
		args := strings.Fields(strings.NewReplacer("kith:...", link, "kithbox:...", box).Replace(words))
		p := ann
		if strings.HasPrefix(strings.TrimSpace(who), "Ben") {
			p = ben
		}
		if args[1] == "friend" && args[2] == "accept" {
			ann.until("Ben", "friend", "requests")
			took(t, "from the link to the request", time.Since(began))
		}
		out := p.kith(args[1:]...)
		if found := regexp.MustCompile(`kith:[\w-]+`).FindString(out); found != "" && link == "" {
			link = found
		}
		lines++
	}
	if lines != 5 {
		t.Errorf("the README has %d lines for two households", lines)
	}
	ann.settles(ben, "quic")
	ann.tells("Ben", "Are you there?", ben)
}

// usual is a router as most homes have it.
var usual = natlab.RouterConfig{KeepPorts: true}

// known is after how long friends have told each other by what they find each other: hellos are said at
// most each 2 s.
const known = 6 * time.Second

// twoByDHT are friends behind usual routers who have nobody else, connected by what is in the DHT.
func twoByDHT(t *testing.T, n *natlab.Internet, d *testDHT) (ann, ben *person, ra, rb *natlab.Router) {
	t.Helper()
	ra, rb = n.Router("ra", usual), n.Router("rb", usual)
	ann, ben = at(t, "Ann", ra.Home("ann"), d.seeds()...), at(t, "Ben", rb.Home("ben"), d.seeds()...)
	began := time.Now()
	ben.befriend(ann)
	took(t, "two homes connected by the DHT", time.Since(began))
	evening := time.NewTimer(known)
	defer evening.Stop()
	<-evening.C
	return ann, ben, ra, rb
}

// TestHomesNightAlone: the providers of both give them other addresses while both run, and nobody else
// knows them. They find each other in the DHT, and in the next night again.
func TestHomesNightAlone(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	ann, ben, ra, rb := twoByDHT(t, n, newDHT(t, n, dhtNodes, 0))
	ann.tells("Ben", "good night", ben)
	nights := []string{"good morning", "and another one"}
	if os.Getenv(natEnv) == "" {
		nights = nights[:1]
	}
	for _, text := range nights {
		ra.Renumber()
		rb.Renumber()
		took(t, "a message after a night, both at other addresses", ann.tells("Ben", text, ben))
		took(t, "and back", ben.tells("Ann", "here is "+text, ann))
	}
	if got := ann.kindTo(ben); got != "quic" {
		t.Errorf("connected by %q", got)
	}
}

// TestHomesOldLink: who made a contact link has moved since; it still leads to them.
func TestHomesOldLink(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	ra := n.Router("ra", usual)
	ann := at(t, "Ann", ra.Home("ann"), d.seeds()...)
	link := ann.link()
	ann.off()
	ra.Renumber()
	ann.on()
	ben := at(t, "Ben", n.Router("rb", usual).Home("ben"), d.seeds()...)
	ben.kith("friend", "add", link)
	took(t, "an old link led to who made it", ann.until("Ben", "friend", "requests"))
}

// block has a router drop what goes to the ways into the DHT that people are told.
func (d *testDHT) block(routers ...*natlab.Router) {
	for _, r := range routers {
		for _, at := range d.list[:3] {
			r.Block(at.Addr())
		}
	}
}

// TestHomesBlocked: every host that a new program asks first is blocked. Nodes of the DHT from an
// earlier run suffice.
func TestHomesBlocked(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	ann, ben, ra, rb := twoByDHT(t, n, d)
	ann.off()
	ben.off()
	d.block(ra, rb)
	ra.Renumber()
	rb.Renumber()
	ann.on()
	ben.on()
	took(t, "a message by nodes of an earlier run, the ways in being blocked", ann.tells("Ben", "still here", ben))
}

// TestHomesNamed: the same for somebody whose program never found the DHT: a friend names nodes.
func TestHomesNamed(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	ra, rb := n.Router("ra", usual), n.Router("rb", usual)
	d.block(ra)
	cleo := at(t, "Cleo", n.Host("cleo"), d.seeds()...)
	open := cleo.link() // while it is open she looks in the DHT for whoever may open it
	cleo.until(`"nodes":[1-9]`, "network", "--json")
	ann, ben := at(t, "Ann", ra.Home("ann"), d.seeds()...), at(t, "Ben", rb.Home("ben"), d.seeds()...)
	ann.kith("friend", "add", open)
	cleo.until("Ann", "friend", "requests")
	cleo.kith("friend", "accept", "Ann")
	ann.until("Cleo +friend, here now", "friend", "list")
	began := time.Now()
	ben.kith("friend", "add", ann.link())
	ann.until("Ben", "friend", "requests")
	took(t, "found by nodes that a friend named, the ways in being blocked", time.Since(began))
}

// TestHomesHostileDHT: a third of the DHT's nodes is hostile, and some of these stand right at
// whatever is looked for.
func TestHomesHostileDHT(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	ann, ben, ra, rb := twoByDHT(t, n, newDHT(t, n, 2*dhtNodes/3, dhtNodes/3))
	ra.Renumber()
	rb.Renumber()
	took(t, "a message after a night, a third of the DHT being hostile", ann.tells("Ben", "good morning", ben))
}

// TestHomes443: networks that let out TCP to port 443 alone, and of that only TLS. A friend listens
// there, as TLS.
func TestHomes443(t *testing.T) {
	for _, wall := range []natlab.Firewall{natlab.Only443, natlab.OnlyTLS} {
		t.Run(wall.String(), func(t *testing.T) {
			if wall == natlab.Only443 {
				long(t)
			}
			t.Parallel()
			n := natlab.New(t)
			hotel := n.Router("hotel", natlab.RouterConfig{Firewall: wall})
			cleo, ann := at(t, "Cleo", n.Host("cleo"), "--wss", ":443"), at(t, "Ann", hotel.Home("ann"))
			began := time.Now()
			ann.befriend(cleo)
			took(t, "connected", time.Since(began))
			took(t, "a message as TLS on port 443", ann.tells("Cleo", "they look at everything here", cleo))
			t.Logf("the link is %q", ann.kindTo(cleo))
		})
	}
}

// TestHomesMapped: the router of a home lets its machines say who is let in. Somebody behind the worst
// of routers reaches that home directly.
func TestHomesMapped(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	ra := n.Router("ra", natlab.RouterConfig{})
	lets(t, ra)
	ann := at(t, "Ann", ra.Home("ann"))
	ann.shows("Your router lets others in at " + ra.Outside().String())
	ben := at(t, "Ben", n.Router("rb", natlab.RouterConfig{NAT: natlab.Symmetric}).Home("ben"))
	began := time.Now()
	ben.befriend(ann)
	took(t, "connected with a home whose router lets others in", time.Since(began))
	if got := ben.kindTo(ann); got != "quic" {
		t.Errorf("connected by %q", got)
	}
	ben.tells("Ann", "nice router", ann)
}

// lets runs miniupnpd in a router, as many real ones do.
func lets(t *testing.T, r *natlab.Router) {
	t.Helper()
	if _, err := exec.LookPath("miniupnpd"); err != nil {
		t.Skip("no router that maps ports: the package miniupnpd-nftables is not installed")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "conf")
	err := os.WriteFile(conf, []byte(`ext_ifname=wan
listening_ip=lan
http_port=0
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
notify_interval=900
uuid=5d8ffd34-3b5c-4a73-9d7a-9a3c0b3f1f11
upnp_table_name=upnp
upnp_nat_table_name=upnp
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var cmd *exec.Cmd
	err = r.In(func() error {
		rules := exec.Command("nft", "-f", "-")
		rules.Stdin = strings.NewReader(`table inet upnp {
	chain forward { type filter hook forward priority 5; policy accept; jump miniupnpd; }
	chain miniupnpd { }
	chain prerouting { type nat hook prerouting priority -101; jump prerouting_miniupnpd; }
	chain postrouting { type nat hook postrouting priority 99; jump postrouting_miniupnpd; }
	chain prerouting_miniupnpd { }
	chain postrouting_miniupnpd { }
}`)
		if out, err := rules.CombinedOutput(); err != nil {
			return fmt.Errorf("nft: %w: %s", err, out)
		}
		cmd = exec.Command("miniupnpd", "-d", "-f", conf, "-P", filepath.Join(dir, "pid"))
		return cmd.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}
