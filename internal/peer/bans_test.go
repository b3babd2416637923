package peer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/wire"
)

func TestBans(t *testing.T) {
	var b peer.Bans
	now := time.Unix(1e9, 0)
	d := wire.DeviceID{1}
	if b.PunishDevice(d, "first", 60, now) {
		t.Fatal("banned at 60")
	}
	now = now.Add(30 * peer.Forgive)
	if b.PunishDevice(d, "second", 60, now) {
		t.Fatal("nothing was forgiven")
	}
	if !b.PunishDevice(d, "third", 10, now) {
		t.Fatal("not banned at 100")
	}
	ban, ok := b.Device(d, now)
	if !ok || ban.Device != d || ban.Rule != "third" || !ban.Until.Equal(now.Add(peer.DeviceBan)) {
		t.Fatalf("ban %+v", ban)
	}
	if got := b.List(now); len(got) != 1 || got[0] != ban {
		t.Fatalf("list %+v", got)
	}
	if _, ok := b.Device(wire.DeviceID{2}, now); ok {
		t.Fatal("another device is banned")
	}
	now = now.Add(peer.DeviceBan)
	if _, ok := b.Device(d, now); ok || len(b.List(now)) != 0 {
		t.Fatal("the ban has no end")
	}
	if b.PunishDevice(d, "again", 60, now) {
		t.Fatal("the old weight counts after the ban")
	}
	if b.PunishDevice(wire.DeviceID{3}, "nothing", -5, now) || b.PunishHost("", "none", 1000, now) {
		t.Fatal("banned for nothing")
	}
}

func TestNoBans(t *testing.T) {
	var b *peer.Bans
	now := time.Now()
	if b.PunishDevice(wire.DeviceID{}, "x", 1000, now) || b.PunishHost("h", "x", 1000, now) {
		t.Fatal("a nil Bans bans")
	}
	if _, ok := b.Host("h", now); ok || b.List(now) != nil {
		t.Fatal("a nil Bans remembers")
	}
}

// A flood of offenders takes bounded memory and does not wash out a ban.
func TestBansBounded(t *testing.T) {
	var b peer.Bans
	now := time.Unix(1e9, 0)
	d := wire.DeviceID{0xff}
	b.PunishDevice(d, "banned", peer.BanAt, now)
	for i := range 2 * peer.MaxRecords {
		b.PunishDevice(wire.DeviceID{byte(i), byte(i >> 8)}, "light", 1, now)
	}
	if _, ok := b.Device(d, now); !ok {
		t.Fatal("the ban was washed out")
	}
	if n := b.Records(); n > peer.MaxRecords {
		t.Fatalf("%d records", n)
	}
}

// away is a connection from a host of the Internet.
type away struct {
	link.Conn
	host string
}

func (c away) Remote() link.Address { return link.Address{Hosts: []string{c.host}} }

func TestHostOf(t *testing.T) {
	for host, want := range map[string]string{
		"/ip4/192.0.2.7/udp/4001/quic-v1":    "192.0.2.7/32",
		"/ip6/2001:db8:1:2:3:4:5:6/tcp/4001": "2001:db8:1:2::/64",
		"/ip6/::ffff:192.0.2.7/tcp/4001":     "192.0.2.7/32",
		"/ip4/127.0.0.1/tcp/4001":            "",
		"/ip6/::1/tcp/4001":                  "",
		"/dns4/example.org/tcp/4001":         "",
		"/unix/a":                            "",
		"/ip4/nonsense/tcp/1":                "",
		"":                                   "",
	} {
		if got := peer.HostOf(away{nil, host}); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// After a flood of false knocks from one network even a friend there meets
// silence, for a time; the same silence as before.
func TestHostBan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ann, ben := friends(t)
		begin := func(frame func(binding [32]byte) []byte) <-chan acceptance {
			a, b := connect(t)
			got := accept(t.Context(), away{b, "/ip4/192.0.2.7/udp/4001/quic-v1"}, ben.config())
			if err := a.Write(t.Context(), frame(b.Binding())); err != nil {
				t.Fatal(err)
			}
			return got
		}
		bad := func([32]byte) []byte { return []byte{9} }
		good := func(binding [32]byte) []byte { return knockOf(t, ann, ben, binding) }
		refused := func(y acceptance) {
			want(t, y.err, peer.ErrStranger)
			if y.took != peer.RefuseAfter {
				t.Fatalf("refused after %v", y.took)
			}
		}
		for range 50 { // one in five seconds
			refused(<-begin(bad))
		}
		y := <-begin(good)
		if y.err != nil {
			t.Fatalf("a slow stranger shut out a friend: %v", y.err)
		}
		y.session.Close(nil)
		var flood []<-chan acceptance
		for range peer.BanAt {
			flood = append(flood, begin(bad))
		}
		for _, got := range flood {
			refused(<-got)
		}
		refused(<-begin(good))
		<-time.After(peer.HostBan) // in the bubble's clock
		if y = <-begin(good); y.err != nil {
			t.Fatalf("after the ban: %v", y.err)
		}
		y.session.Close(nil)
	})
}
