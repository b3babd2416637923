package link

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The frames, spelt by hand (docs/spec/link.md).
func TestRelayFrameBytes(t *testing.T) {
	a := strings.Repeat("a", 32)
	place := func(text string) host {
		h, ok := parseHost(text)
		if !ok {
			t.Fatal(text)
		}
		return h
	}
	cases := []struct {
		frame relayFrame
		bytes string
	}{
		{relayFrame{kind: kindReserve, ticket: [32]byte([]byte(a))}, "\x01" + a},
		{
			relayFrame{kind: kindReserved, observed: place("/ip4/192.0.2.1/udp/4001/quic-v1"), rate: 1 << 20, size: 5},
			"\x02" + "\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" + "\x0f\xa1" +
				"\x00\x00\x00\x00\x00\x10\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x05",
		},
		{
			relayFrame{kind: kindReserved, observed: place("/ip6/2001:db8::1/tcp/443/tls/ws")},
			"\x02" + "\x03" + "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x01\xbb" + strings.Repeat("\x00", 16),
		},
		{relayFrame{kind: kindCall, device: publicKey([]byte(a))}, "\x03" + a},
		{relayFrame{kind: kindOffer, token: token([]byte(a)[:16])}, "\x04" + a[:16]},
		{relayFrame{kind: kindTake, token: token([]byte(a)[:16])}, "\x05" + a[:16]},
		{relayFrame{kind: kindJoined}, "\x06"},
		{relayFrame{kind: kindRefused, reason: reasonNobody}, "\x07\x03"},
	}
	for _, c := range cases {
		if got := string(c.frame.append(nil)); got != c.bytes {
			t.Errorf("kind %d:\n got %x\nwant %x", c.frame.kind, got, c.bytes)
		}
		r := strings.NewReader(c.bytes + "rest")
		back, err := readRelayFrame(r, c.frame.kind)
		rest, _ := io.ReadAll(r)
		if err != nil || back != c.frame || string(rest) != "rest" {
			t.Errorf("kind %d: read %+v, %v, and left %q", c.frame.kind, back, err, rest)
		}
		if _, err := readRelayFrame(strings.NewReader(c.bytes), c.frame.kind+1); !errors.Is(err, ErrRelayBroken) {
			t.Errorf("kind %d: read as another kind: %v", c.frame.kind, err)
		}
		for n := range c.bytes {
			if _, err := readRelayFrame(strings.NewReader(c.bytes[:n]), c.frame.kind); err == nil {
				t.Errorf("kind %d: read of %d bytes", c.frame.kind, n)
			}
		}
	}
	for _, at := range []string{"over", "zero port", "nowhere", "many"} {
		b := []byte(cases[1].bytes)
		switch at {
		case "over":
			b[1] = 4
		case "zero port":
			b[18], b[19] = 0, 0
		case "nowhere":
			copy(b[2:18], make([]byte, 16))
		case "many":
			b[14] = 224
		}
		if f, err := readRelayFrame(bytes.NewReader(b), kindReserved); !errors.Is(err, ErrRelayBroken) {
			t.Errorf("%s: observed as %v", at, f.observed)
		}
	}
}

func FuzzRelayFrame(f *testing.F) {
	f.Add([]byte("\x01" + strings.Repeat("t", 32)))
	f.Add([]byte("\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01\x0f\xa1" + strings.Repeat("\x00", 16)))
	f.Add([]byte("\x07\x03"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		frame, err := readRelayFrame(r, kindReserve, kindReserved, kindCall, kindOffer, kindTake, kindJoined, kindRefused)
		if err != nil {
			return
		}
		read := b[:len(b)-r.Len()]
		if back := frame.append(nil); !bytes.Equal(back, read) {
			t.Errorf("%x reads and encodes to %x", read, back)
		}
		if frame.kind == kindReserved {
			if h, ok := parseHost(frame.observed.String()); !ok || h != frame.observed {
				t.Errorf("observed at %v, which is no host", frame.observed)
			}
		}
	})
}

// The forms of hosts beside those of TestParseHost.
func TestRelayHost(t *testing.T) {
	key := "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo"
	longest := "/ip6/2001:1db8:1111:1111:1111:1111:1111:1111/udp/65535/quic-v1/relay/" + key
	good := map[string]string{
		"/ip4/192.0.2.1/udp/4001/quic-v1/relay/" + key: "relay",
		"/ip6/2001:db8::1/tcp/1/relay/" + key:          "relay",
		"/ip4/192.0.2.1/tcp/443/tls/ws/relay/" + key:   "relay",
		"/ip4/192.0.2.1/tcp/443/tls/ws":                "ws",
		"/ip6/::1/tcp/443/tls/ws":                      "ws",
		longest:                                        "relay",
	}
	for text, kind := range good {
		if h, ok := parseHost(text); !ok || h.String() != text || h.kind() != kind {
			t.Errorf("%q: got %v, %v", text, h, ok)
		}
	}
	if len(longest) != 112 {
		t.Errorf("the longest host has %d bytes, docs/spec/link.md says 112", len(longest))
	}
	for _, text := range []string{
		"/ip4/192.0.2.1/udp/1/quic-v1/relay/", "/ip4/192.0.2.1/udp/1/quic-v1/relay", "/ip4/192.0.2.1/udp/1/relay/" + key,
		"/ip4/192.0.2.1/tcp/1/relay/" + key + "/", "/ip4/192.0.2.1/tcp/1/relay/" + key + "/relay/" + key, "/relay/" + key,
		"/ip4/192.0.2.1/tcp/1/relay/" + key[:42], "/ip4/192.0.2.1/tcp/1/relay/" + key[:42] + "p", "/ip4/192.0.2.1/tcp/1/relay/" + strings.Repeat("A", 43),
		"/ip4/192.0.2.1/udp/1/tls/ws", "/ip4/192.0.2.1/tcp/1/ws", "/ip4/192.0.2.1/tcp/1/tls", "/ip4/192.0.2.1/tcp/1/quic-v1", "/ip4/192.0.2.1/tcp/1/tls/ws/",
	} {
		if h, ok := parseHost(text); ok {
			t.Errorf("%q is taken as %v", text, h)
		}
	}
}

// Offers of bytes beyond the rate wait for it, each behind the one before.
func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(1000, 0)
	if b.take(now, 1<<40) != 0 {
		t.Error("no rate, and still a wait")
	}
	b.set(1000)
	for i, want := range []time.Duration{0, time.Second, 2 * time.Second} {
		if got := b.take(now, 1000); got != want {
			t.Errorf("the %d. kilobyte of a second waits %v, want %v", i+1, got, want)
		}
	}
	if got := b.take(now.Add(time.Hour), 500); got > 0 {
		t.Errorf("after an hour the first waits %v", got)
	}
}

// A day begins anew 24 hours after the last, and what is too much is too much.
func TestDayBytes(t *testing.T) {
	r := relayServer{policy: RelayPolicy{DayBytes: 100}.filled()}
	if !r.left(99) || r.left(1) || r.left(0) {
		t.Error("100 bytes a day are not what they are")
	}
	if r.day = r.day.Add(-24 * time.Hour); !r.left(0) || r.stats.Today != 0 || r.stats.Bytes != 100 {
		t.Errorf("on the next day: %+v", r.stats)
	}
}

func TestCallerPrefix(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64"} {
		if got := prefixOf(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s counts as %v, want %s", text, got, want)
		}
	}
}
