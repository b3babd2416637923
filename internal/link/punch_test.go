package link_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// Two links behind routers that let nobody in connect when both send, from the sockets
// they listen on. Without that they do not.
func TestPunch(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			a, b := newDirect(t, link.DirectConfig{Listen: listen}), newDirect(t, link.DirectConfig{Listen: listen})
			r := linktest.NewRouters(t, onLoopback(t, a), onLoopback(t, b))
			toA, toB := r.Addresses()
			short, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			if _, err := a.Punch(short, toB); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Punch alone: got %v, want DeadlineExceeded", err)
			}
			expected := make(chan error, 1)
			go func() { expected <- b.Expect(t.Context(), toA) }()
			dead := "/ip4/127.0.0.1/udp/9/quic-v1"
			toB.Hosts = append([]string{dead}, toB.Hosts...)
			ca, err := a.Punch(t.Context(), toB)
			if err != nil {
				t.Fatalf("Punch: %v", err)
			}
			cb, err := b.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := <-expected; err != nil {
				t.Errorf("Expect: %v", err)
			}
			if !ca.Dialed() || cb.Dialed() || ca.Kind() != "quic" || ca.Binding() != cb.Binding() {
				t.Error("the two ends do not agree on what this is")
			}
			if cb.Remote().Hosts[0] != toA.Hosts[0] {
				t.Errorf("the other is seen at %v, want %v", cb.Remote().Hosts, toA.Hosts)
			}
			if n := r.Strays(); n != 0 {
				t.Errorf("%d packets came from sockets that do not listen", n)
			}
			defer a.Close() // while the routers are there
			defer b.Close()
			if err := cb.Write(t.Context(), []byte("through")); err != nil {
				t.Fatal(err)
			}
			if f, err := ca.Read(t.Context()); err != nil || string(f) != "through" {
				t.Errorf("Read: %q, %v", f, err)
			}
		})
	}
}

// onLoopback is the address of l at 127.0.0.1, which l does not name when it listens on all
// interfaces.
func onLoopback(t *testing.T, l link.Link) link.Address {
	t.Helper()
	a := l.Address()
	if len(a.Hosts) == 0 {
		t.Skip("this machine has no interface but loopback")
	}
	p := strings.Split(a.Hosts[0], "/")
	return link.Address{Peer: a.Peer, Hosts: []string{"/ip4/127.0.0.1/udp/" + p[4] + "/quic-v1"}}
}

