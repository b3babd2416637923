//go:build linux

package natlab_test

import (
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/natlab"
)

// hears accepts one connection and returns its first bytes, or nothing.
func hears(t *testing.T, l net.Listener, limit time.Duration) string {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := make([]byte, 4096)
	if err := c.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	n, _ := c.Read(b)
	return string(b[:n])
}

// TestFirewalls: what each lets out.
func TestFirewalls(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	server := n.Host("server")
	web, other := server.Listen(443), server.Listen(4001)
	at := func(l net.Listener) netip.AddrPort {
		return netip.AddrPortFrom(server.Address(), uint16(l.Addr().(*net.TCPAddr).Port))
	}
	for i, c := range []struct {
		wall                  natlab.Firewall
		udp, tcp, https, bare bool
	}{
		{natlab.AllOut, true, true, true, true},
		{natlab.NoUDP, false, true, true, true},
		{natlab.Only443, false, false, true, true},
		{natlab.OnlyTLS, false, false, true, false},
	} {
		h := n.Router("router"+string(rune('a'+i)), natlab.RouterConfig{Firewall: c.wall}).Home("home" + string(rune('a'+i)))
		send(t, h.UDP(0), o.at[0][0], "udp")
		limit := quiet
		if c.udp {
			limit = patience
		}
		if text, _ := receive(t, o.sockets[0][0], limit); (text != "") != c.udp {
			t.Errorf("%v: UDP passes: %v", c.wall, !c.udp)
		}
		limit = 3 * quiet
		if c.tcp {
			limit = patience
		}
		conn, err := h.Dial(at(other), limit)
		if (err == nil) != c.tcp {
			t.Errorf("%v: TCP to 4001: %v", c.wall, err)
		}
		if err == nil {
			_ = conn.Close()
			hears(t, other, patience)
		}

		if conn, err = h.Dial(at(web), patience); err != nil {
			t.Fatalf("%v: TCP to 443: %v", c.wall, err)
		}
		secure := tls.Client(conn, &tls.Config{ServerName: "kith.example"})
		done := make(chan error, 1)
		go func() { done <- secure.Handshake() }() // ends when the server hangs up
		if got := hears(t, web, patience); !strings.Contains(got, "kith.example") {
			t.Errorf("%v: a ClientHello does not pass; the server heard %q", c.wall, got)
		}
		_ = conn.Close()
		<-done

		if conn, err = h.Dial(at(web), patience); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("SSH-2.0-hidden")); err != nil {
			t.Fatal(err)
		}
		limit = 3 * quiet
		if c.bare {
			limit = patience
		}
		if got := hears(t, web, limit); (got != "") != c.bare {
			t.Errorf("%v: bytes that are no TLS pass: %v", c.wall, !c.bare)
		}
		_ = conn.Close()
	}
}

// TestBlock: hosts that are blocked are blocked, for flows that go on, too.
func TestBlock(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	r := n.Router("router", natlab.RouterConfig{NAT: natlab.FullCone})
	c := r.Home("home").UDP(0)
	before := o.seen(t, c, 0, 0)
	r.Block(o.at[0][0].Addr())
	send(t, c, o.at[0][0], "out")
	if text, _ := receive(t, o.sockets[0][0], quiet); text != "" {
		t.Errorf("a packet to a blocked host passed: %q", text)
	}
	send(t, o.sockets[0][0], before, "in")
	if until(t, c, "in") {
		t.Error("a packet from a blocked host passed")
	}
	if after := o.seen(t, c, 1, 0); after != before {
		t.Errorf("seen at %v, before at %v: the router forgot", after, before)
	}
}

