package node_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"slices"
	"testing"

	"kith/internal/node"
)

// TestLinkHosts: of the few places in a contact link each way in has one.
func TestLinkHosts(t *testing.T) {
	const (
		quic4, tcp4, ws4 = "/ip4/11.1.1.10/udp/4001/quic-v1", "/ip4/11.1.1.10/tcp/4001", "/ip4/11.1.1.10/tcp/443/tls/ws"
		quic6, tcp6, ws6 = "/ip6/2a02::a/udp/4001/quic-v1", "/ip6/2a02::a/tcp/4001", "/ip6/2a02::a/tcp/443/tls/ws"
		home             = "/ip4/192.168.1.10/udp/4001/quic-v1"
	)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	by := "/relay/" + base64.RawURLEncoding.EncodeToString(key)
	relayQ, relayT := "/ip4/11.2.1.10/udp/4001/quic-v1"+by, "/ip4/11.2.1.10/tcp/4001"+by
	for _, c := range []struct{ has, want []string }{
		{[]string{quic4, tcp4, quic6, tcp6, ws4, ws6}, []string{quic4, ws4, ws6, tcp4}},
		{[]string{quic4, quic6, tcp4, tcp6}, []string{quic4, quic6, tcp4, tcp6}},
		{[]string{home, relayQ, relayT}, []string{relayQ, relayT, home}},
		{[]string{quic6, tcp6, home, relayQ, relayT}, []string{quic6, relayQ, relayT, tcp6}},
		{[]string{home}, []string{home}},
		{nil, nil},
	} {
		if got := node.LinkHosts(c.has); !slices.Equal(got, c.want) {
			t.Errorf("of %v a link has %v, want %v", c.has, got, c.want)
		}
	}
}
