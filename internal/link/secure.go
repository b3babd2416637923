package link

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	p2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// The certificates of go-libp2p are good from an hour before the program was started, by its own
// clock: who is more than an hour behind that refuses them, and nothing connects. They
// say nothing that the extension does not, so ours are good at any time. 9999 is the end of
// those that have none (RFC 5280 section 4.1.2.5).
var (
	certBegins = time.Unix(0, 0).UTC()
	certEnds   = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

// timeless makes the certificate of a transport one that is good at any time.
func timeless() (p2ptls.IdentityOption, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	subject, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	return p2ptls.WithCertTemplate(&x509.Certificate{
		SerialNumber: serial, NotBefore: certBegins, NotAfter: certEnds,
		Subject: pkix.Name{SerialNumber: subject.String()},
	}), nil
}

// secure is the TLS of go-libp2p for TCP, whose own transport takes no certificate of ours.
type secure struct {
	identity *p2ptls.Identity
	self     peer.ID
}

func newSecure(key crypto.PrivKey) (*secure, error) {
	self, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	cert, err := timeless()
	if err != nil {
		return nil, err
	}
	identity, err := p2ptls.NewIdentity(key, cert)
	if err != nil {
		return nil, err
	}
	return &secure{identity, self}, nil
}

func (s *secure) ID() protocol.ID { return p2ptls.ID }

func (s *secure) SecureInbound(ctx context.Context, below net.Conn, who peer.ID) (sec.SecureConn, error) {
	return s.shake(ctx, below, who, tls.Server)
}

func (s *secure) SecureOutbound(ctx context.Context, below net.Conn, who peer.ID) (sec.SecureConn, error) {
	return s.shake(ctx, below, who, tls.Client)
}

var errNoKey = errors.New("link: a handshake without the other side's key")

// shake makes a connection with who, or with anybody if that is empty.
func (s *secure) shake(ctx context.Context, below net.Conn, who peer.ID, side func(net.Conn, *tls.Config) *tls.Conn) (sec.SecureConn, error) {
	conf, keys := s.identity.ConfigForPeer(who)
	conf.NextProtos = append([]string{yamux.ID}, conf.NextProtos...)
	c, err := s.shaken(ctx, side(below, conf), keys)
	if err != nil {
		below.Close()
		return nil, err
	}
	return c, nil
}

func (s *secure) shaken(ctx context.Context, c *tls.Conn, keys <-chan crypto.PubKey) (*secured, error) {
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	var key crypto.PubKey
	select {
	case key = <-keys:
	default:
	}
	if key == nil {
		return nil, errNoKey
	}
	remote, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, err
	}
	// Who speaks "libp2p" alone agrees on the muxer afterwards.
	early := c.ConnectionState().NegotiatedProtocol == yamux.ID
	state := network.ConnectionState{UsedEarlyMuxerNegotiation: early}
	if early {
		state.StreamMultiplexer = yamux.ID
	}
	return &secured{c, s.self, remote, key, state}, nil
}

// secured is a TLS connection whose other side is known by its key.
type secured struct {
	*tls.Conn
	self, remote peer.ID
	key          crypto.PubKey
	state        network.ConnectionState
}

func (c *secured) LocalPeer() peer.ID                 { return c.self }
func (c *secured) RemotePeer() peer.ID                { return c.remote }
func (c *secured) RemotePublicKey() crypto.PubKey     { return c.key }
func (c *secured) ConnState() network.ConnectionState { return c.state }
