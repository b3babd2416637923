//go:build linux

package main

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// TestHomesNight: the providers of both give them other addresses while they
// chat; they go on, by way of a common member.
func TestHomesNight(t *testing.T) {
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
	ann.off()
	if strings.Contains(ann.err.String(), "msg=disconnected") {
		t.Error("the link ended while nobody spoke")
	}
}

// TestHomesSameRouter: two behind one router that does not send back in what goes
// to its own outside find each other on its inside, without anybody else.
func TestHomesSameRouter(t *testing.T) {
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

// TestHomesCapture: what passes the router of a home holds no name, title, text,
// person, device or group id, while people become friends, make a group and write.
func TestHomesCapture(t *testing.T) {
	const annName, benName = "Ann Cormorant-Quillfeather", "Ben Marzipan-Underwood"
	needles := map[string][]byte{
		"name": []byte(annName), "other name": []byte(benName),
		"title": []byte("Voyage to Tristan da Cunha"), "text": []byte("the lighthouse keeper sold the marmalade"),
		"reply": []byte("bring seventeen umbrellas and the gramophone"), "between two": []byte("nobody else may know about the walrus"),
	}
	n := natlab.New(t)
	ra, rb := n.Router("ra", natlab.RouterConfig{IPv6: true}), n.Router("rb", natlab.RouterConfig{IPv6: true})
	captures := map[string]*natlab.Capture{"Ann's outside": ra.Capture("wan"), "Ann's inside": ra.Capture("lan"), "Ben's outside": rb.Capture("wan")}
	h := ra.Home("ann")
	cleo, ann, ben := at(t, "Cleo Thistledown-Farthing", n.Host("cleo")), at(t, annName, h), at(t, benName, rb.Home("ben"))
	introduce(string(needles["title"]), cleo, ann, ben)
	title := string(needles["title"])
	ann.settles(ben, "quic")
	ann.tells(title, string(needles["text"]), ben, cleo)
	ben.tells(title, string(needles["reply"]), ann, cleo)
	ann.tells(cleo.name, string(needles["between two"]))
	for name, p := range map[string]*person{"Ann": ann, "Ben": ben, "Cleo": cleo} {
		id := p.identity()
		needles[name+"'s id"], needles[name+"'s device"] = idBytes(t, id.ID), idBytes(t, id.DeviceID)
	}
	needles["group"] = groupID(t, ann, title)
	for _, p := range []*person{ann, ben, cleo} {
		p.off()
	}
	for where, c := range captures {
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		frames, size := c.Size()
		t.Logf("%s: %d frames, %d bytes, %d needles", where, frames, size, len(needles))
		if frames < 50 {
			t.Errorf("%s: too little to say anything", where)
		}
		if found := c.Found(needles); len(found) > 0 {
			path := filepath.Join(os.TempDir(), "capture.pcap")
			t.Errorf("%s: readable: %v; see %s: %v", where, found, path, c.Pcap(path))
		}
	}

	// The control: the same search, in the same place, finds all of them where somebody
	// sends them as they are.
	control := ra.Capture("wan")
	dan := n.Host("dan")
	from, to := h.UDP(0), dan.UDP(4001)
	b := make([]byte, 2048)
	for name, needle := range needles {
		if _, err := from.WriteToUDPAddrPort(needle, netip.AddrPortFrom(dan.Address(), 4001)); err != nil {
			t.Fatal(err)
		}
		if err := to.SetReadDeadline(time.Now().Add(personDeadline)); err != nil {
			t.Fatal(err)
		}
		if got, err := to.Read(b); err != nil || got != len(needle) {
			t.Fatalf("%s did not arrive: %v", name, err)
		}
	}
	if err := control.Stop(); err != nil {
		t.Fatal(err)
	}
	if found := control.Found(needles); len(found) != len(needles) {
		t.Errorf("of %d needles sent as they are, the search finds %v", len(needles), found)
	}
}

// idBytes are the bytes of an id as verbs print it.
func idBytes(t *testing.T, id string) []byte {
	t.Helper()
	b, err := hex.DecodeString(id)
	if err != nil || len(b) < 16 {
		t.Fatalf("the id %q is not understood: %v", id, err)
	}
	return b
}

func groupID(t *testing.T, p *person, title string) []byte {
	t.Helper()
	var g struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(p.kith("group", "show", title, "--json")), &g); err != nil {
		t.Fatal(err)
	}
	return idBytes(t, g.ID)
}