// TestIPv6: homes with prefixes of their own are reached once they have written,
// at the address they have.
func TestIPv6(t *testing.T) {
	n := natlab.New(t)
	ra := n.Router("ra", natlab.RouterConfig{NAT: natlab.NoIPv4, IPv6: true})
	a, b := ra.Home("a"), n.Router("rb", natlab.RouterConfig{IPv6: true}).Home("b")
	ca, cb := a.UDP(5000), b.UDP(5000)
	server := n.Host("server")
	cs := server.UDP(5000)
	for _, c := range []*net.UDPConn{ca, cb} {
		send(t, c, netip.AddrPortFrom(server.Address6(), 5000), "outwards")
		if text, from := receive(t, cs, patience); text != "outwards" || from.Addr() != a.Address6() && from.Addr() != b.Address6() {
			t.Fatalf("heard %q from %v", text, from)
		}
	}
	atA, atB := netip.AddrPortFrom(a.Address6(), 5000), netip.AddrPortFrom(b.Address6(), 5000)
	send(t, cb, atA, "uninvited")
	if text, _ := receive(t, ca, quiet); text != "" {
		t.Fatalf("a firewall let %q in", text)
	}
	send(t, ca, atB, "too early for the other wall or not")
	send(t, cb, atA, "hello")
	if text, from := receive(t, ca, patience); text != "hello" || from != atB {
		t.Errorf("heard %q from %v", text, from)
	}
	ra.Renumber()
	if a.Address6() == atA.Addr() {
		t.Error("a night changed nothing")
	}
}

// TestCapture finds what lies in packets, in every disguise, and nothing else.
func TestCapture(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	r := n.Router("router", natlab.RouterConfig{})
	c := r.Home("home").UDP(0)
	out, in := r.Capture("wan"), r.Capture("lan")
	id, err := hex.DecodeString("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
	if err != nil {
		t.Fatal(err)
	}
	needles := map[string][]byte{"text": []byte("seventeen umbrellas and a gramophone"), "id": id, "absent": []byte("the combination of the safe")}
	for _, d := range append(natlab.Disguises(needles["text"]), natlab.Disguises(id)...) {
		one := r.Capture("wan")
		send(t, c, o.at[0][0], "between "+string(d)+" and")
		if text, _ := receive(t, o.sockets[0][0], patience); !strings.Contains(text, string(d)) {
			t.Fatalf("heard %q", text)
		}
		if err := one.Stop(); err != nil {
			t.Fatal(err)
		}
		if got := one.Found(needles); len(got) != 1 {
			t.Errorf("of %q is found %v", d, got)
		}
	}
	for _, side := range []*natlab.Capture{out, in} {
		if err := side.Stop(); err != nil {
			t.Error(err)
		}
		if got := side.Found(needles); !slices.Equal(got, []string{"id", "text"}) {
			t.Errorf("found %v", got)
		}
		frames, size := side.Size()
		path := filepath.Join(t.TempDir(), "capture.pcap")
		if err := side.Pcap(path); err != nil {
			t.Fatal(err)
		}
		if i, err := os.Stat(path); err != nil || i.Size() != int64(24+16*frames+size) {
			t.Errorf("%d frames of %d bytes make a file of %v, %v", frames, size, i, err)
		}
	}
}

// TestMove: a machine that is carried to another home has the address of that.
func TestMove(t *testing.T) {
	n := natlab.New(t)
	o := newObservers(n)
	ra, rb := n.Router("ra", natlab.RouterConfig{}), n.Router("rb", natlab.RouterConfig{})
	h := ra.Home("laptop")
	c := h.UDP(0)
	if at := o.seen(t, c, 0, 0); at.Addr() != ra.Outside() {
		t.Errorf("seen at %v", at)
	}
	h.Move(rb)
	if at := o.seen(t, c, 0, 0); at.Addr() != rb.Outside() {
		t.Errorf("seen at %v, want %v", at, rb.Outside())
	}
	h.Cut()
	if _, err := h.Dial(o.at[0][0], quiet); err == nil {
		t.Error("a cut cable carries")
	}
	h.Heal()
	o.seen(t, c, 0, 0)
}
