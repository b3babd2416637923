package link_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	multistream "github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"kith/internal/link"
)

var kinds = []string{"quic", "tcp"}

// A stranger who only connects is told nothing and is sent away after 10 s.
func TestStrangerIsSentAway(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newDirect(t, link.DirectConfig{Write: func([]byte) { t.Error("a frame was written") }})
			r := dialRaw(t, l.Address(), kind)
			if err := r.accept(t.Context()); err == nil {
				t.Error("the Link opened a stream to a stranger")
			}
			if _, err := r.open(t.Context()); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

// None of the protocols that a libp2p node usually tells about itself exists.
// Asked for ours, the Link answers with its name and waits.
func TestStrangerLearnsNothing(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l := newDirect(t, link.DirectConfig{Write: func([]byte) { t.Error("a frame was written") }})
			r := dialRaw(t, l.Address(), kind)
			s, err := r.open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var refused multistream.ErrNotSupported[string]
			others := []string{
				"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/libp2p/autonat/1.0.0",
				"/libp2p/circuit/relay/0.2.0/hop", "/libp2p/dcutr", "/ipfs/kad/1.0.0", "ls",
			}
			if _, err := multistream.SelectOneOf(others, s); !errors.As(err, &refused) {
				t.Fatalf("other protocols: got %v, want ErrNotSupported", err)
			}
			// Negotiation goes on where it was: the next name is ours.
			if _, err := s.Write([]byte("\x08/kith/1\n")); err != nil {
				t.Fatal(err)
			}
			c, err := l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.Close() // what the node does to a stranger, after the same time
			rest, err := io.ReadAll(s)
			if string(rest) != "\x08/kith/1\n" {
				t.Errorf("a stranger got %q (%v), want only the echo of the protocol", rest, err)
			}
		})
	}
}

// The frame on the wire, spelt by hand (docs/spec/link.md).
func TestFrameBytes(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			l := newDirect(t, link.DirectConfig{})
			s, err := dialRaw(t, l.Address(), kind).ask(t, "/kith/1")
			if err != nil {
				t.Fatal(err)
			}
			c, err := l.Accept(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Write([]byte("\x00\x00\x00\x03abc\x00\x00\x00\x00\x00\x00\x00\x01d")); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"abc", "", "d"} {
				if f, err := c.Read(t.Context()); err != nil || string(f) != want {
					t.Fatalf("Read: %q, %v, want %q", f, err, want)
				}
			}
			if err := c.Write(t.Context(), []byte("xy")); err != nil {
				t.Fatal(err)
			}
			c.Close()
			got := make([]byte, 6)
			if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, []byte("\x00\x00\x00\x02xy")) {
				t.Fatalf("the peer got %x (%v)", got, err)
			}
			s.Close()
		})
	}
}

// What a peer can do wrong ends the connection.
func TestMisbehavingPeer(t *testing.T) {
	cases := []struct {
		name string
		do   func(raw, rawStream) error
		want error
	}{
		{"frame over MaxFrame", func(_ raw, s rawStream) error {
			_, err := s.Write([]byte{0x00, 0x01, 0x04, 0x01}) // 65 KiB + 1
			return err
		}, link.ErrFrameTooLong},
		{"ends inside a frame", func(_ raw, s rawStream) error {
			s.Write([]byte("\x00\x00\x00\x09part"))
			return s.CloseWrite()
		}, link.ErrClosed},
		{"second stream", func(r raw, _ rawStream) error {
			s, err := r.open(context.Background())
			if err == nil {
				_, err = s.Write([]byte("hello"))
			}
			return err
		}, link.ErrClosed},
	}
	for _, c := range cases {
		for _, kind := range kinds {
			t.Run(c.name+"/"+kind, func(t *testing.T) {
				l := newDirect(t, link.DirectConfig{})
				r := dialRaw(t, l.Address(), kind)
				s, err := r.ask(t, "/kith/1")
				if err != nil {
					t.Fatal(err)
				}
				conn, err := l.Accept(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := c.do(r, s); err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Read(t.Context()); !errors.Is(err, c.want) || !errors.Is(err, link.ErrClosed) {
					t.Errorf("Read: got %v, want %v", err, c.want)
				}
				<-conn.Done()
			})
		}
	}
}

// Both transports agree on X25519MLKEM768 and on nothing else.
func TestPostQuantum(t *testing.T) {
	classic := []tls.CurveID{tls.X25519, tls.CurveP256}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			l := newDirect(t, link.DirectConfig{})
			r := dialRaw(t, l.Address(), kind)
			if r.state.CurveID != tls.X25519MLKEM768 || r.state.Version != tls.VersionTLS13 {
				t.Errorf("negotiated %v in version %x, want X25519MLKEM768 in TLS 1.3", r.state.CurveID, r.state.Version)
			}
			if _, err := r.ask(t, "/kith/1"); err != nil {
				t.Errorf("a post-quantum peer is refused: %v", err)
			}
			if _, err := dialRaw(t, l.Address(), kind, classic...).ask(t, "/kith/1"); err == nil {
				t.Error("a dialler without post-quantum key exchange is served")
			}
			if _, err := l.Dial(t.Context(), listenClassic(t, kind, classic)); !errors.Is(err, link.ErrNotPostQuantum) {
				t.Errorf("Dial of a listener without it: got %v, want ErrNotPostQuantum", err)
			}
		})
	}
}

// listenClassic is a listener that completes the handshake with the curves.
func listenClassic(t *testing.T, kind string, curves []tls.CurveID) link.Address {
	t.Helper()
	if kind == "quic" {
		conf, id := rawTLS(t, "libp2p", curves...)
		l, err := quic.ListenAddr("127.0.0.1:0", conf, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return hostAddress(t, id, "/udp/%d/quic-v1", l.Addr().(*net.UDPAddr).Port)
	}
	conf, id := rawTLS(t, "/yamux/1.0.0", curves...)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		n, err := l.Accept()
		if err != nil {
			return
		}
		defer n.Close()
		m := multistream.NewMultistreamMuxer[string]()
		m.AddHandler(p2ptls.ID, nil)
		if _, _, err := m.Negotiate(n); err == nil {
			io.Copy(io.Discard, tls.Server(n, conf))
		}
	}()
	return hostAddress(t, id, "/tcp/%d", l.Addr().(*net.TCPAddr).Port)
}
