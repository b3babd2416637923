package rendezvous_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	"kith/internal/identity"
	"kith/internal/rendezvous"
	"kith/internal/wire"
)

var hosts = []string{"/ip4/203.0.113.7/udp/41641/quic-v1", "/ip6/2001:db8:1234:5678::1/tcp/41641"}

func record(d *identity.Device, s rendezvous.Secret, made uint64) rendezvous.Record {
	r := rendezvous.Record{Key: d.PublicKey(), Made: made, Expiry: made + 7_200_000, Peer: []byte("a link peer id"), Hosts: slices.Clone(hosts)}
	r.Sign(s, d.Sign)
	return r
}

// client is on loopback, with the first few nodes of w for its list.
func client(t testing.TB, c rendezvous.Config) *rendezvous.Client {
	t.Helper()
	if c.Listen == nil {
		c.Listen = loopback
	}
	out, err := rendezvous.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out
}

func loopback(network string) (net.PacketConn, error) {
	if network == "udp6" {
		return nil, errors.New("the network of this test has no IPv6")
	}
	return net.ListenPacket(network, "127.0.0.1:0")
}

func publish(t testing.TB, c *rendezvous.Client, s rendezvous.Secret, r rendezvous.Record) rendezvous.Published {
	t.Helper()
	p, err := c.Publish(context.Background(), s, r)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return p
}

func find(t testing.TB, c *rendezvous.Client, s rendezvous.Secret, now uint64) rendezvous.Record {
	t.Helper()
	r, err := c.Find(context.Background(), s, wire.DeviceID{}, at(now))
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	return r
}

func TestPublishFind(t *testing.T) {
	w := startNetwork(t, 50)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	b := client(t, rendezvous.Config{Bootstrap: w.addrs(4)[2:]})
	if _, err := b.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("before there is a record: %v", err)
	}
	p := publish(t, a, s, record(ann, s, noon))
	if p.Places != rendezvous.Places || p.Nodes < 3*8 {
		t.Errorf("published: %+v", p)
	}
	if r := find(t, b, s, noon); r.Device() != ann.ID() || r.Made != noon || !slices.Equal(r.Hosts, hosts) {
		t.Errorf("found %+v", r)
	}
	if _, err := b.Find(context.Background(), s, wire.DeviceID{1}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("the record of another device is taken: %v", err)
	}
	if _, err := b.Find(context.Background(), rendezvous.NewSecret(), wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("under another secret: %v", err)
	}
	// Older than what is there: never found, whoever took it.
	if _, err := a.Publish(context.Background(), s, record(ann, s, noon-60_000)); err != nil && !errors.Is(err, rendezvous.ErrNotTaken) {
		t.Errorf("an older record: %v", err)
	}
	if r := find(t, b, s, noon); r.Made != noon {
		t.Errorf("after an older one was put, found that of %d", int64(r.Made)-noon)
	}
}

// TestExpiry: a record counts until an hour after it expires, since clocks differ.
func TestExpiry(t *testing.T) {
	w := startNetwork(t, 16)
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	r := record(ann, s, noon)
	r.Expiry = r.Made + hour/2
	r.Sign(s, ann.Sign)
	publish(t, a, s, r)
	find(t, a, s, noon+hour)
	if _, err := a.Find(context.Background(), s, wire.DeviceID{}, at(noon+2*hour)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("an hour and more after its expiry: %v", err)
	}
}

