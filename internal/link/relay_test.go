package link_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kith/internal/link"
	"kith/internal/link/linktest"
)

// newRelay is a Link on loopback that relays by policy.
func newRelay(t testing.TB, policy link.RelayPolicy) link.Direct {
	t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0", WebSocket: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.ServeRelay(&policy)
	return l
}

// reserve has l reserve a place at the relays and waits for n of them.
func reserve(t testing.TB, l link.Direct, n int, relays ...link.Relay) {
	t.Helper()
	l.UseRelays(relays)
	until(t, func() bool { return len(relayHosts(l)) == n })
}

func relayHosts(l link.Link) []string {
	var hosts []string
	for _, h := range l.Address().Hosts {
		if strings.Contains(h, "/relay/") {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// until waits for what is so at last.
func until(t testing.TB, so func() bool) {
	t.Helper()
	late := time.After(15 * time.Second)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-look.C:
		case <-late:
			t.Fatal("it never comes to that")
		}
	}
}

// part is the address of l with only those hosts that have part in their text.
func part(l link.Link, part string) link.Address { return only{l, part}.Address() }

// A connection through a relay is like any other, whatever carries it to the relay.
func TestRelay(t *testing.T) {
	for _, kind := range []string{"/quic-v1", "/tcp/", "/ws"} {
		t.Run(kind[1:], func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) (link.Link, link.Link) {
				r := newRelay(t, link.RelayPolicy{})
				to := part(r, kind)
				if kind == "/tcp/" {
					to.Hosts = to.Hosts[:1] // not WebSocket's
				}
				a, b := newDirect(t, link.DirectConfig{}), newDirect(t, link.DirectConfig{})
				reserve(t, a, 1, link.Relay{Address: to})
				reserve(t, b, 1, link.Relay{Address: to})
				return only{a, "/relay/"}, only{b, "/relay/"}
			})
		})
	}
}

func TestWebSocket(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()
			linktest.Run(t, func(t *testing.T) (link.Link, link.Link) {
				cfg := link.DirectConfig{WebSocket: listen}
				return only{newDirect(t, cfg), "/tls/ws"}, only{newDirect(t, cfg), "/tls/ws"}
			})
		})
	}
}

var (
	_ = bytes.Equal
	_ = context.Canceled
	_ = errors.Is
)
