package peer

import (
	"crypto/ed25519"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
	"kith/internal/wire"
)

// Known is a device whose key this node has.
type Known struct {
	Member wire.Member
	Key    ed25519.PublicKey
}

// A Directory is what this node knows of others. Its methods may be called from
// several goroutines at once.
type Directory interface {
	// Recognise returns the device if it may be answered: of a friend, of a
	// member of one of this node's groups at this node's head, removed from one
	// within 30 days, or of somebody whom this node has asked. Never one that is
	// blocked.
	Recognise(m wire.Member) (Known, bool)

	// LinkSecret returns the secret of an own contact link that is neither used
	// up nor expired.
	LinkSecret(tag [16]byte) (secret [32]byte, ok bool)

	// Asked hands over a checked request that came over the link with tag. Once
	// it is durable Asked returns this person's own card for the answer. After
	// an error the asker hears nothing.
	Asked(tag [16]byte, r Request) (Card, error)
}

// Config is what every handshake needs. Bans, Log and Now may be nil.
type Config struct {
	Device    *identity.Device
	Former    []*identity.Device // earlier keys of this home: who knows no newer one may still knock at them
	Person    wire.PersonID
	Directory Directory // Knock, Ask and Join need none
	Joins     Joins     // nil: no device joins by this one

	// Moved reports whether a device knows Device, and so is not answered by a
	// former key any more. nil: none does.
	Moved func(wire.DeviceID) bool

	Bans *Bans
	Log  *slog.Logger
	Now  func() time.Time
}

// self returns the own ids.
func (c Config) self() wire.Member {
	return wire.Member{Person: c.Person, Device: c.Device.ID()}
}

func (c Config) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// hostOf returns the network a connection comes from, as bans name it: an IPv4
// address or an IPv6 /64. It is empty where a ban would hit bystanders: on
// loopback, behind which every local proxy stands, and on links without hosts.
func hostOf(conn link.Conn) string {
	hosts := conn.Remote().Hosts
	if len(hosts) == 0 {
		return ""
	}
	parts := strings.Split(hosts[0], "/")
	if len(parts) < 3 || (parts[1] != "ip4" && parts[1] != "ip6") {
		return ""
	}
	ip, err := netip.ParseAddr(parts[2])
	if err != nil {
		return ""
	}
	return HostName(ip)
}

// HostName is how [Bans] name the network of an address; empty for loopback.
func HostName(ip netip.Addr) string {
	if ip.IsLoopback() {
		return ""
	}
	bits := 32
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		bits = 64
	}
	net, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return net.String()
}
