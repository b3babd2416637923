package node_test

import (
	"fmt"
	"testing"

	"kith/internal/link"
	"kith/internal/node"
)

// TestHeardBeforeKnown: two devices announce themselves on the local network when they start,
// and get to know each other later. Each knows then where the other is, and does not wait for the
// next announcement, a quarter of an hour away; of strangers it remembers a bounded number.
func TestHeardBeforeKnown(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	at := func(i int) link.Address {
		return link.Address{Peer: []byte{byte(i), byte(i >> 8)}, Hosts: []string{fmt.Sprint("host ", i)}}
	}
	ann.Sighted(ben.Node, at(1))
	ann.Sighted(ben.Node, at(2)) // it started again
	for i := range node.MaxSightings - 2 {
		ann.Sighted(ann.Node, at(10+i))
	}
	befriend(t, ann, ben)
	d := ben.Status().Device
	ann.until("Ben is heard", func() bool { h := ann.Heard(d); return len(h.Hosts) == 1 && h.Hosts[0] == "host 2" })
	ann.Sighted(ben.Node, at(3))
	ann.until("Ben is elsewhere", func() bool { h := ann.Heard(d); return len(h.Hosts) == 1 && h.Hosts[0] == "host 3" })
	for i := range 10 * node.MaxSightings {
		ann.Sighted(ann.Node, at(10+i))
	}
	if n := ann.Sightings(); n != node.MaxSightings {
		t.Errorf("%d announcements are remembered", n)
	}
}
