//go:build linux

package main

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kith/internal/natlab"
)

// Names and texts that no capture may hold.
const (
	annName, benName, cleoName = "Ann Cormorant-Quillfeather", "Ben Marzipan-Underwood", "Cleo Thistledown-Farthing"
	voyage                     = "Voyage to Tristan da Cunha"
	lighthouse                 = "the lighthouse keeper sold the marmalade"
	umbrellas                  = "bring seventeen umbrellas and the gramophone"
	walrus                     = "nobody else may know about the walrus"
	whileOff                   = "the harbour master sleeps under the piano"
)

// A tap is a place where somebody listens. from can send through it to the machine to.
type tap struct {
	start    func() *natlab.Capture
	from, to *natlab.Host
	plain    [][]byte // what is there as it is, by which it shows that it listens
	capture  *natlab.Capture
}

// TestHomesCapture: what passes the router of a home holds no name, title, text,
// person, device or group id, while people become friends, make a group and write.
func TestHomesCapture(t *testing.T) {
	t.Parallel()
	n := natlab.New(t)
	ra, rb := n.Router("ra", natlab.RouterConfig{IPv6: true}), n.Router("rb", natlab.RouterConfig{IPv6: true})
	a, b, c, dan := ra.Home("ann"), rb.Home("ben"), n.Host("cleo"), n.Host("dan")
	taps := map[string]*tap{
		"Ann's outside": {start: func() *natlab.Capture { return ra.Capture("wan") }, from: a, to: dan, plain: quicOne},
		"Ann's inside":  {start: func() *natlab.Capture { return ra.Capture("lan") }, from: a, to: dan, plain: quicOne},
		"Ben's outside": {start: func() *natlab.Capture { return rb.Capture("wan") }, from: b, to: dan, plain: quicOne},
	}
	listen(taps)
	cleo, ann, ben := at(t, cleoName, c), at(t, annName, a), at(t, benName, b)
	introduce(voyage, cleo, ann, ben)
	ann.settles(ben, "quic")
	ann.tells(voyage, lighthouse, ben, cleo)
	ben.tells(voyage, umbrellas, ann, cleo)
	ann.tells(cleoName, walrus)
	nothingReadable(t, taps, voyage, ann, ben, cleo)
}

// TestHomesCaptureWays: the same where a friend's relay carries, the DHT is asked, and a mailbox keeps
// what is said to somebody who is off; and neither these three see more, at their own cables.
func TestHomesCaptureWays(t *testing.T) {
	long(t)
	t.Parallel()
	n := natlab.New(t)
	strict := natlab.RouterConfig{NAT: natlab.Symmetric}
	ra, rb := n.Router("ra", strict), n.Router("rb", strict)
	a, b, c, box := ra.Home("ann"), rb.Home("ben"), n.Host("cleo"), n.Host("box")
	d := newDHT(t, n, dhtNodes, 0)
	taps := map[string]*tap{
		"Ann's router": {start: func() *natlab.Capture { return ra.Capture("wan") }, from: a, to: c, plain: slices.Concat(quicOne, dhtWords)},
		"Ben's router": {start: func() *natlab.Capture { return rb.Capture("wan") }, from: b, to: c, plain: slices.Concat(quicOne, dhtWords)},
		"the relay":    {start: c.Capture, from: a, to: c, plain: quicOne},
		"the DHT":      {start: d.host.Capture, from: a, to: d.host, plain: dhtWords},
		"the mailbox":  {start: box.Capture, from: b, to: box, plain: quicOne},
	}
	listen(taps)
	address := serveMailbox(t, box)
	cleo, ann, ben := at(t, cleoName, c, d.seeds()...), at(t, annName, a, d.seeds()...), at(t, benName, b, d.seeds()...)
	cleo.kith("relay", "on")
	for _, p := range []*person{ann, ben} {
		p.befriend(cleo)
		p.shows("The relay of " + cleoName + " lets others reach you")
	}
	ben.befriend(ann)
	ann.settles(ben, relayedKind)
	gone := at(t, "Dora", n.Host("dora"), d.seeds()...)
	links := []string{gone.link(), gone.link()}
	gone.off()
	for i, p := range []*person{ann, ben} { // for somebody who does not answer both leave their places at the DHT
		p.kith("friend", "add", links[i])
		p.until(`"published":[1-9]`, "network", "--json")
	}
	ann.kith("group", "create", voyage, benName)
	ben.until(voyage, "group", "list")
	ben.kith("group", "accept", voyage)
	ann.until(`("accepted":true.*){2}`, "group", "show", voyage, "--json")
	ann.tells(voyage, lighthouse, ben)
	ben.tells(voyage, umbrellas, ann)
	ann.kith("mailbox", "add", address)
	for _, p := range []*person{ann, ben} {
		p.shows("keeps what waits for whoever is off")
	}
	ben.off()
	ann.kith("send", benName, whileOff)
	ann.until(`"left":[1-9]`, "network", "--json")
	ann.off()
	ben.on()
	took(t, "a text by the mailbox, neither being there at once", ben.until(whileOff, "tail", annName))
	ann.on()
	nothingReadable(t, taps, voyage, ann, ben, cleo)
}

