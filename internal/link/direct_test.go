package link_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// newDirect listens on loopback unless cfg says otherwise.
func newDirect(t testing.TB, cfg link.DirectConfig) link.Direct {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	l, err := link.NewDirect(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// hostAddress is the address of id on loopback.
func hostAddress(t *testing.T, id peer.ID, form string, port int) link.Address {
	t.Helper()
	return link.Address{Peer: []byte(id), Hosts: []string{"/ip4/127.0.0.1" + fmt.Sprintf(form, port)}}
}

// only is a Link of whose hosts only those with part in their text are told.
type only struct {
	link.Link
	part string
}

func (o only) Address() link.Address {
	a := o.Link.Address()
	var hosts []string
	for _, h := range a.Hosts {
		if strings.Contains(h, o.part) {
			hosts = append(hosts, h)
		}
	}
	a.Hosts = hosts
	return a
}

func TestDirect(t *testing.T) {
	cases := []struct{ name, listen, part string }{
		{"quic", "127.0.0.1:0", "/quic-v1"},
		{"tcp", "127.0.0.1:0", "/tcp/"},
		{"quic over ipv6", "[::1]:0", "/quic-v1"},
		{"tcp over ipv6", "[::1]:0", "/tcp/"},
		{"both", "localhost:0", "/"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) (link.Link, link.Link) {
				cfg := link.DirectConfig{Listen: c.listen}
				return only{newDirect(t, cfg), c.part}, only{newDirect(t, cfg), c.part}
			})
		})
	}
}

func TestDirectKey(t *testing.T) {
	seed := [32]byte{1}
	a := newDirect(t, link.DirectConfig{KeySeed: seed}).Address()
	b := newDirect(t, link.DirectConfig{KeySeed: seed}).Address()
	c := newDirect(t, link.DirectConfig{}).Address()
	d := newDirect(t, link.DirectConfig{}).Address()
	if string(a.Peer) != string(b.Peer) {
		t.Error("one seed gives two keys")
	}
	if string(c.Peer) == string(d.Peer) || string(c.Peer) == string(a.Peer) {
		t.Error("keys without a seed are not random")
	}
}

// A Link on all interfaces tells concrete addresses and no loopback; they can
// be dialled.
func TestDirectAllInterfaces(t *testing.T) {
	for _, listen := range []string{":0", "0.0.0.0:0"} {
		l, err := link.NewDirect(link.DirectConfig{Listen: listen})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a := l.Address()
		if len(a.Hosts) == 0 {
			t.Skip("this machine has no interface but loopback")
		}
		for _, h := range a.Hosts {
			ip := netip.MustParseAddr(strings.Split(h, "/")[2])
			if ip.IsUnspecified() || ip.IsLoopback() {
				t.Errorf("%s listens at %s", listen, h)
			}
		}
		c, err := newDirect(t, link.DirectConfig{}).Dial(t.Context(), a)
		if err != nil {
			t.Errorf("Dial %v: %v", a.Hosts, err)
			continue
		}
		c.Close()
	}
}

// The right place with another key is nobody's: the dialler notices.
func TestDirectWrongKey(t *testing.T) {
	a, b, c := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	for _, kind := range kinds {
		to := only{b, map[string]string{"quic": "/quic-v1", "tcp": "/tcp/"}[kind]}.Address()
		to.Peer = c.Address().Peer
		if _, err := a.Dial(t.Context(), to); !errors.Is(err, link.ErrUnreachable) {
			t.Errorf("%s: got %v, want ErrUnreachable", kind, err)
		}
	}
}

// Dial finds the one host that answers among dead ones.
func TestDirectManyHosts(t *testing.T) {
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	to := b.Address()
	to.Hosts = []string{
		"/ip4/127.0.0.1/udp/9/quic-v1", "/ip4/127.0.0.1/tcp/9", "nonsense", "/dns4/example.org/tcp/4001",
		only{b, "/tcp/"}.Address().Hosts[0],
	}
	c, err := a.Dial(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind() != "tcp" {
		t.Errorf("Kind: got %q, want tcp", c.Kind())
	}
}

func TestDirectListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cases := []struct{ listen, want string }{
		{taken.Addr().String(), "is in use by another program: choose another with --listen"},
		{"4001", "is not HOST:PORT"},
		{"127.0.0.1:65536", "is not a port"},
		{"127.0.0.1:+1", "is not a port"},
		{"example.org:4001", "is not an IP address"},
		{"203.0.113.77:0", "this machine has no address 203.0.113.77"},
	}
	for _, c := range cases {
		l, err := link.NewDirect(link.DirectConfig{Listen: c.listen})
		if err == nil {
			l.Close()
			t.Errorf("%s: no error", c.listen)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %q, want one line with %q", c.listen, err, c.want)
		}
	}
	_, err = link.NewDirect(link.DirectConfig{Listen: taken.Addr().String()})
	if !errors.Is(err, link.ErrPortTaken) {
		t.Errorf("got %v, want ErrPortTaken", err)
	}
}

// Allow and LAN are asked about the other side's address.
func TestDirectAllow(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			no := func(ip netip.Addr) bool { return !ip.IsLoopback() }
			a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{Allow: no})
			to := only{b, map[string]string{"quic": "/quic-v1", "tcp": "/tcp/"}[kind]}.Address()
			if _, err := a.Dial(t.Context(), to); !errors.Is(err, link.ErrUnreachable) {
				t.Errorf("Dial: got %v, want ErrUnreachable", err)
			}
		})
	}
}

func TestDirectLAN(t *testing.T) {
	a, b := newDirect(t, link.DirectConfig{LAN: true}), newDirect(t, link.DirectConfig{LAN: true})
	c, err := a.Dial(t.Context(), b.Address())
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind() != "lan" {
		t.Errorf("Kind: got %q, want lan", c.Kind())
	}
	far := link.Address{Peer: b.Address().Peer, Hosts: []string{"/ip4/198.51.100.7/udp/4001/quic-v1"}}
	if _, err := a.Dial(t.Context(), far); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("Dial of the Internet: got %v, want ErrNoHost", err)
	}
}

// The tap sees each frame handed to Write, as it is.
func TestDirectTap(t *testing.T) {
	var seen []string
	a := newDirect(t, link.DirectConfig{Write: func(f []byte) { seen = append(seen, string(f)) }})
	b := newDirect(t, link.DirectConfig{})
	c, err := a.Dial(t.Context(), b.Address())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"one", "two"} {
		if err := c.Write(t.Context(), []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(seen, " ") != "one two" {
		t.Errorf("the tap saw %q", seen)
	}
}

// Dial ends soon after its context even when nothing answers at all.
func TestDirectDialCancelled(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	to := hostAddress(t, peer.ID(b.Address().Peer), "/udp/%d/quic-v1", silent.LocalAddr().(*net.UDPAddr).Port)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		silent.Read(make([]byte, 2000)) // the dial is under way
		cancel()
	}()
	if _, err := a.Dial(ctx, to); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: got %v, want Canceled", err)
	}
}
