package portmap_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
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

// A router that starts again says so, by PCP and NAT-PMP; the mapping is there again
// long before the lease is half over.
func TestRouterRestarts(t *testing.T) {
	for _, way := range []portmap.Way{portmap.PCP, portmap.NATPMP} {
		t.Run(way.String(), func(t *testing.T) {
			l := newLab(t, "1.2.3.1")
			l.router()
			l.ways(way)
			l.open(time.Hour, time.Minute)
			s := l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() }).IPv4
			mapped := time.Now()
			l.until("the router has counted some seconds", func() bool { return time.Since(mapped) > 4*time.Second })
			l.routerDies()
			if l.reaches("udp4", s.UDP.String()) {
				t.Fatal("the router still forwards")
			}
			l.router()
			// This router tells of itself when its external address has come back.
			if err := l.daemon.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			l.until("the mapping is made anew", func() bool { return l.reaches("udp4", s.UDP.String()) })
			t.Logf("again after %v", time.Since(began).Round(time.Millisecond))
			l.until("TCP too", func() bool { return l.reaches("tcp4", s.UDP.String()) })
		})
	}
}

// By UPnP nobody tells: a renewal finds it out, and Kick at once. A router that is
// gone is told of.
func TestRouterForgets(t *testing.T) {
	l := newLab(t, "1.2.3.1")
	l.router()
	l.ways(portmap.UPnP)
	l.open(8*time.Second, time.Second)
	s := l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() }).IPv4
	l.routerDies()
	l.router()
	l.until("a renewal makes it anew", func() bool { return l.reaches("udp4", s.UDP.String()) })
	l.routerDies()
	l.router()
	l.kick()
	l.until("Kick makes it anew", func() bool { return l.reaches("udp4", s.UDP.String()) })
	l.routerDies()
	l.kick()
	l.wait("the word that it is gone", func(s portmap.State) bool { return !s.IPv4.Mapped() && s.IPv4.Reason == portmap.NoAnswer })
}

// What a killed program left ends with its lease; a program that starts again with
// the same nonce takes it over, one with another is refused by PCP and goes on.
func TestLeaseRunsOut(t *testing.T) {
	l := newLab(t, "1.2.3.1")
	l.router()
	l.ways(portmap.PCP)
	l.open(5*time.Second, time.Second)
	mapped := func(s portmap.State) bool { return s.IPv4.Mapped() }
	at := l.wait("a mapping", mapped).IPv4.UDP.String()
	for end := time.Now().Add(7 * time.Second); time.Now().Before(end); <-time.After(500 * time.Millisecond) {
		if !l.reaches("udp4", at) {
			t.Fatal("not reached while it is renewed")
		}
	}
	l.crash()
	l.open(5*time.Second, time.Second)
	if again := l.wait("the same mapping", mapped).IPv4; again.UDP.String() != at || again.Way != portmap.PCP {
		t.Errorf("after a crash: %+v", again)
	}
	l.crash()
	l.until("the lease is over", func() bool { return !strings.Contains(l.in("router", "nft", "list", "ruleset"), "192.168.7.2") })
}

// A router that forbids it: by UPnP it says so. By PCP this one tries all ports before
// it answers, which takes longer than anybody waits; that it was there is told.
func TestRouterRefuses(t *testing.T) {
	for way, want := range map[portmap.Way]portmap.Reason{portmap.PCP: portmap.Refused, portmap.UPnP: portmap.NotAuthorised} {
		t.Run(way.String(), func(t *testing.T) {
			l := newLab(t, "1.2.3.1")
			l.router("deny 0-65535 0.0.0.0/0 0-65535")
			l.ways(way)
			l.open(time.Hour, time.Minute)
			s := l.wait("an answer", func(s portmap.State) bool { return s.IPv4.Reason != portmap.NotAsked }).IPv4
			if s.Mapped() || s.Reason != want && s.Reason != portmap.NotAuthorised || s.TriedBy(way) != s.Reason {
				t.Errorf("refused: %+v", s)
			}
		})
	}
}

// A second NAT in front: this router then says that it has no address to give. One that
// gives it all the same is in TestExternalAddress.
func TestSecondNAT(t *testing.T) {
	for _, wan := range []string{"192.168.1.7", "100.64.3.7"} {
		t.Run(wan, func(t *testing.T) {
			l := newLab(t, wan)
			l.router()
			l.open(time.Hour, time.Minute)
			s := l.wait("an answer", func(s portmap.State) bool { return s.IPv4.Reason != portmap.NotAsked }).IPv4
			if s.Mapped() || s.Reason != portmap.NoExternalAddress {
				t.Errorf("behind two: %+v", s)
			}
		})
	}
}

// Somebody else at home has our port: we are given another, in each way, and theirs
// stays theirs.
func TestConflict(t *testing.T) {
	for _, way := range []portmap.Way{portmap.PCP, portmap.NATPMP, portmap.UPnP} {
		t.Run(way.String(), func(t *testing.T) {
			l := newLab(t, "1.2.3.1")
			l.router("secure_mode=no")
			l.in("home", "ip", "addr", "add", "192.168.7.3/24", "dev", "eth0")
			l.other()
			l.ways(way)
			l.open(time.Hour, time.Minute)
			s := l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() }).IPv4
			if s.UDP.Port() == port || !l.reaches("udp4", s.UDP.String()) || !l.reaches("tcp4", s.TCP.String()) {
				t.Errorf("mapped: %+v", s)
			}
			l.close()
			if rules := l.in("router", "nft", "list", "ruleset"); !strings.Contains(rules, "192.168.7.3") || strings.Contains(rules, "192.168.7.2") {
				t.Errorf("theirs is gone, or ours is not:\n%s", rules)
			}
		})
	}
}

// No way out: said, and found once there is one.
func TestNoGateway(t *testing.T) {
	l := newLab(t, "1.2.3.1")
	l.router()
	l.in("home", "ip", "route", "del", "default")
	l.open(time.Hour, time.Minute)
	l.wait("the word that there is none", func(s portmap.State) bool { return s.IPv4.Reason == portmap.NoGateway })
	l.in("home", "ip", "route", "add", "default", "via", "192.168.7.1")
	l.kick()
	l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() })
}

// What keeping a mapping costs, both families together, in bytes on the cable. All
// that a Mapper says at rest is its renewals.
func TestCost(t *testing.T) {
	const renewals = 2 * 16. / 15 // an hour, at half of the lease less a random sixteenth
	for _, way := range []portmap.Way{portmap.PCP, portmap.NATPMP, portmap.UPnP} {
		t.Run(way.String(), func(t *testing.T) {
			l := newLab(t, "1.2.3.1")
			l.router()
			l.ways(way)
			l.open(time.Hour, time.Minute)
			l.wait("a mapping", func(s portmap.State) bool { return s.IPv4.Mapped() })
			const rounds = 5
			var sizes []int
			for range rounds {
				before, old := l.carried(), l.now.IPv4.Until
				l.kick()
				l.wait("a renewal", func(s portmap.State) bool { return s.IPv4.Until.After(old) })
				sizes = append(sizes, l.carried()-before)
			}
			slices.Sort(sizes) // one may have met an announcement of the router's
			each := sizes[rounds/2]
			hour := float64(each) * renewals
			t.Logf("by %v a renewal is %d bytes, an hour %.1f kB", way, each, hour/1000)
			if hour > 20_000 {
				t.Errorf("an hour costs %.0f bytes", hour)
			}
		})
	}
}