var (
	// quicOne is the version in a long header of QUIC, with the first byte of an Initial packet and the
	// length of the receiver's id missing.
	quicOne = [][]byte{{0, 0, 0, 1}}
	// dhtWords are in the clear in what asks a DHT, and gives it something.
	dhtWords = [][]byte{[]byte("1:q3:get"), []byte("1:q3:put")}
)

func listen(taps map[string]*tap) {
	for _, p := range taps {
		p.capture = p.start()
	}
}

// nothingReadable ends the programs, and looks for all that nobody may read, in every disguise, in every
// capture; then whether the same search, in the same places, finds all of it where somebody sends it as
// it is.
func nothingReadable(t *testing.T, taps map[string]*tap, title string, people ...*person) {
	t.Helper()
	needles := map[string][]byte{
		"title": []byte(voyage), "text": []byte(lighthouse), "reply": []byte(umbrellas), "between two": []byte(walrus), "while off": []byte(whileOff),
		"group": groupID(t, people[0], title),
	}
	for _, p := range people {
		id := p.identity()
		needles["name of "+p.name] = []byte(p.name)
		needles["id of "+p.name], needles["device of "+p.name] = idBytes(t, id.ID), idBytes(t, id.DeviceID)
	}
	for _, p := range people {
		p.off()
	}
	for _, p := range taps { // before anything is sent as it is
		if err := p.capture.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for where, p := range taps {
		frames, size := p.capture.Size()
		t.Logf("%s: %d frames, %d bytes, %d needles", where, frames, size, len(needles))
		if frames < 50 {
			t.Errorf("%s: too little to say anything", where)
		}
		for _, word := range p.plain {
			if !p.capture.Contains(word) {
				t.Errorf("%s: %q is not there, which is in the clear: what it listens to is something else", where, word)
			}
		}
		if found := p.capture.Found(needles); len(found) > 0 {
			path := filepath.Join(os.TempDir(), "capture.pcap")
			t.Errorf("%s: readable: %v; see %s: %v", where, found, path, p.capture.Pcap(path))
		}
		control := p.start()
		from, to := p.from.UDP(0), p.to.UDP(4999)
		b := make([]byte, 2048)
		for name, needle := range needles {
			if _, err := from.WriteToUDPAddrPort(needle, netip.AddrPortFrom(p.to.Address(), 4999)); err != nil {
				t.Fatal(err)
			}
			if err := to.SetReadDeadline(time.Now().Add(natDeadline)); err != nil {
				t.Fatal(err)
			}
			if got, err := to.Read(b); err != nil || got != len(needle) {
				t.Fatalf("%s did not arrive: %v", name, err)
			}
		}
		_, _ = from.Close(), to.Close()
		if err := control.Stop(); err != nil {
			t.Fatal(err)
		}
		if found := control.Found(needles); len(found) != len(needles) {
			t.Errorf("%s: of %d needles sent as they are, the search finds %v", where, len(needles), found)
		}
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
