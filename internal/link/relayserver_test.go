package link_test

import (
	"errors"
	"io"
	"testing"

	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	multistream "github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"kith/internal/link"
)

// byHand speaks to a relay without the code under test.
type byHand struct {
	identity *p2ptls.Identity
	key      string
}

func newByHand(t *testing.T) byHand {
	t.Helper()
	identity, id := rawIdentity(t)
	return byHand{identity, string(id[6:])}
}

// say opens a connection to r, and on it a stream that begins with first.
func (h byHand) say(t *testing.T, r link.Link, first string) (*quic.Conn, quicStream) {
	t.Helper()
	conf, _ := h.identity.ConfigForPeer("")
	c, err := quic.DialAddr(t.Context(), at(t, r.Address(), "quic"), conf, &quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseWithError(0, "") })
	s, err := c.OpenStreamSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := multistream.SelectProtoOrFail("/kith/relay/1", s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte(first)); err != nil {
		t.Fatal(err)
	}
	return c, quicStream{s}
}

// hears reads as many bytes as want has.
func hears(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("heard %q, %v, want %q", got, err, want)
	}
}

// The whole of a relay, spelt by hand (docs/spec/link.md): what it says, to whom, and
// that a token is good once and for one device.
func TestRelayByHand(t *testing.T) {
	r := newRelay(t, link.RelayPolicy{CircuitRate: 0x01020304, CircuitBytes: 0x0506})
	device, caller, thief := newByHand(t), newByHand(t), newByHand(t)
	ticket := string(make([]byte, 32))
	_, control := device.say(t, r, "\x01"+ticket)
	answer := make([]byte, 36)
	if _, err := io.ReadFull(control, answer); err != nil {
		t.Fatal(err)
	}
	if got := string(answer[:18]); got != "\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01" {
		t.Errorf("reserved: %x", got)
	}
	if got := string(answer[20:]); got != "\x00\x00\x00\x00\x01\x02\x03\x04\x00\x00\x00\x00\x00\x00\x05\x06" {
		t.Errorf("limits: %x", got)
	}

	_, calling := caller.say(t, r, "\x03"+device.key)
	offer := make([]byte, 17)
	if _, err := io.ReadFull(control, offer); err != nil || offer[0] != 4 {
		t.Fatalf("offer: %x, %v", offer, err)
	}
	take := "\x05" + string(offer[1:])
	_, s := thief.say(t, r, take)
	hears(t, s, "\x07\x03")
	_, s = device.say(t, r, "\x05tokentokentoken!")
	hears(t, s, "\x07\x03")
	_, taken := device.say(t, r, take)
	hears(t, taken, "\x06")
	hears(t, calling, "\x06")
	_, s = device.say(t, r, take)
	hears(t, s, "\x07\x03")

	for _, way := range [][2]quicStream{{calling, taken}, {taken, calling}} {
		if _, err := way[0].Write([]byte("as it is")); err != nil {
			t.Fatal(err)
		}
		hears(t, way[1], "as it is")
	}
	calling.CloseWrite()
	if rest, err := io.ReadAll(taken); len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}

	_, s = caller.say(t, r, "\x03"+thief.key)
	hears(t, s, "\x07\x03")
	if rest, _ := io.ReadAll(s); len(rest) != 0 {
		t.Errorf("after a refusal: %q", rest)
	}
}

// A later reservation of the same key takes the place of the earlier.
func TestReservedTwice(t *testing.T) {
	r := newRelay(t, link.RelayPolicy{Reservations: 1})
	device, caller := newByHand(t), newByHand(t)
	first, control := device.say(t, r, "\x01"+string(make([]byte, 32)))
	hears(t, control, "\x02")
	_, control = device.say(t, r, "\x01"+string(make([]byte, 32)))
	hears(t, control, "\x02")
	<-first.Context().Done()
	io.ReadFull(control, make([]byte, 35))
	caller.say(t, r, "\x03"+device.key)
	hears(t, control, "\x04")
}

// What is not the protocol ends the connection.
func TestRelayMisused(t *testing.T) {
	r := newRelay(t, link.RelayPolicy{})
	h := newByHand(t)
	for name, first := range map[string]string{"nothing of the kind": "\x00", "an answer": "\x06", "an offer": "\x04tokentokentoken!", "unknown": "\x08"} {
		c, s := h.say(t, r, first)
		if rest, err := io.ReadAll(s); len(rest) != 0 || err == nil {
			t.Errorf("%s: heard %q, %v", name, rest, err)
		}
		<-c.Context().Done()
	}
	c, s := h.say(t, r, "\x01"+string(make([]byte, 32)))
	hears(t, s, "\x02")
	second, err := c.OpenStreamSync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second.Write([]byte("more"))
	<-c.Context().Done()
	until(t, func() bool { return r.RelayStats().Reservations == 0 })
}

// A Link that does not relay does not know the protocol.
func TestRelayOffIsUnknown(t *testing.T) {
	l := newDirect(t, link.DirectConfig{})
	for range 2 {
		for _, kind := range kinds {
			var refused multistream.ErrNotSupported[string]
			if _, err := dialRaw(t, l.Address(), kind).ask(t, "/kith/relay/1"); !errors.As(err, &refused) {
				t.Errorf("%s: got %v, want ErrNotSupported", kind, err)
			}
		}
		l.ServeRelay(&link.RelayPolicy{})
		l.ServeRelay(nil)
	}
}

// A device that takes nobody keeps its callers waiting for 7 s; who is one too many is
// turned away at once.
func TestRelayCallersWait(t *testing.T) {
	r := newRelay(t, link.RelayPolicy{})
	device, caller := newByHand(t), newByHand(t)
	c, s := device.say(t, r, "\x01"+string(make([]byte, 32)))
	hears(t, s, "\x02")
	var waiting []quicStream
	for range link.RelayPerDevice {
		_, s := caller.say(t, r, "\x03"+device.key)
		waiting = append(waiting, s)
	}
	until(t, func() bool { return r.RelayStats().Circuits == link.RelayPerDevice })
	_, s = caller.say(t, r, "\x03"+device.key)
	hears(t, s, "\x07\x01")
	c.CloseWithError(0, "")
	hears(t, waiting[0], "\x07\x03") // after 7 s
	until(t, func() bool { return r.RelayStats().Circuits == 0 })
}
