package peer_test

import (
	"bytes"
	"testing"

	"kith/internal/link"
	"kith/internal/peer"
)

// The same over real QUIC and TCP with TLS, on loopback.
func TestOverDirect(t *testing.T) {
	from, to := direct(t), direct(t)
	transports := make(map[string]bool)
	for _, host := range to.Address().Hosts {
		ann, ben := friends(t)
		a, b := dial(t, from, only{to, host})
		transports[a.Kind()] = true
		x, y := meet(t, ann, ben, a, b)
		endX, endY := run(t, x), run(t, y)
		big := payload(peer.MaxMessage, 7)
		if err := x.Send(peer.Message{Payload: big}); err != nil {
			t.Fatal(err)
		}
		if err := y.Send(peer.Message{Payload: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
		if m := <-x.Messages(); string(m.Payload) != "hello" {
			t.Fatalf("%s: got %q", a.Kind(), m.Payload)
		}
		if m := <-y.Messages(); !bytes.Equal(m.Payload, big) {
			t.Fatalf("%s: the long message came changed", a.Kind())
		}
		if err := x.Send(peer.Message{Payload: []byte("last")}); err != nil {
			t.Fatal(err)
		}
		if err := x.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		x.Close(nil)
		want(t, <-endX, peer.ErrEnded)
		if m := <-y.Messages(); string(m.Payload) != "last" {
			t.Fatalf("%s: got %q", a.Kind(), m.Payload)
		}
		want(t, <-endY, link.ErrClosed)
	}
	if !transports["quic"] || !transports["tcp"] {
		t.Fatalf("tried %v", transports)
	}
}

// A knock that was good on one real connection is nothing on the next.
func TestReplayOverDirect(t *testing.T) {
	from, to := direct(t), direct(t)
	ann, ben := friends(t)
	a, b := dial(t, from, to)
	x, y := meet(t, ann, ben, a, b)
	x.Close(nil)
	y.Close(nil)
	c, d := dial(t, from, to)
	defer c.Close()
	defer d.Close()
	if _, _, err := peer.Judge(a.written()[0], d.Binding(), ben.config()); err == nil {
		t.Fatal("a replayed knock was taken")
	}
	if c.Binding() != d.Binding() || a.Binding() == c.Binding() {
		t.Fatal("bindings differ between ends, or not between connections")
	}
}

func direct(t *testing.T) link.Link {
	t.Helper()
	l, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// only is a Link that names one of its hosts.
type only struct {
	link.Link
	host string
}

func (l only) Address() link.Address {
	return link.Address{Peer: l.Link.Address().Peer, Hosts: []string{l.host}}
}
