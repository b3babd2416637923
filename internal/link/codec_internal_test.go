package link

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// The announcement, spelt by hand (docs/spec/link.md).
func TestSightingText(t *testing.T) {
	peer := append(slices.Clone(edPeer), bytes.Repeat([]byte{0xaa}, 32)...)
	s := Sighting{
		Address: Address{Peer: peer},
		Nonce:   [16]byte(bytes.Repeat([]byte{0xbb}, 16)),
		Mac:     [8]byte(bytes.Repeat([]byte{0xcc}, 8)),
	}
	const want = "k=AQAkCAESIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqu7u7u7u7u7u7u7u7u7u7u8zMzMzMzMzM"
	if got := s.text(); got != want {
		t.Errorf("text:\n got %s\nwant %s", got, want)
	}
	got, err := parseText(want)
	if err != nil || !bytes.Equal(got.Address.Peer, peer) || got.Nonce != s.Nonce || got.Mac != s.Mac {
		t.Errorf("parseText: %+v, %v", got, err)
	}
}

func FuzzSighting(f *testing.F) {
	f.Add("k=AQAkCAESIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqu7u7u7u7u7u7u7u7u7u7u8zMzMzMzMzM")
	f.Add("k=AQAkCAESIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqu7u7u7u7u7u7u7u7u7u7u8zMzMzMzMz\n")
	f.Add("k=")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseText(text)
		if err == nil && s.text() != text {
			t.Errorf("%q parses and encodes to %q", text, s.text())
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03abc\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x01\x04\x01"))
	f.Add([]byte("\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bytes.NewReader(stream)
		var back []byte
		for {
			frame, err := readFrame(r)
			if errors.Is(err, ErrFrameTooLong) {
				if n := binary.BigEndian.Uint32(stream[len(back):]); n <= MaxFrame {
					t.Errorf("a frame of %d bytes is refused", n)
				}
				break
			}
			if err != nil {
				if (err == io.EOF) != (len(back) == len(stream)) {
					t.Errorf("got %v after %d of %d bytes", err, len(back), len(stream))
				}
				break
			}
			back = appendFrame(back, frame)
		}
		if !bytes.HasPrefix(stream, back) {
			t.Errorf("%x reads and encodes to %x", stream, back)
		}
	})
}

func TestParseHost(t *testing.T) {
	good := []string{
		"/ip4/192.0.2.1/udp/4001/quic-v1", "/ip4/192.0.2.1/tcp/1", "/ip6/2001:db8::1/udp/65535/quic-v1", "/ip6/::1/tcp/4001",
	}
	bad := []string{
		"", "/", "/ip4/192.0.2.1", "/ip4/192.0.2.1/udp/4001", "/ip4/192.0.2.1/udp/4001/quic", "/ip4/192.0.2.1/tcp/0",
		"/ip4/192.0.2.1/tcp/65536", "/ip4/192.0.2.1/tcp/01", "/ip4/192.0.2.01/tcp/1", "/ip4/0.0.0.0/tcp/1", "/ip4/224.0.0.1/tcp/1",
		"/ip6/192.0.2.1/tcp/1", "/ip4/::1/tcp/1", "/ip6/::ffff:192.0.2.1/tcp/1", "/ip6/FE80::1/tcp/1", "/ip6/fe80::1%eth0/tcp/1",
		"/dns4/example.org/tcp/1", "/ip4/192.0.2.1/tcp/1/p2p/x", "/ip4/192.0.2.1/tcp/1/", "ip4/192.0.2.1/tcp/1",
	}
	for _, text := range good {
		h, ok := parseHost(text)
		if !ok || h.String() != text || h.multiaddr().String() != text {
			t.Errorf("%q: got %v, %v", text, h, ok)
		}
	}
	for _, text := range bad {
		if h, ok := parseHost(text); ok {
			t.Errorf("%q is taken as %v", text, h)
		}
	}
}

func FuzzHost(f *testing.F) {
	f.Add("/ip4/192.0.2.1/udp/4001/quic-v1")
	f.Add("/ip6/2001:db8::1/tcp/4001")
	f.Add("/ip4/192.0.2.1/tcp/443/tls/ws")
	f.Add("/ip4/192.0.2.1/udp/4001/quic-v1/relay/qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo")
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := parseHost(text)
		if !ok {
			return
		}
		back, known := hostOf(h.multiaddr()) // panics if the place is no multiaddr
		back.relay = h.relay
		if h.String() != text || !known || back != h {
			t.Errorf("%q parses as %v and comes back as %v", text, h, back)
		}
	})
}

func TestSightingHosts(t *testing.T) {
	ips := []net.IP{
		net.ParseIP("10.0.0.1"), net.ParseIP("fe80::1"), net.ParseIP("198.51.100.7"), net.ParseIP("fd00::1"), net.IP("short"),
	}
	want := []string{
		"/ip4/10.0.0.1/udp/7/quic-v1", "/ip4/10.0.0.1/tcp/7", "/ip6/fd00::1/udp/7/quic-v1", "/ip6/fd00::1/tcp/7",
	}
	if got := sightingHosts(ips, 7); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i := range 20 {
		ips = append(ips, net.IPv4(10, 0, 1, byte(i)))
	}
	if got := sightingHosts(ips, 7); len(got) != MaxHosts {
		t.Errorf("%d hosts, want %d", len(got), MaxHosts)
	}
	if got := sightingHosts(ips, 0); got != nil {
		t.Errorf("port 0: got %v", got)
	}
}

// Listening on all interfaces of both families, a Link tells at most MaxHosts.
func TestHostsBound(t *testing.T) {
	s := listening{ips: []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}, port: 1}
	hosts := s.hosts()
	if len(hosts) > MaxHosts {
		t.Errorf("%d hosts, want at most %d", len(hosts), MaxHosts)
	}
	for _, h := range hosts {
		if _, ok := parseHost(h); !ok {
			t.Errorf("%s is not a host", h)
		}
	}
}
