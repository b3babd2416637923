package natlab

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"time"
)

// A Host is a machine that runs programs: a public one, or one in a home.
type Host struct {
	net   *Internet
	space string
	site  *site   // of a public one
	home  *Router // of one behind a router
	port  string  // of the router, that its cable is in
	index int     // in its home
}

// Host adds a machine with a public address.
func (n *Internet) Host(name string) *Host {
	n.t.Helper()
	h := &Host{net: n, space: n.newSpace(name)}
	h.site = n.plug(h.space, "eth0", true)
	h.six()
	return h
}

// six gives a public machine the IPv6 address of its site.
func (h *Host) six() {
	h.net.ip("-n " + h.space + " addr add " + h.site.prefix() + ":a/128 nodad dev eth0")
}

// Address is where the machine thinks it is.
func (h *Host) Address() netip.Addr {
	if h.site != nil {
		return netip.MustParseAddr(h.site.address())
	}
	return netip.MustParseAddr(h.home.lan + strconv.Itoa(h.index))
}

// Address6 is its address of IPv6, if its router has a prefix.
func (h *Host) Address6() netip.Addr {
	switch {
	case h.site != nil:
		return netip.MustParseAddr(h.site.prefix() + ":a")
	case h.home.six():
		return netip.MustParseAddr(h.home.site.prefix() + ":" + strconv.Itoa(h.index))
	}
	return netip.Addr{}
}

// Space is the name of its namespace.
func (h *Host) Space() string { return h.space }

// Through is a command that starts another in the machine's namespace.
func (h *Host) Through() []string { return []string{"ip", "netns", "exec", h.space} }

// Command is a program that will run on the machine.
func (h *Host) Command(ctx context.Context, args ...string) *exec.Cmd {
	args = append(h.Through(), args...)
	return exec.CommandContext(ctx, args[0], args[1:]...)
}

// In calls f on a thread in the machine's namespace: sockets that f opens are the
// machine's, and stay so. Goroutines that f starts are not there.
func (h *Host) In(f func() error) error { return in(h.space, f) }

// UDP opens a socket on the machine; port 0 is any.
func (h *Host) UDP(port int) *net.UDPConn {
	h.net.t.Helper()
	var c *net.UDPConn
	err := h.In(func() (err error) {
		c, err = net.ListenUDP("udp", &net.UDPAddr{Port: port})
		return err
	})
	if err != nil {
		h.net.t.Fatal(err)
	}
	h.net.t.Cleanup(func() { _ = c.Close() })
	return c
}

// Listen opens a TCP port of the machine.
func (h *Host) Listen(port int) net.Listener {
	h.net.t.Helper()
	var l net.Listener
	err := h.In(func() (err error) {
		l, err = net.ListenTCP("tcp", &net.TCPAddr{Port: port})
		return err
	})
	if err != nil {
		h.net.t.Fatal(err)
	}
	h.net.t.Cleanup(func() { _ = l.Close() })
	return l
}

// Dial connects from the machine to an address, by TCP.
func (h *Host) Dial(to netip.AddrPort, patience time.Duration) (c net.Conn, err error) {
	d := net.Dialer{Timeout: patience}
	err = h.In(func() error {
		c, err = d.Dial("tcp", to.String())
		return err
	})
	return c, err
}

// Wide gives a public machine every address of its site, 11.N.0.0/16, so that
// programs on it seem to stand in many networks.
func (h *Host) Wide() {
	h.net.t.Helper()
	h.site.wide = true
	h.net.ip(fmt.Sprintf("-n %s route add local 11.%d.0.0/16 dev lo", h.space, h.site.number))
	h.site.heal()
}

// In24 is the address of a Wide machine in the ith of its networks of /24.
func (h *Host) In24(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{11, byte(h.site.number), byte(100 + i), 10})
}

// Capture records what passes the cable of a public machine, from now until the
// capture is stopped or the test ends.
func (h *Host) Capture() *Capture {
	h.net.t.Helper()
	return h.net.capture(h.In, "eth0")
}

// Cut pulls the machine's cable.
func (h *Host) Cut() {
	if h.site != nil {
		h.site.cut()
		return
	}
	h.net.ip("-n " + h.home.space + " link set " + h.port + " down")
}

// Heal plugs it in again.
func (h *Host) Heal() {
	if h.site != nil {
		h.site.heal()
		return
	}
	h.net.ip("-n " + h.home.space + " link set " + h.port + " up")
}

// Renumber gives a public machine another address.
func (h *Host) Renumber() {
	h.net.t.Helper()
	h.net.ip("-n " + h.space + " addr del " + h.site.prefix() + ":a/128 dev eth0")
	h.site.renumber()
	h.six()
}

// Move takes the machine to another home.
func (h *Host) Move(to *Router) {
	h.net.t.Helper()
	h.net.ip("-n " + h.space + " link del eth0")
	h.site = nil
	to.take(h)
}

// take plugs a machine into the router and gives it addresses.
func (r *Router) take(h *Host) {
	r.net.t.Helper()
	r.homes++
	h.home, h.index, h.port = r, 9+r.homes, fmt.Sprintf("home%d", r.homes)
	r.lanCable(h.space, "eth0", h.port)
	at := "-n " + h.space + " "
	r.net.ip(at+"addr add "+h.Address().String()+"/24 dev eth0", at+"route replace default via "+r.lan+"1")
	if r.six() {
		r.net.ip(at+"addr add "+h.Address6().String()+"/64 nodad dev eth0", at+"-6 route replace default via "+r.site.prefix()+":1")
	}
}
