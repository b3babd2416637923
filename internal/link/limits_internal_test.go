package link

import (
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// TestManyConnections: of a Link that many use, one address takes more connections,
// and all together take more; each is bounded.
func TestManyConnections(t *testing.T) {
	open := func(many bool, most int, at func(int) string) (n int) {
		limits, err := newLimits(many)
		if err != nil {
			t.Fatal(err)
		}
		defer limits.Close()
		for n < most {
			c, err := limits.OpenConnection(network.DirInbound, false, multiaddr.StringCast(at(n)))
			if err != nil {
				return n
			}
			defer c.Done()
			if err := c.SetPeer(peer.ID(fmt.Sprint(n))); err != nil {
				return n
			}
			n++
		}
		return n
	}
	one := func(int) string { return "/ip4/203.0.113.7/udp/4040/quic-v1" }
	home := func(i int) string { return fmt.Sprintf("/ip6/2001:db8:%x:%x::1/udp/4040/quic-v1", i>>16, i&0xffff) }
	for _, c := range []struct {
		many bool
		at   func(int) string
		want int
	}{
		{false, one, maxHostConns},
		{true, one, manyHostConns},
		{false, home, maxConns},
		{true, home, manyConns},
	} {
		if got := open(c.many, manyConns+1, c.at); got != c.want {
			t.Errorf("many %v: %d connections, want %d", c.many, got, c.want)
		}
	}
}
