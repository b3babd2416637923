package portmap_test

import (
	"fmt"
	"testing"
	"time"

	"kith/internal/portmap"
)

// Each way alone, and all together: what is mapped is reached from the Internet, and
// is not once it is taken back.
func TestRealRouter(t *testing.T) {
	for _, c := range []struct {
		name string
		ways []portmap.Way
		want portmap.Way
	}{
		{"PCP", []portmap.Way{portmap.PCP}, portmap.PCP},
		{"NAT-PMP", []portmap.Way{portmap.NATPMP}, portmap.NATPMP},
		{"UPnP", []portmap.Way{portmap.UPnP}, portmap.UPnP},
		{"all", []portmap.Way{portmap.PCP, portmap.NATPMP, portmap.UPnP}, portmap.PCP},
		{"the two of old", []portmap.Way{portmap.NATPMP, portmap.UPnP}, portmap.NATPMP},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, "1.2.3.1")
			l.router()
			l.ways(c.ways...)
			l.open(time.Hour, time.Minute)
			began := time.Now()
			s := l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() }).IPv4
			t.Logf("mapped by %v after %v: %v", s.Way, time.Since(began).Round(time.Millisecond), s.Tried)
			if s.Way != c.want || s.Reason != portmap.Works || s.UDP.String() != "1.2.3.1:4001" || s.TCP != s.UDP {
				t.Fatalf("mapped: %+v", s)
			}
			if left := time.Until(s.Until); left < 50*time.Minute || left > time.Hour {
				t.Errorf("the lease ends in %v", left)
			}
			for _, network := range []string{"udp4", "tcp4"} {
				if !l.reaches(network, s.UDP.String()) {
					t.Errorf("%s from the Internet does not arrive", network)
				}
			}
			l.close()
			for _, network := range []string{"udp4", "tcp4"} {
				if l.reaches(network, s.UDP.String()) {
					t.Errorf("%s from the Internet arrives after Close", network)
				}
			}
		})
	}
}

func TestPinhole(t *testing.T) {
	l := newLab(t, "1.2.3.1")
	l.router()
	l.open(time.Hour, time.Minute)
	at := fmt.Sprintf("[2a00:7::2]:%d", port)
	s := l.wait("a pinhole", func(s portmap.State) bool { return s.IPv6.Reason != portmap.NotAsked }).IPv6
	if s.UDP.String() != at || s.TCP.String() != at || s.Way != portmap.PCP || s.Reason != portmap.Works {
		t.Fatalf("pinhole: %+v", s)
	}
	if !l.reaches("udp6", at) || !l.reaches("tcp6", at) {
		t.Error("nothing comes through the pinhole")
	}
	l.close()
	if l.reaches("udp6", at) || l.reaches("tcp6", at) {
		t.Error("the pinhole is open after Close")
	}
}
