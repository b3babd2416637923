package rendezvous_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kith/internal/identity"
	"kith/internal/rendezvous"
	"kith/internal/wire"
)

// deadAddrs are ports at which nobody answers.
func deadAddrs(t *testing.T, n int) (out []string) {
	for range n {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c.LocalAddr().String())
		c.Close()
	}
	return out
}

// TestWaysIn: every host of the list is blocked. Nodes remembered, or named by a friend,
// are enough, and without them it is said that there is no way in.
func TestWaysIn(t *testing.T) {
	w := startNetwork(t, 30)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	publish(t, a, s, record(ann, s, noon))
	remembered := a.Nodes()
	if len(remembered) < 8 { // a lookup ends once the eight closest have answered, which may be all it asked
		t.Fatalf("%d nodes remembered", len(remembered))
	}
	dead := deadAddrs(t, 4)

	none := client(t, rendezvous.Config{Bootstrap: dead})
	started := time.Now()
	if _, err := none.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNoWayIn) {
		t.Errorf("nobody answers: %v", err)
	}
	if _, err := none.Publish(context.Background(), s, record(ann, s, noon)); !errors.Is(err, rendezvous.ErrNoWayIn) {
		t.Errorf("nobody answers a put: %v", err)
	}
	t.Logf("no way in: said after %v", time.Since(started))

	started = time.Now()
	find(t, client(t, rendezvous.Config{Bootstrap: dead, Known: remembered}), s, noon)
	t.Logf("by nodes remembered: %v", time.Since(started))

	if n := len(a.Sample(3)) + len(a.Sample(10_000)); n != 3+len(remembered) {
		t.Errorf("samples of %d nodes", n)
	}
	none.Add(a.Sample(1))
	started = time.Now()
	find(t, none, s, noon)
	t.Logf("by one node a friend names: %v", time.Since(started))

	// Nodes remembered that are gone are no way in, and the list is.
	var gone []netip.AddrPort
	for _, d := range deadAddrs(t, 60) {
		gone = append(gone, netip.MustParseAddrPort(d))
	}
	started = time.Now()
	late := client(t, rendezvous.Config{Bootstrap: w.addrs(1), Known: gone})
	find(t, late, s, noon)
	t.Logf("by the list, 60 nodes remembered being gone: %v", time.Since(started))
	if got := late.Nodes(); len(got) == 0 || got[0] == gone[0] {
		t.Errorf("remembers %v", got)
	}
}

func TestBootstrapRefused(t *testing.T) {
	for _, s := range []string{"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", ":6881", "127.0.0.1:65536", "::1:6881"} {
		if _, err := rendezvous.New(rendezvous.Config{Bootstrap: []string{s}}); !errors.Is(err, rendezvous.ErrBootstrap) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range append(rendezvous.DefaultBootstrap, "192.0.2.1:6881", "[2001:db8::1]:6881") {
		if _, err := rendezvous.New(rendezvous.Config{Bootstrap: []string{s}}); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestNames: a name of the list is resolved only where numbers and nodes remembered do
// not answer; of a list of numbers none ever is.
func TestNames(t *testing.T) {
	var asked atomic.Int32
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, errors.New("no name server in this test")
	}}
	w := startNetwork(t, 16)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: append(w.addrs(2), "a.node.invalid:6881")})
	publish(t, a, s, record(ann, s, noon))
	find(t, client(t, rendezvous.Config{Bootstrap: []string{"a.node.invalid:6881"}, Known: a.Nodes()}), s, noon)
	dead := client(t, rendezvous.Config{Bootstrap: deadAddrs(t, 2)})
	if _, err := dead.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNoWayIn) {
		t.Errorf("dead numbers: %v", err)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a name server was asked %d times", n)
	}
	named := client(t, rendezvous.Config{Bootstrap: append(deadAddrs(t, 1), "a.node.invalid:6881")})
	if _, err := named.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNoWayIn) {
		t.Errorf("a dead number and a name: %v", err)
	}
	if asked.Load() == 0 {
		t.Error("no name server was asked at all: this test shows nothing")
	}
}

// TestIdle: a client that is not used has no socket, sends nothing and runs nothing.
func TestIdle(t *testing.T) {
	w := startNetwork(t, 20)
	before := waitGoroutines(t, 0)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	other := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	publish(t, other, s, record(ann, s, noon))
	if goroutines() == before {
		t.Error("a client that is awake has no goroutine: this test shows nothing")
	}
	other.Close()
	c := client(t, rendezvous.Config{Bootstrap: w.addrs(2), Idle: 50 * time.Millisecond})
	if c.Awake() {
		t.Error("sockets are open before anything is asked")
	}
	find(t, c, s, noon)
	until(t, "the sockets close", func() bool { return !c.Awake() })
	used := c.Traffic()
	waitGoroutines(t, before)
	if got := c.Traffic(); got != used {
		t.Errorf("idle: %+v, then %+v", used, got)
	}
	find(t, c, s, noon) // wakes
	if c.Traffic() == used {
		t.Error("found without a packet")
	}
	c.Close()
	waitGoroutines(t, before)
	if _, err := c.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestCloseEnds: what is under way ends with Close, and what its caller gives up ends
// then.
func TestCloseEnds(t *testing.T) {
	before := waitGoroutines(t, 0)
	s := rendezvous.NewSecret()
	c := client(t, rendezvous.Config{Bootstrap: deadAddrs(t, 3)})
	ctx, cancel := context.WithCancel(context.Background())
	ends := make(chan error, 2)
	go func() {
		_, err := c.Find(ctx, s, wire.DeviceID{}, at(noon))
		ends <- err
	}()
	until(t, "a question is sent", func() bool { return c.Traffic().Sent > 0 })
	cancel()
	if err := <-ends; !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	go func() {
		_, err := c.Find(context.Background(), s, wire.DeviceID{}, at(noon))
		ends <- err
	}()
	sent := c.Traffic().Sent
	until(t, "another is sent", func() bool { return c.Traffic().Sent > sent })
	c.Close()
	if err := <-ends; !errors.Is(err, rendezvous.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	waitGoroutines(t, before)
}

// TestTurns: of forty publications at once four are under way, with a question at each of
// three places to each of three hosts.
func TestTurns(t *testing.T) {
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	c := client(t, rendezvous.Config{Bootstrap: deadAddrs(t, 3)})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			if _, err := c.Publish(ctx, s, record(ann, s, noon)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("given up: %v", err)
			}
		})
	}
	wait.Wait()
	if sent := c.Traffic().Sent; sent != 4*3*3 {
		t.Errorf("%d questions", sent)
	}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// waitGoroutines waits until at most so many goroutines of the package run.
func waitGoroutines(t *testing.T, most int) (n int) {
	t.Helper()
	until(t, "our goroutines have ended", func() bool { n = goroutines(); return n <= most })
	return n
}

// goroutines counts those in which a function of the package runs.
func goroutines() (n int) {
	buf := make([]byte, 8<<20)
	for one := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(one, "kith/internal/rendezvous.(") {
			n++
		}
	}
	return n
}
