package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/libp2p/go-libp2p/core/transport"
)

// listening is the sockets of a Link: QUIC and TCP at the same port of each
// address.
type listening struct {
	open []transport.Listener
	ips  []netip.Addr
	port uint16
	lan  bool // tell private addresses first
}

// listen opens the sockets that text asks for (DirectConfig.Listen).
func listen(c *carrier, text string, lan bool) (listening, error) {
	ips, port, err := parseListen(text)
	if err != nil {
		return listening{}, err
	}
	for try := 1; ; try++ {
		s, err := listenAt(c, ips, port)
		if err == nil {
			s.lan = lan
			return s, nil
		}
		taken := errors.Is(err, syscall.EADDRINUSE)
		switch {
		case taken && port == 0 && try < portTries:
			continue // the port was free for TCP only
		case taken:
			return listening{}, fmt.Errorf("link: port %d %w", port, ErrPortTaken)
		case errors.Is(err, syscall.EACCES):
			return listening{}, fmt.Errorf("link: port %d is reserved for the system: choose one above 1023 with --listen", port)
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			return listening{}, fmt.Errorf("link: this machine has no address %s: choose another with --listen", ips[0])
		}
		return listening{}, fmt.Errorf("link: listen: %w", err)
	}
}

// parseListen reads HOST:PORT.
func parseListen(text string) ([]netip.Addr, uint16, error) {
	all := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if text == "" {
		return all, 0, nil
	}
	name, portText, err := net.SplitHostPort(text)
	if err != nil {
		return nil, 0, fmt.Errorf("link: %q is not HOST:PORT: write for example 0.0.0.0:4001 or :4001 with --listen", text)
	}
	port, err := parsePort(portText)
	if err != nil {
		return nil, 0, fmt.Errorf("link: %q is not a port: choose 0 to 65535 with --listen", portText)
	}
	switch name {
	case "":
		return all, port, nil
	case "localhost":
		name = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return nil, 0, fmt.Errorf("link: %q is not an IP address: choose one of this machine's with --listen", name)
	}
	return []netip.Addr{ip.Unmap()}, port, nil
}

// listenAt opens TCP and UDP on every address of ips. A machine without IPv6
// may lack the second.
func listenAt(c *carrier, ips []netip.Addr, port uint16) (listening, error) {
	s := listening{port: port}
	for i, ip := range ips {
		err := s.add(c, ip)
		noFamily := errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
		if err != nil && i > 0 && noFamily {
			continue
		}
		if err != nil {
			s.Close()
			return listening{}, err
		}
	}
	return s, nil
}

// add listens on ip; the first socket fixes the port of the others.
func (s *listening) add(c *carrier, ip netip.Addr) error {
	t, err := c.tcp.Listen(host{at: netip.AddrPortFrom(ip, s.port), over: overTCP}.multiaddr())
	if err != nil {
		return err
	}
	s.open = append(s.open, t)
	if h, ok := hostOf(t.Multiaddr()); ok {
		s.port = h.at.Port()
	}
	if ip.IsUnspecified() {
		if err := c.lend(ip, s.port); err != nil {
			return err
		}
	}
	q, err := c.quic.Listen(host{at: netip.AddrPortFrom(ip, s.port), over: overQUIC}.multiaddr())
	if err != nil {
		return err
	}
	s.open = append(s.open, q)
	s.ips = append(s.ips, ip)
	return nil
}

// hosts returns where others can dial, at most MaxHosts.
func (s listening) hosts() []string {
	ips := s.reachable()
	var hosts []string
	for _, ip := range ips[:min(len(ips), MaxHosts/2)] {
		at := netip.AddrPortFrom(ip, s.port)
		hosts = append(hosts, host{at: at, over: overQUIC}.String(), host{at: at, over: overTCP}.String())
	}
	return hosts
}

// reachable returns the addresses at which others can dial.
func (s listening) reachable() []netip.Addr {
	var ips []netip.Addr
	for _, ip := range s.ips {
		if !ip.IsUnspecified() {
			ips = append(ips, ip)
		}
	}
	if len(ips) == 0 {
		ips = slices.DeleteFunc(interfaceAddrs(s.lan), func(ip netip.Addr) bool { return !s.serves(ip) })
	}
	return ips
}

// serves reports whether a socket listens on every address of ip's family.
func (s listening) serves(ip netip.Addr) bool {
	return slices.ContainsFunc(s.ips, func(l netip.Addr) bool {
		return l.IsUnspecified() && l.Is4() == ip.Is4()
	})
}

// Close closes the sockets.
func (s listening) Close() error {
	var errs []error
	for _, l := range s.open {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, transport.ErrListenerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
