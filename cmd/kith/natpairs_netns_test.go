//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"kith/internal/natlab"
)

// natEnv, if set, has every pair of routers meet, not a share.
const natEnv = "KITH_NAT"

// parts says which parts of the program a story may count on; a story that needs
// one that is not built is skipped.
var parts = map[string]bool{
	"punching":   false,
	"relay":      false,
	"rendezvous": false,
	"443":        false, // something that a network with an inspected port 443 lets out
}

// needs skips a story whose parts are not built.
func needs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if built, ok := parts[name]; !ok {
			t.Fatalf("there is no part %q", name)
		} else if !built {
			t.Skipf("not built yet: %s", name)
		}
	}
}

// at makes a person of a machine; what is run is told to the program.
func at(t *testing.T, name string, h *natlab.Host, run ...string) *person {
	t.Helper()
	p := &person{
		t: t, name: name, program: kithHere(t), home: filepath.Join(t.TempDir(), name),
		run: append([]string{"--verbose"}, run...), through: h.Through(),
	}
	t.Cleanup(p.off)
	p.kith("init", "--name", name)
	p.on()
	return p
}

// introduce lets two people who may not reach each other meet in a group of
// somebody whom both reach.
func introduce(title string, by *person, people ...*person) {
	by.t.Helper()
	args := []string{"group", "create", title}
	for _, p := range people {
		p.befriend(by)
		args = append(args, p.name)
	}
	by.kith(args...)
	for _, p := range people {
		p.until(title, "group", "list")
		p.kith("group", "accept", title)
	}
	for _, p := range append(people, by) {
		p.until(fmt.Sprintf(`("accepted":true.*){%d}`, len(people)+1), "group", "show", title, "--json")
	}
}

// tells lets one send a text in a chat and the others see it; a chat of two has
// the name of the other one.
func (p *person) tells(chat, text string, others ...*person) time.Duration {
	p.t.Helper()
	began := time.Now()
	p.kith("send", chat, text)
	for _, o := range others {
		theirs := chat
		if chat == o.name {
			theirs = p.name
		}
		o.until(text, "tail", theirs)
	}
	return time.Since(began)
}

// identity is what whoami tells.
func (p *person) identity() (id identityLine) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.kith("whoami", "--json")), &id); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// meets waits until a sees b as connected with it, and says how long that took;
// it gives up after limit.
func (p *person) meets(chat string, o *person, limit time.Duration) (time.Duration, bool) {
	p.t.Helper()
	here := regexp.MustCompile(o.name + ` +\w+, here now`)
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ; time.Since(began) < limit; <-tick.C {
		if here.MatchString(p.kith("group", "show", chat)) {
			return time.Since(began), true
		}
	}
	return limit, false
}

// A way is how two people are connected.
type way string

const (
	nobody  way = "not reached"
	direct  way = "direct"
	punched way = "punched"
	relayed way = "relay"
)

// way is what the log of a program that has ended says of its last link with
// another device.
func (p *person) way(device string) way {
	found := regexp.MustCompile(`msg=connected peer=`+device[:8]+`\w* kind=(\S+)`).FindAllStringSubmatch(p.err.String(), -1)
	if len(found) == 0 {
		return nobody
	}
	switch kind := found[len(found)-1][1]; kind {
	case "quic", "tcp", "lan":
		return direct
	default:
		return way(kind)
	}
}

// The routers of the table, from the easiest.
var routers = []struct {
	name string
	cfg  natlab.RouterConfig
}{
	{"IPv6", natlab.RouterConfig{IPv6: true}},
	{"full cone", natlab.RouterConfig{NAT: natlab.FullCone}},
	{"address-restricted", natlab.RouterConfig{NAT: natlab.AddressRestricted}},
	{"port-restricted", natlab.RouterConfig{NAT: natlab.PortRestricted}},
	{"symmetric", natlab.RouterConfig{NAT: natlab.Symmetric}},
	{"carrier", natlab.RouterConfig{}}, // a usual home behind a provider's router
	{"no UDP", natlab.RouterConfig{Firewall: natlab.NoUDP}},
	{"443 alone", natlab.RouterConfig{Firewall: natlab.Only443}},
}

// expected is how a pair meets, by the names of its routers in the order of the
// table; a pair that is not here does not meet.
var expected = map[[2]string]way{
	{"IPv6", "IPv6"}: direct,
}

// share are the pairs of make test.
var share = [][2]string{{"IPv6", "IPv6"}, {"full cone", "symmetric"}, {"port-restricted", "port-restricted"}}

// unreached is how long a pair that is not expected to meet is watched.
const unreached = 3 * time.Second

// TestPairs: two homes behind routers of every kind, introduced by a common
// friend with a public address. Prints which meet, how, and how long it took from
// being introduced.
func TestPairs(t *testing.T) {
	natlab.New(t) // or skips
	for i, a := range routers {
		for _, b := range routers[i:] {
			names := [2]string{a.name, b.name}
			if os.Getenv(natEnv) == "" && !slices.Contains(share, names) {
				continue
			}
			t.Run(a.name+" and "+b.name, func(t *testing.T) { pair(t, names, a.cfg, b.cfg) })
		}
	}
	if os.Getenv(natEnv) == "" {
		t.Logf("%d pairs of routers; %s=all has all of them meet", len(share), natEnv)
	}
}

func pair(t *testing.T, names [2]string, a, b natlab.RouterConfig) {
	want := nobody
	if w, ok := expected[names]; ok {
		want = w
	}
	n := natlab.New(t)
	home := func(side string, name string, cfg natlab.RouterConfig) *natlab.Host {
		if name == "carrier" {
			return n.Router("carrier"+side, natlab.RouterConfig{LAN: "100.64.7.0"}).Behind("router"+side, cfg).Home(side)
		}
		return n.Router("router"+side, cfg).Home(side)
	}
	cleo := at(t, "Cleo", n.Host("cleo"), "--listen", ":443")
	ann, ben := at(t, "Ann", home("a", names[0], a)), at(t, "Ben", home("b", names[1], b))
	introduce("Trip", cleo, ann, ben)
	limit := personDeadline
	if want == nobody {
		limit = unreached
	}
	took, met := ann.meets("Trip", ben, limit)
	if met {
		_, met = ben.meets("Trip", ann, limit)
	}
	spoke := ann.tells("Trip", "good morning", ben) + ben.tells("Trip", "good evening", ann)
	device := ben.identity().DeviceID
	ann.off()
	ben.off()
	got := nobody
	if met {
		got = ann.way(device)
	}
	t.Logf("%-20s %-20s %-12s %5.1f s, two messages %.2f s", names[0], names[1], got, took.Seconds(), spoke.Seconds())
	if got != want {
		t.Errorf("%s and %s: %s, want %s", names[0], names[1], got, want)
	}
}
