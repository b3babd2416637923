//go:build linux

package natlab_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"kith/internal/natlab"
)

// patience bounds a wait for a packet that must come. quiet is how long nothing
// may come after a packet that was sent last has come: all are sent by one
// goroutine, through queues of one machine.
const (
	patience = 5 * time.Second
	quiet    = 100 * time.Millisecond
)

// observers are two public machines with two sockets each.
type observers struct {
	sockets [2][2]*net.UDPConn
	at      [2][2]netip.AddrPort
}

func newObservers(n *natlab.Internet) *observers {
	o := new(observers)
	for i, name := range []string{"east", "west"} {
		h := n.Host(name)
		for j, port := range []int{3478, 3479} {
			o.sockets[i][j] = h.UDP(port)
			o.at[i][j] = netip.AddrPortFrom(h.Address(), uint16(port))
		}
	}
	return o
}

// seen sends a packet to an observer and returns whom it sees.
func (o *observers) seen(t *testing.T, from *net.UDPConn, i, j int) netip.AddrPort {
	t.Helper()
	send(t, from, o.at[i][j], "who am I")
	text, at := receive(t, o.sockets[i][j], patience)
	if text != "who am I" {
		t.Fatalf("observer %d.%d got %q", i, j, text)
	}
	return at
}

func send(t *testing.T, from *net.UDPConn, to netip.AddrPort, text string) {
	t.Helper()
	if _, err := from.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

// receive returns what comes within limit, or nothing.
func receive(t *testing.T, c *net.UDPConn, limit time.Duration) (string, netip.AddrPort) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", from
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// Words of RFC 4787, sections 4.1 and 5.
const (
	independent = "endpoint-independent"
	byAddress   = "address-dependent"
	byPort      = "address and port-dependent"
)

// mapping is the test of RFC 5780, section 4.3.
func mapping(t *testing.T, o *observers, h *natlab.Host) string {
	t.Helper()
	c := h.UDP(0)
	first, samePlace, other := o.seen(t, c, 0, 0), o.seen(t, c, 0, 1), o.seen(t, c, 1, 0)
	switch {
	case first == samePlace && first == other:
		return independent
	case first == samePlace:
		return byAddress
	}
	return byPort
}

// filtering is that of section 4.4: who may answer a socket that wrote to one
// observer. The one it wrote to answers last, and must be heard.
func filtering(t *testing.T, o *observers, h *natlab.Host) string {
	t.Helper()
	c := h.UDP(0)
	outside := o.seen(t, c, 0, 0)
	send(t, o.sockets[1][0], outside, "other address")
	send(t, o.sockets[0][1], outside, "other port")
	send(t, o.sockets[0][0], outside, "the same")
	heard := make(map[string]bool)
	for text, _ := receive(t, c, patience); text != ""; text, _ = receive(t, c, quiet) {
		heard[text] = true
	}
	if !heard["the same"] {
		t.Fatal("an answer does not come back")
	}
	switch {
	case heard["other address"] && heard["other port"]:
		return independent
	case heard["other port"]:
		return byAddress
	}
	return byPort
}

// TestKinds: each kind of NAT is what its name says.
func TestKinds(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	t.Logf("%-20s %-28s %s", "router", "mapping", "filtering")
	for i, c := range []struct {
		name               string
		cfg                natlab.RouterConfig
		mapping, filtering string
	}{
		{"full cone", natlab.RouterConfig{NAT: natlab.FullCone}, independent, independent},
		{"address-restricted", natlab.RouterConfig{NAT: natlab.AddressRestricted}, independent, byAddress},
		{"port-restricted", natlab.RouterConfig{}, independent, byPort},
		{"symmetric", natlab.RouterConfig{NAT: natlab.Symmetric}, byPort, byPort},
	} {
		h := n.Router("router"+string(rune('a'+i)), c.cfg).Home("home" + string(rune('a'+i)))
		m, f := mapping(t, o, h), filtering(t, o, h)
		t.Logf("%-20s %-28s %s", c.name, m, f)
		if m != c.mapping || f != c.filtering {
			t.Errorf("%s: mapping %s, filtering %s; want %s, %s", c.name, m, f, c.mapping, c.filtering)
		}
	}
	// A carrier's router makes of a full cone what it is itself.
	carrier := n.Router("carrier", natlab.RouterConfig{NAT: natlab.Symmetric, LAN: "100.64.7.0"})
	h := carrier.Behind("inner", natlab.RouterConfig{NAT: natlab.FullCone}).Home("shared")
	m, f := mapping(t, o, h), filtering(t, o, h)
	t.Logf("%-20s %-28s %s", "behind a carrier", m, f)
	if m != byPort || f != byPort {
		t.Errorf("a full cone behind a symmetric carrier: mapping %s, filtering %s", m, f)
	}
}

// TestKeepPorts: of two routers that keep one port for a socket, one shows the socket's own.
func TestKeepPorts(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	for i, keeps := range []bool{true, false} {
		c := n.Router("router"+string(rune('a'+i)), natlab.RouterConfig{KeepPorts: keeps}).Home("home" + string(rune('a'+i))).UDP(5000)
		first, second := o.seen(t, c, 0, 0), o.seen(t, c, 1, 0)
		if first != second || (first.Port() == 5000) != keeps {
			t.Errorf("keeps ports: %v; seen at %v and %v", keeps, first, second)
		}
	}
}

// TestWide: a machine with many networks answers in each, and its cable is listened to.
func TestWide(t *testing.T) {
	n := natlab.New(t)
	wide, other := n.Host("wide"), n.Host("other").UDP(0)
	wide.Wide()
	tap := wide.Capture()
	for i := range 3 {
		at := netip.AddrPortFrom(wide.In24(i), 6881)
		var c *net.UDPConn
		err := wide.In(func() (err error) {
			c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		send(t, other, at, "where are you")
		_, from := receive(t, c, patience)
		send(t, c, from, "here")
		if text, by := receive(t, other, patience); text != "here" || by != at {
			t.Errorf("%q from %v, want it from %v", text, by, at)
		}
	}
	if err := tap.Stop(); err != nil {
		t.Fatal(err)
	}
	if !tap.Contains([]byte("where are you")) || tap.Contains([]byte("nothing of the sort")) {
		t.Error("the capture at the cable is of something else")
	}
}

// TestPunch: two sockets that learn of each other's outside port from an observer
// and write at once meet, if the kinds let them (RFC 5128, section 3.3).
func TestPunch(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	kinds := []natlab.NAT{natlab.FullCone, natlab.AddressRestricted, natlab.PortRestricted, natlab.Symmetric}
	var homes [2][]*natlab.Host
	for _, k := range kinds {
		for side, s := range []string{"a", "b"} {
			name := s + string(rune('0'+int(k)))
			homes[side] = append(homes[side], n.Router("r"+name, natlab.RouterConfig{NAT: k}).Home(name))
		}
	}
	for i, a := range kinds {
		for j, b := range kinds {
			// Where one port is drawn for each receiver, the other must let anybody in
			// from that address.
			want := a != natlab.Symmetric && b != natlab.Symmetric ||
				a == natlab.FullCone || b == natlab.FullCone || a == natlab.AddressRestricted || b == natlab.AddressRestricted
			if got := punch(t, o, homes[0][i], homes[1][j]); got != want {
				t.Errorf("%v and %v meet: %v, want %v", a, b, got, want)
			}
		}
	}
}

func punch(t *testing.T, o *observers, a, b *natlab.Host) bool {
	t.Helper()
	ca, cb := a.UDP(0), b.UDP(0)
	pa, pb := o.seen(t, ca, 0, 0), o.seen(t, cb, 0, 0)
	for range 2 { // the first to arrive may be refused, and only opens the way
		send(t, ca, pb, "Ann")
		send(t, cb, pa, "Ben")
	}
	heardA, toA := receive(t, ca, quiet)
	heardB, toB := receive(t, cb, quiet)
	// Who heard the other answers to where that came from.
	switch {
	case heardA != "":
		send(t, ca, toA, "answer")
		return until(t, cb, "answer")
	case heardB != "":
		send(t, cb, toB, "answer")
		return until(t, ca, "answer")
	}
	return false
}

// until reads up to text.
func until(t *testing.T, c *net.UDPConn, text string) bool {
	t.Helper()
	for {
		switch got, _ := receive(t, c, quiet); got {
		case text:
			return true
		case "":
			return false
		}
	}
}

// TestSameRouter: two homes behind one router see each other on its inside, and
// not by way of its outside.
func TestSameRouter(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	r := n.Router("router", natlab.RouterConfig{NAT: natlab.FullCone})
	a, b := r.Home("a").UDP(0), r.Home("b")
	cb := b.UDP(4000)
	outside := o.seen(t, cb, 0, 0)
	send(t, a, outside, "over the roof")
	send(t, a, netip.AddrPortFrom(b.Address(), 4000), "over the hall")
	if text, _ := receive(t, cb, patience); text != "over the hall" {
		t.Errorf("heard %q", text)
	}
	if text, _ := receive(t, cb, quiet); text != "" {
		t.Errorf("a packet to the outside came back in: %q", text)
	}
}

// TestNights: a router that gets another address or loses its power forgets whom
// its homes talked to; so does one that waits a second, after a second.
func TestNights(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	r := n.Router("router", natlab.RouterConfig{NAT: natlab.FullCone})
	c := r.Home("home").UDP(0)
	reached := func(at netip.AddrPort) bool {
		t.Helper()
		send(t, o.sockets[1][1], at, "knock")
		return until(t, c, "knock")
	}
	first := o.seen(t, c, 0, 0)
	if first.Addr() != r.Outside() || !reached(first) {
		t.Fatalf("seen at %v, of a router at %v, and not reached there", first, r.Outside())
	}
	r.Renumber()
	second := o.seen(t, c, 0, 0)
	if second.Addr() == first.Addr() || second.Addr() != r.Outside() || !reached(second) {
		t.Errorf("after a night seen at %v (before at %v) and not reached", second, first)
	}
	if reached(first) {
		t.Error("reached at the address of yesterday")
	}
	r.Down()
	r.Up()
	if reached(second) {
		t.Error("reached through a router that has forgotten everything")
	}
	third := o.seen(t, c, 0, 0)
	if third == second || !reached(third) {
		t.Errorf("after a reboot seen at %v (before at %v)", third, second)
	}

	hotel := n.Router("hotel", natlab.RouterConfig{NAT: natlab.FullCone, UDPTimeout: time.Second})
	c = hotel.Home("guest").UDP(0)
	room := o.seen(t, c, 0, 0)
	if !reached(room) {
		t.Error("a guest is not reached at once")
	}
	for limit := time.Now().Add(patience); reached(room); {
		if time.Now().After(limit) {
			t.Fatal("a guest is still reached")
		}
		// Every knock that is heard keeps the way open: leave it alone for a while.
		if text, _ := receive(t, c, 2*time.Second); text != "" {
			t.Fatalf("heard %q", text)
		}
	}

	// A port mapping stays until the power goes.
	home := r.Home("mapped")
	c = home.UDP(7000)
	r.Forward("udp", 7001, netip.AddrPortFrom(home.Address(), 7000))
	if !reached(netip.AddrPortFrom(r.Outside(), 7001)) {
		t.Error("a mapped port does not reach the home")
	}
	r.Renumber()
	if !reached(netip.AddrPortFrom(r.Outside(), 7001)) {
		t.Error("a mapped port is lost with the address")
	}
	r.Down()
	r.Up()
	if reached(netip.AddrPortFrom(r.Outside(), 7001)) {
		t.Error("a mapped port outlives the power")
	}
}
