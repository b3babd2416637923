package rendezvous_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

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
	ann := identity.NewDevice()
	s := rendezvous.NewSecret()
	a := client(t, rendezvous.Config{Bootstrap: w.addrs(2)})
	b := client(t, rendezvous.Config{Bootstrap: w.addrs(4)[2:]})
	if _, err := b.Find(context.Background(), s, wire.DeviceID{}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("before there is a record: %v", err)
	}
	none := b.Traffic()
	started := time.Now()
	p := publish(t, a, s, record(ann, s, noon))
	put := time.Since(started)
	if p.Places != rendezvous.Places || p.Nodes < 3*8 {
		t.Errorf("published: %+v", p)
	}
	started = time.Now()
	r := find(t, b, s, noon)
	found := time.Since(started)
	if r.Device() != ann.ID() || r.Made != noon || !slices.Equal(r.Hosts, hosts) {
		t.Errorf("found %+v", r)
	}
	t.Logf("publish %v, %+v; find %v", put, a.Traffic(), found)
	t.Logf("find none: %+v", none)
	tr := b.Traffic()
	t.Logf("find: %d sent %d received", tr.SentBytes-none.SentBytes, tr.ReceivedBytes-none.ReceivedBytes)
	if _, err := b.Find(context.Background(), s, wire.DeviceID{1}, at(noon)); !errors.Is(err, rendezvous.ErrNotFound) {
		t.Errorf("the record of another device is taken: %v", err)
	}
}
