package link_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	multistream "github.com/multiformats/go-multistream"
	"github.com/quic-go/quic-go"

	"kith/internal/link"
)

// rawStream is what a stranger can do with a stream.
type rawStream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// raw is a connection made by hand, without the code under test.
type raw struct {
	state  tls.ConnectionState
	open   func(context.Context) (rawStream, error)
	accept func(context.Context) error // nil once the other side opens a stream
	close  func()
}

// rawTLS is a TLS configuration with a key of its own, and the id of that key.
func rawTLS(t *testing.T, protocol string, curves ...tls.CurveID) (*tls.Config, peer.ID) {
	t.Helper()
	identity, id := rawIdentity(t)
	conf, _ := identity.ConfigForPeer("")
	conf.NextProtos = []string{protocol}
	conf.CurvePreferences = curves
	return conf, id
}

// rawIdentity is a key of its own: each connection wants a configuration of its own from it.
func rawIdentity(t *testing.T) (*p2ptls.Identity, peer.ID) {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := p2ptls.NewIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return identity, id
}

// at is the place of the first host of a of the kind.
func at(t *testing.T, a link.Address, kind string) string {
	t.Helper()
	for _, h := range a.Hosts {
		if p := strings.Split(h, "/"); (p[3] == "udp") == (kind == "quic") {
			ip, err := netip.ParseAddr(p[2])
			if err != nil {
				t.Fatal(err)
			}
			return net.JoinHostPort(ip.String(), p[4])
		}
	}
	t.Fatalf("no %s host in %v", kind, a.Hosts)
	return ""
}

// dialRaw connects to a as a stranger.
func dialRaw(t *testing.T, a link.Address, kind string, curves ...tls.CurveID) raw {
	t.Helper()
	var r raw
	var err error
	if kind == "quic" {
		r, err = dialQUIC(t, at(t, a, kind), curves)
	} else {
		r, err = dialTCP(t, at(t, a, kind), curves)
	}
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	t.Cleanup(r.close)
	return r
}

func dialQUIC(t *testing.T, at string, curves []tls.CurveID) (raw, error) {
	conf, _ := rawTLS(t, "libp2p", curves...)
	c, err := quic.DialAddr(t.Context(), at, conf, &quic.Config{EnableDatagrams: true})
	if err != nil {
		return raw{}, err
	}
	return raw{
		state: c.ConnectionState().TLS,
		open: func(ctx context.Context) (rawStream, error) {
			s, err := c.OpenStreamSync(ctx)
			if err != nil {
				return nil, err
			}
			return quicStream{s}, nil
		},
		accept: func(ctx context.Context) error {
			got := make(chan error, 3)
			go func() { _, err := c.AcceptStream(ctx); got <- err }()
			go func() { _, err := c.AcceptUniStream(ctx); got <- err }()
			go func() { _, err := c.ReceiveDatagram(ctx); got <- err }()
			for range 3 {
				if err := <-got; err == nil {
					return nil
				}
			}
			return context.Cause(c.Context())
		},
		close: func() { c.CloseWithError(0, "") },
	}, nil
}

type quicStream struct{ *quic.Stream }

func (s quicStream) CloseWrite() error { return s.Stream.Close() }

func dialTCP(t *testing.T, at string, curves []tls.CurveID) (raw, error) {
	n, err := net.Dial("tcp", at)
	if err != nil {
		return raw{}, err
	}
	if err := multistream.SelectProtoOrFail(p2ptls.ID, n); err != nil {
		return raw{}, err
	}
	conf, _ := rawTLS(t, "/yamux/1.0.0", curves...)
	secure := tls.Client(n, conf)
	if err := secure.HandshakeContext(t.Context()); err != nil {
		return raw{}, err
	}
	s, err := yamux.DefaultTransport.NewConn(secure, false, nil)
	if err != nil {
		return raw{}, err
	}
	return raw{
		state: secure.ConnectionState(),
		open: func(ctx context.Context) (rawStream, error) {
			return s.OpenStream(ctx)
		},
		accept: func(context.Context) error {
			_, err := s.AcceptStream()
			return err
		},
		close: func() { s.Close() },
	}, nil
}

// ask opens a stream and asks for the protocol.
func (r raw) ask(t *testing.T, protocol string) (rawStream, error) {
	t.Helper()
	s, err := r.open(t.Context())
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return s, multistream.SelectProtoOrFail(protocol, s)
}
