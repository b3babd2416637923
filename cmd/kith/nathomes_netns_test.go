//go:build linux

package main

import (
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// TestHomesNight: the providers of both give them other addresses while they
// chat; they go on, by way of a common member.
func TestHomesNight(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	ra, rb := n.Router("ra", natlab.RouterConfig{}), n.Router("rb", natlab.RouterConfig{IPv6: true})
	cleo := at(t, "Cleo", n.Host("cleo"))
	ann, ben := at(t, "Ann", ra.Home("ann")), at(t, "Ben", rb.Home("ben"))
	introduce("Trip", cleo, ann, ben)
	took(t, "a message between homes", ann.tells("Trip", "good night", ben))
	ra.Renumber()
	rb.Renumber()
	took(t, "a message after a night, both at other addresses", ann.tells("Trip", "good morning", ben))
	took(t, "and back", ben.tells("Trip", "is it late", ann))
}

// TestHomesPowerCut: a router is without power while somebody writes.
func TestHomesPowerCut(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	r := n.Router("ra", natlab.RouterConfig{})
	cleo, ann := at(t, "Cleo", n.Host("cleo")), at(t, "Ann", r.Home("ann"))
	ann.befriend(cleo)
	r.Down()
	ann.kith("send", "Cleo", "it is dark here")
	cleo.kith("send", "Ann", "the whole street is dark")
	if out := cleo.kith("tail", "Ann"); strings.Contains(out, "it is dark here") {
		t.Error("a message came through a router without power")
	}
	r.Up()
	took(t, "what waited for the router", cleo.until("it is dark here", "tail", "Ann"))
	took(t, "and the other way", ann.until("the whole street", "tail", "Cleo"))
	// A router that starts again in a moment: nobody sees the cable go.
	r.Down()
	r.Up()
	took(t, "a message after a short cut", cleo.tells("Ann", "light again", ann))
}

// TestHomesNoUDP: a network that drops UDP.
func TestHomesNoUDP(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	cleo := at(t, "Cleo", n.Host("cleo"))
	ann := at(t, "Ann", n.Router("office", natlab.RouterConfig{Firewall: natlab.NoUDP}).Home("ann"))
	ann.befriend(cleo)
	took(t, "a message out of a network without UDP", ann.tells("Cleo", "from the office", cleo))
	took(t, "and back", cleo.tells("Ann", "hello office", ann))
	if got := ann.kindTo(cleo); got != "tcp" {
		t.Errorf("connected by %q", got)
	}
	ann.off()
	if strings.Contains(ann.err.String(), "kind=quic") {
		t.Error("QUIC came through a network without UDP")
	}
}

// TestHomesHotel: UDP mappings of 30 s do not end a link on which nobody speaks.
func TestHomesHotel(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	const forgets = 30 * time.Second
	hotel := n.Router("hotel", natlab.RouterConfig{NAT: natlab.Symmetric, UDPTimeout: forgets})
	cleo, ann := at(t, "Cleo", n.Host("cleo")), at(t, "Ann", hotel.Home("ann"))
	ann.befriend(cleo)
	quiet := time.NewTimer(forgets + 10*time.Second)
	defer quiet.Stop()
	<-quiet.C
	took(t, "a message into a hotel after silence", cleo.tells("Ann", "are you in your room", ann))
	took(t, "and back", ann.tells("Cleo", "I am", cleo))
	ann.off() // which may end the link before the program
	if links := strings.Count(ann.err.String(), "msg=connected"); links != 1 {
		t.Errorf("%d links: the first one ended while nobody spoke", links)
	}
}

// TestHomesSameRouter: two behind one router that does not send back in what goes
// to its own outside find each other on its inside, without anybody else.
func TestHomesSameRouter(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	r := n.Router("ra", natlab.RouterConfig{})
	ann, ben := at(t, "Ann", r.Home("ann")), at(t, "Ben", r.Home("ben"))
	ben.befriend(ann)
	took(t, "a message in one home", ann.tells("Ben", "dinner is ready", ben))
	out := r.Capture("wan")
	took(t, "and back", ben.tells("Ann", "coming", ann))
	if err := out.Stop(); err != nil {
		t.Fatal(err)
	}
	_, bytes := out.Size()
	t.Logf("%d bytes left the home meanwhile", bytes)
}

// TestHomesMove: somebody takes a laptop from one home to another.
func TestHomesMove(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	cleo := at(t, "Cleo", n.Host("cleo"))
	h := n.Router("ra", natlab.RouterConfig{}).Home("ann")
	ann := at(t, "Ann", h)
	ann.befriend(cleo)
	ann.tells("Cleo", "leaving", cleo)
	h.Move(n.Router("rb", natlab.RouterConfig{NAT: natlab.Symmetric, LAN: "10.0.0.0"}))
	took(t, "a message from another home", ann.tells("Cleo", "arrived", cleo))
	took(t, "and back", cleo.tells("Ann", "good", ann))
}
