package node

import (
	"testing"
	"time"

	"kith/internal/link"
)

// TestProbedUnasked: only who was asked says whether this node can be reached.
func TestProbedUnasked(t *testing.T) {
	t.Parallel()
	n, err := Open(Config{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	places := []string{"/ip4/192.0.2.1/udp/4040/quic-v1"}
	n.trial = trial{places: places, asked: time.Now()}
	n.onProbed(&way{}, probed{places})
	if reached, known := n.proved(); reached || known {
		t.Error("who was not asked is believed")
	}
	n.onProbed(&way{probes: true}, probed{places})
	if reached, known := n.proved(); !reached || !known {
		t.Error("who was asked is not believed")
	}
}

// TestRelayOrder: of two relays one is always before the other.
func TestRelayOrder(t *testing.T) {
	relay := func(peer string, here bool, at uint64) relayChoice {
		return relayChoice{link.Relay{Address: link.Address{Peer: []byte(peer)}}, here, at}
	}
	for _, c := range [][2]relayChoice{
		{relay("a", false, 5000), relay("b", false, 5000)},
		{relay("b", false, 1<<63), relay("a", false, 5000)},
		{relay("b", true, 5000), relay("a", false, 9000)},
	} {
		if c[0].compare(c[1]) >= 0 || c[1].compare(c[0]) <= 0 {
			t.Errorf("%+v is not before %+v", c[0], c[1])
		}
	}
}

// TestOfferAgain: an offer to be relayed for is made anew where it is another, and taken back where
// one was made.
func TestOfferAgain(t *testing.T) {
	w := &way{}
	at := func(host string) relayOffer { return relayOffer{peer: []byte{1}, hosts: []string{host}} }
	for i, c := range []struct {
		offer relayOffer
		due   bool
	}{{relayOffer{}, false}, {at("a"), true}, {at("a"), false}, {at("b"), true}, {relayOffer{}, true}, {relayOffer{}, false}, {at("b"), true}} {
		if w.offers(c.offer) != c.due {
			t.Errorf("offer %d: due is %v", i, !c.due)
		}
	}
}
