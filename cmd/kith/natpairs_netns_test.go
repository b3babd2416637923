//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kith/internal/natlab"
)

// A routerKind is a row of the tables.
type routerKind struct {
	name string
	cfg  natlab.RouterConfig
}

// natRouters are those of the table of pairs with a common friend, from the easiest. They draw ports.
var natRouters = []routerKind{
	{"IPv6", natlab.RouterConfig{IPv6: true}},
	{"full cone", natlab.RouterConfig{NAT: natlab.FullCone}},
	{"address-restricted", natlab.RouterConfig{NAT: natlab.AddressRestricted}},
	{"port-restricted", natlab.RouterConfig{NAT: natlab.PortRestricted}},
	{"symmetric", natlab.RouterConfig{NAT: natlab.Symmetric}},
	{"carrier", natlab.RouterConfig{}}, // a usual home behind a provider's router
	{"no UDP", natlab.RouterConfig{Firewall: natlab.NoUDP}},
	{"443 alone", natlab.RouterConfig{Firewall: natlab.Only443}},
}

// relayed says which pairs stay with the relay: a router that shows each another port, with one that
// lets nobody in but from the port that was written to; and whoever may not send UDP.
func relayed(a, b string) bool {
	strict := []string{"IPv6", "port-restricted", "symmetric", "carrier"}
	silent := []string{"no UDP", "443 alone"}
	return slices.Contains(silent, a) || slices.Contains(silent, b) ||
		a == "symmetric" && slices.Contains(strict, b) || b == "symmetric" && slices.Contains(strict, a)
}

// dhtRouters are those of the table of pairs that have nobody in common. They draw ports.
var dhtRouters = slices.DeleteFunc(slices.Clone(natRouters), func(k routerKind) bool { return k.cfg.Firewall != 0 })

// byDHT says which pairs meet by the DHT alone, where maker made the contact link and asker opens it.
// The asker dials, so the maker's place has to be right: one that a router shows each at another port
// has none. Where the asker has none, the maker's router has to let in whoever dials.
func byDHT(maker, asker string) bool {
	open := []string{"full cone", "address-restricted"}
	return maker != "symmetric" && (asker != "symmetric" || slices.Contains(open, maker))
}

// natShare are the pairs that make test plays.
var natShare = [][2]string{{"port-restricted", "port-restricted"}, {"port-restricted", "symmetric"}}

// dhtShare are those of the others.
var dhtShare = [][2]string{{"carrier", "carrier"}}

// natDeadline bounds what is waited for in namespaces.
const natDeadline = time.Minute

// stays is how long a pair is watched that is expected not to meet, or not directly.
const stays = 12 * time.Second

// A natTable collects what pairs print.
type natTable struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (n *natTable) line(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// pairs plays a share of the pairs, or all, side by side, and prints the table.
func pairs(t *testing.T, kinds []routerKind, share [][2]string, play func(t *testing.T, table *natTable, a, b routerKind)) {
	natlab.New(t) // or skips
	var table natTable
	turns := make(chan struct{}, 4) // most of a pair's time is waiting
	t.Run("pairs", func(t *testing.T) {
		for i, a := range kinds {
			for _, b := range kinds[i:] {
				if os.Getenv(natEnv) == "" && !slices.Contains(share, [2]string{a.name, b.name}) {
					continue
				}
				t.Run(a.name+" and "+b.name, func(t *testing.T) {
					t.Parallel()
					turns <- struct{}{}
					defer func() { <-turns }()
					play(t, &table, a, b)
				})
			}
		}
	})
	slices.Sort(table.lines)
	t.Logf("%d pairs of routers; %s=all has all of them meet\n%s", len(table.lines), natEnv, strings.Join(table.lines, "\n"))
}

// behind makes a home behind a router of a kind.
func behind(n *natlab.Internet, side string, k routerKind) *natlab.Host {
	if k.name == "carrier" {
		return n.Router("carrier"+side, natlab.RouterConfig{LAN: "100.64.7.0"}).Behind("router"+side, k.cfg).Home(side)
	}
	return n.Router("router"+side, k.cfg).Home(side)
}

// TestPairs: two homes behind routers of every kind have a friend in common, who has a public address
// and carries for friends. They are connected through that relay, and directly where their routers let
// them.
func TestPairs(t *testing.T) {
	t.Parallel()
	pairs(t, natRouters, natShare, func(t *testing.T, table *natTable, a, b routerKind) {
		n := natlab.New(t)
		cleo := at(t, "Cleo", n.Host("cleo"), "--listen", ":443")
		ann, ben := at(t, "Ann", behind(n, "a", a)), at(t, "Ben", behind(n, "b", b))
		cleo.kith("relay", "on")
		for _, p := range []*person{ann, ben} {
			p.befriend(cleo)
			p.shows("The relay of Cleo lets others reach you")
		}
		began := time.Now()
		ben.befriend(ann)
		connected := time.Since(began)
		want := "quic"
		if relayed(a.name, b.name) {
			want = relayedKind
		}
		ann.settles(ben, want)
		took := time.Since(began)
		if want == relayedKind {
			if _, other := waits(stays, func() bool { return ann.kindTo(ben) != want }); other {
				t.Errorf("the link became %q", ann.kindTo(ben))
			}
		}
		spoke := ann.tells("Ben", "good morning", ben) + ben.tells("Ann", "good evening", ann)
		table.line("| %s | %s | %s | %.1f s | %.1f s | %.2f s |", a.name, b.name, ann.kindTo(ben), connected.Seconds(), took.Seconds(), spoke.Seconds())
	})
}

const relayedKind = "relay"

// TestPairsByDHT: the same with nobody in common: Ben has a contact link of Ann's, and what both find
// is in the DHT.
func TestPairsByDHT(t *testing.T) {
	t.Parallel()
	pairs(t, dhtRouters, dhtShare, func(t *testing.T, table *natTable, a, b routerKind) {
		n := natlab.New(t)
		d := newDHT(t, n, dhtNodes, 0)
		ann, ben := at(t, "Ann", behind(n, "a", a), d.seeds()...), at(t, "Ben", behind(n, "b", b), d.seeds()...)
		ben.kith("friend", "add", ann.link())
		most := 3 * stays
		if byDHT(a.name, b.name) {
			most = natDeadline
		}
		took, met := waits(most, func() bool { return strings.Contains(ann.kith("friend", "requests"), "Ben") })
		if met != byDHT(a.name, b.name) {
			t.Errorf("%s and %s meet: %v\n%s\n----\n%s", a.name, b.name, met, ann.kith("network"), ben.kith("network"))
		}
		word := "not reached"
		if met {
			ann.kith("friend", "accept", "Ben")
			ben.until("Ann +friend, here now", "friend", "list")
			word = ann.kindTo(ben)
		}
		table.line("| %s | %s | %s | %.1f s |", a.name, b.name, word, took.Seconds())
	})
}