// Expect gives up, ends with its context and with the Link, and sends only so much.
func TestExpectEnds(t *testing.T) {
	t.Parallel()
	ear, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	from := hostAddress(t, peer.ID(b.Address().Peer), "/udp/%d/quic-v1", ear.LocalAddr().(*net.UDPAddr).Port)
	packets := make(chan int)
	go func() {
		n := 0
		defer func() { packets <- n }()
		buf := make([]byte, 2000)
		for {
			size, source, err := ear.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if n++; size != 64 || buf[0]&0xc0 != 0 || !strings.Contains(a.Address().Hosts[0], portOf(source)) {
				t.Errorf("%d bytes %x… from %v", size, buf[0], source)
			}
		}
	}()
	if err := a.Expect(t.Context(), from); !errors.Is(err, link.ErrUnreachable) {
		t.Errorf("nobody comes: got %v, want ErrUnreachable", err)
	}
	ear.Close()
	if n := <-packets; n < 10 || n > 40 {
		t.Errorf("%d packets in 5 s, want some 30", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Expect(ctx, from); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if err := a.Expect(t.Context(), link.Address{Peer: from.Peer, Hosts: part(b, "/tcp/").Hosts}); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("without QUIC: got %v, want ErrNoHost", err)
	}
	if _, err := a.Punch(t.Context(), link.Address{Peer: from.Peer, Hosts: part(b, "/tcp/").Hosts}); !errors.Is(err, link.ErrNoHost) {
		t.Errorf("without QUIC: got %v, want ErrNoHost", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Expect(t.Context(), from) }()
	a.Close()
	if err := <-ended; !errors.Is(err, link.ErrClosed) {
		t.Errorf("closed: got %v, want ErrClosed", err)
	}
}

func portOf(at netip.AddrPort) string { return at.String()[strings.LastIndex(at.String(), ":")+1:] }

// Probe names the hosts that answer with the right key, knocks from another port, and
// is no connection.
func TestProbe(t *testing.T) {
	t.Parallel()
	b := newDirect(t, link.DirectConfig{WebSocket: "127.0.0.1:0"})
	a, other := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	to := b.Address()
	to.Hosts = append([]string{"/ip4/127.0.0.1/udp/9/quic-v1", "/ip4/127.0.0.1/tcp/9"}, to.Hosts...)
	to.Hosts = append(to.Hosts, other.Address().Hosts...) // which answers with another key
	found, err := a.Probe(t.Context(), to)
	if want := b.Address().Hosts; err != nil || len(want) != 3 || !slices.Equal(found, want) {
		t.Errorf("got %v, %v, want %v", found, err, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if c, err := b.Accept(ctx); err == nil {
		t.Errorf("a probe came out of Accept: %v", c.Remote())
	}
	r := linktest.NewRouters(t, part(a, "/quic-v1"), part(b, "/quic-v1"))
	_, toB := r.Addresses()
	short, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	if _, err := a.Probe(short, toB); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if r.Strays() == 0 {
		t.Error("Probe uses the socket that listens")
	}
}

// Who accepts a QUIC connection sees the socket on which the other listens: that
// is what a router maps.
func TestObserved(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		a, b := newDirect(t, link.DirectConfig{Listen: listen}), newDirect(t, link.DirectConfig{})
		if _, err := a.Dial(t.Context(), part(b, "/quic-v1")); err != nil {
			t.Fatal(err)
		}
		c, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := onLoopback(t, a).Hosts[0]; c.Remote().Hosts[0] != want {
			t.Errorf("seen at %v, want %s", c.Remote().Hosts, want)
		}
	}
}

// A connection over QUIC goes on when the dialler's address changes: the listener looks
// whether the new one answers, and sends there.
func TestRebind(t *testing.T) {
	t.Parallel()
	w := newWired(t, "quic")
	for i := range 2 {
		w.cable.Rebind()
		if err := w.talk(t.Context(), byte(i)); err != nil {
			t.Fatalf("after %d changes: %v", i+1, err)
		}
	}
}

// quic-go has no connection ids left for a third change. Where one does not go on, that
// is noticed like a cut, and the next Dial works.
func TestRebindTooOften(t *testing.T) {
	t.Parallel()
	a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
	cable := linktest.NewProxy(t, b.Address())
	dial := func() wired {
		ca, err := a.Dial(t.Context(), cable.Address(b.Address(), "quic"))
		if err != nil {
			t.Fatal(err)
		}
		cb, err := b.Accept(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return wired{"quic", cable, ca, cb}
	}
	w := dial()
	for i := range 4 {
		cable.Rebind()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := w.talk(ctx, byte(i))
		cancel()
		if err == nil {
			continue
		}
		t.Logf("after %d changes: %v", i+1, err)
		if !gone(w.ca, silence) || !gone(w.cb, silence) {
			t.Errorf("it neither goes on nor ends within %v", silence)
		}
		if err := dial().talk(t.Context(), 0); err != nil {
			t.Error(err)
		}
		return
	}
}

// talk says something both ways.
func (w wired) talk(ctx context.Context, what byte) error {
	for _, way := range [][2]link.Conn{{w.ca, w.cb}, {w.cb, w.ca}} {
		if err := way[0].Write(ctx, []byte{what}); err != nil {
			return err
		}
		if f, err := way[1].Read(ctx); err != nil || f[0] != what {
			return fmt.Errorf("read %x: %w", f, err)
		}
	}
	return nil
}
