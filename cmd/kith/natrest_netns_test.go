//go:build linux

package main

import (
	"cmp"
	"os"
	"testing"
	"time"

	"kith/internal/natlab"
)

// TestHomesRest counts what passes the cables of two homes at rest in which all is on: a friend who is
// connected and one who is off, the DHT, a mailbox, and a router that maps ports. REST=10m for how long,
// SETTLE=30m for how long after the one went off.
// It prints figures and fails at none.
func TestHomesRest(t *testing.T) {
	text := os.Getenv("REST")
	if text == "" {
		t.Skip("it measures for minutes: REST=10m plays it")
	}
	rest, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	before, err := time.ParseDuration(cmp.Or(os.Getenv("SETTLE"), "1m"))
	if err != nil {
		t.Fatal(err)
	}
	n := natlab.New(t)
	d := newDHT(t, n, dhtNodes, 0)
	ra := n.Router("ra", usual)
	lets(t, ra)
	box, b := n.Host("box"), n.Router("rb", usual).Home("ben")
	address := serveMailbox(t, box)
	ann, ben := at(t, "Ann", ra.Home("ann"), d.seeds()...), at(t, "Ben", b, d.seeds()...)
	ann.shows("Your router lets others in")
	cleo := at(t, "Cleo", n.Host("cleo"), d.seeds()...)
	cleo.befriend(ann)
	ben.befriend(ann)
	ann.kith("mailbox", "add", address)
	ann.shows("keeps what waits for whoever is off")
	cleo.off()
	settle := time.NewTimer(before)
	defer settle.Stop()
	<-settle.C
	taps := map[string]*natlab.Capture{
		"Ann's home, with what is said to the router": ra.Capture("lan"), "Ann's home, to the Internet": ra.Capture("wan"),
		"the DHT, both homes": d.host.Capture(), "the mailbox": box.Capture(),
	}
	over := time.NewTimer(rest)
	defer over.Stop()
	<-over.C
	for where, c := range taps {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		frames, size := c.Size()
		t.Logf("%-45s %4d packets, %7d bytes in %v: %6.0f kB/h\n%s", where, frames, size, rest, float64(size)/1000/rest.Hours(), c.Kinds())
	}
}