// TestPublishRefused: what is not signed for the secret, or no reader would take, is not
// sent.
func TestPublishRefused(t *testing.T) {
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	c := client(t, rendezvous.Config{Bootstrap: []string{}})
	for name, spoil := range map[string]func(*rendezvous.Record){
		"changed":     func(r *rendezvous.Record) { r.Hosts = nil },
		"unsigned":    func(r *rendezvous.Record) { r.Signature = [64]byte{} },
		"of another":  func(r *rendezvous.Record) { r.Key = identity.NewDevice().PublicKey() },
		"without key": func(r *rendezvous.Record) { r.Key = nil },
		"long peer":   func(r *rendezvous.Record) { r.Peer = make([]byte, 65); r.Sign(s, ann.Sign) },
		"long host":   func(r *rendezvous.Record) { r.Hosts = []string{string(make([]byte, 700))} },
		"for another": func(r *rendezvous.Record) { r.Sign(rendezvous.NewSecret(), ann.Sign) },
	} {
		r := record(ann, s, noon)
		spoil(&r)
		if _, err := c.Publish(context.Background(), s, r); !errors.Is(err, rendezvous.ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.Awake() {
		t.Error("a socket was opened")
	}
}

// TestBothFamilies: with IPv4 and IPv6 a record is put in both DHTs, and who has one of
// them finds it there.
func TestBothFamilies(t *testing.T) {
	six := func() (net.PacketConn, error) { return net.ListenPacket("udp6", "[::1]:0") }
	if c, err := six(); err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	} else {
		c.Close()
	}
	w4, w6 := startNetwork(t, 16), &network{}
	for range 16 {
		conn, err := six()
		if err != nil {
			t.Fatal(err)
		}
		w6.addAt(t, conn)
	}
	w6.meet()
	both := func(network string) (net.PacketConn, error) {
		if network == "udp6" {
			return six()
		}
		return loopback(network)
	}
	only6 := func(network string) (net.PacketConn, error) {
		if network == "udp6" {
			return six()
		}
		return nil, errors.New("no IPv4 here")
	}
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	list := append(w4.addrs(2), w6.addrs(2)...)
	if p := publish(t, client(t, rendezvous.Config{Bootstrap: list, Listen: both}), s, record(ann, s, noon)); p.Nodes < 40 {
		t.Errorf("published: %+v", p)
	}
	for name, listen := range map[string]func(string) (net.PacketConn, error){"IPv4": loopback, "IPv6": only6, "both": both} {
		c := client(t, rendezvous.Config{Bootstrap: list, Listen: listen})
		if r, err := c.Find(context.Background(), s, wire.DeviceID{}, at(noon)); err != nil || r.Made != noon {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeadFamily: where nobody answers on IPv6, and on IPv4 somebody does, IPv6 is left
// alone for a while: no host of the list is asked there each time.
func TestDeadFamily(t *testing.T) {
	conn, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	dead := conn.LocalAddr().String()
	conn.Close()
	w := startNetwork(t, 16)
	var six tap
	listen := func(network string) (net.PacketConn, error) {
		if network != "udp6" {
			return loopback(network)
		}
		conn, err := net.ListenPacket(network, "[::1]:0")
		return &tapped{PacketConn: conn, tap: &six}, err
	}
	count := func() int {
		tapping.Lock()
		defer tapping.Unlock()
		return len(six.packets)
	}
	ann, s := identity.NewDevice(), rendezvous.NewSecret()
	c := client(t, rendezvous.Config{Bootstrap: append(w.addrs(2), dead), Listen: listen})
	publish(t, c, s, record(ann, s, noon))
	other := client(t, rendezvous.Config{Bootstrap: []string{dead}, Known: c.Nodes(), Listen: listen})
	before := count()
	find(t, other, s, noon)
	once := count()
	if once != before {
		t.Errorf("a find that IPv4 alone answers has %d packets on IPv6", once-before)
	}
	if once == 0 {
		t.Error("nobody was asked on IPv6: this test shows nothing")
	}
	publish(t, c, s, record(ann, s, noon+60_000))
	if n := count(); n != once {
		t.Errorf("%d questions on IPv6, then %d", once, n)
	}
}

// BenchmarkRendezvous is one publication and one find among 50 nodes on loopback. Bytes
// are both ways, without the headers of IP and UDP (28 a packet).
func BenchmarkRendezvous(b *testing.B) {
	w := startNetwork(b, 50)
	ann := identity.NewDevice()
	known := func() []netip.AddrPort {
		c := client(b, rendezvous.Config{Bootstrap: w.addrs(3)})
		s := rendezvous.NewSecret()
		publish(b, c, s, record(ann, s, noon))
		return c.Nodes()
	}()
	report := func(b *testing.B, c *rendezvous.Client, before rendezvous.Traffic) {
		t, n := c.Traffic(), float64(b.N)
		b.ReportMetric(float64(t.SentBytes-before.SentBytes+t.ReceivedBytes-before.ReceivedBytes)/n, "wire-B/op")
		b.ReportMetric(float64(t.Sent-before.Sent+t.Received-before.Received)/n, "packets/op")
	}
	b.Run("publish", func(b *testing.B) {
		c := client(b, rendezvous.Config{Known: known, Bootstrap: []string{}})
		before := c.Traffic()
		for b.Loop() {
			s := rendezvous.NewSecret()
			publish(b, c, s, record(ann, s, noon))
		}
		report(b, c, before)
	})
	b.Run("find", func(b *testing.B) {
		c := client(b, rendezvous.Config{Known: known, Bootstrap: []string{}})
		s := rendezvous.NewSecret()
		publish(b, c, s, record(ann, s, noon))
		before := c.Traffic()
		for b.Loop() {
			find(b, c, s, noon)
		}
		report(b, c, before)
	})
	b.Run("find from a start", func(b *testing.B) {
		s := rendezvous.NewSecret()
		publish(b, client(b, rendezvous.Config{Known: known, Bootstrap: []string{}}), s, record(ann, s, noon))
		for b.Loop() {
			c := client(b, rendezvous.Config{Known: known, Bootstrap: []string{}})
			find(b, c, s, noon)
			c.Close()
		}
	})
	b.Run("find none", func(b *testing.B) {
		c := client(b, rendezvous.Config{Known: known, Bootstrap: []string{}})
		before := c.Traffic()
		for b.Loop() {
			if _, err := c.Find(context.Background(), rendezvous.NewSecret(), wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
				b.Fatal(err)
			}
		}
		report(b, c, before)
	})
}
