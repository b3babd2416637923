package link_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"kith/internal/link"
)

// portOfQUIC is the port at which l listens for QUIC.
func portOfQUIC(t *testing.T, l link.Link) int {
	t.Helper()
	for _, h := range l.Address().Hosts {
		if _, rest, ok := strings.Cut(h, "/udp/"); ok {
			port, err := strconv.Atoi(strings.TrimSuffix(rest, "/quic-v1"))
			if err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("it listens nowhere")
	return 0
}

// TestPackets: beside QUIC, whoever shares the socket gets what they recognise, and nothing else; QUIC
// misses nothing.
func TestPackets(t *testing.T) {
	t.Parallel()
	a, b := newDirect(t, link.DirectConfig{Listen: ":0"}), newDirect(t, link.DirectConfig{Listen: ":0"})
	theirs := func(packet []byte) bool { return bytes.HasPrefix(packet, []byte("d1:")) }
	shared, err := a.Packets("udp4", theirs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Packets("udp4", theirs); !errors.Is(err, link.ErrNoPackets) {
		t.Errorf("a second one shares it: %v", err)
	}
	other, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: portOfQUIC(t, a)}
	for _, packet := range []string{"\x40 no answer", "d1 nor this", "", "d1:y1:re"} {
		if _, err := other.WriteTo([]byte(packet), to); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := b.Dial(ctx, only{a, "/quic-v1"}.Address())
	if err != nil {
		t.Fatalf("QUIC beside it: %v", err)
	}
	conn.Close()
	buf := make([]byte, 100)
	n, from, err := shared.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "d1:y1:re" || from.String() != other.LocalAddr().String() {
		t.Errorf("%q from %v, %v", buf[:n], from, err)
	}
	if _, err := shared.WriteTo([]byte("d1:y1:qe"), other.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if n, from, err = other.ReadFrom(buf); err != nil || string(buf[:n]) != "d1:y1:qe" || from.(*net.UDPAddr).Port != to.Port {
		t.Errorf("%q from %v, %v: the router would show another port", buf[:n], from, err)
	}

	shared.Close()
	if _, _, err := shared.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	again, err := a.Packets("udp4", theirs)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, _, err := again.ReadFrom(make([]byte, 1)); read <- err }()
	a.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the Link is closed: %v", err)
	}
	if _, err := a.Packets("udp4", theirs); !errors.Is(err, link.ErrClosed) {
		t.Errorf("of a closed Link: %v", err)
	}
	if _, err := newDirect(t, link.DirectConfig{}).Packets("udp4", theirs); !errors.Is(err, link.ErrNoPackets) {
		t.Errorf("of a Link at one address: %v", err)
	}
}
