package link

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// maxHostText bounds one host in bytes, as dag.MaxHost does; the longest, a relay at
// IPv6 with QUIC, has 112.
const maxHostText = 128

// A medium is what the bytes of a connection go over. The numbers are those of
// an observed host.
type medium byte

const (
	overQUIC medium = 1
	overTCP  medium = 2
	overWS   medium = 3 // WebSocket in TLS on TCP
)

// tail is what follows the port in a host.
func (m medium) tail() string {
	return [...]string{overQUIC: "/quic-v1", overTCP: "", overWS: "/tls/ws"}[m]
}

func (m medium) network() string {
	if m == overQUIC {
		return "udp"
	}
	return "tcp"
}

// A host is one concrete place to dial, or a relay there:
//
//	/ip4/192.0.2.1/udp/4001/quic-v1
//	/ip6/2001:db8::1/tcp/4001
//	/ip4/192.0.2.1/tcp/443/tls/ws
//	/ip4/192.0.2.1/udp/4001/quic-v1/relay/KEY
//
// where KEY is the link key of the relay in base64url. Names are not accepted:
// resolving one would tell a name server about the contact.
type host struct {
	at    netip.AddrPort
	over  medium
	relay publicKey // of the relay; zero where the other side itself is meant
}

// relayPart stands between a host and the key of the relay there.
const relayPart = "/relay/"

// parseHost reads a host; anything else than these forms is refused.
func parseHost(text string) (host, bool) {
	if len(text) > maxHostText {
		return host{}, false
	}
	place, relay, relayed := strings.Cut(text, relayPart)
	p := strings.Split(place, "/")
	if len(p) < 5 || p[0] != "" {
		return host{}, false
	}
	ip, err := netip.ParseAddr(p[2])
	if err != nil || ip.Zone() != "" || ip.Is4In6() || ip.IsUnspecified() || ip.IsMulticast() {
		return host{}, false
	}
	port, err := parsePort(p[4])
	if err != nil || port == 0 {
		return host{}, false
	}
	h := host{at: netip.AddrPortFrom(ip, port), over: overTCP}
	switch {
	case p[3] == "udp":
		h.over = overQUIC
	case len(p) > 5:
		h.over = overWS
	}
	if relayed {
		b, err := base64.RawURLEncoding.DecodeString(relay)
		if err != nil || len(b) != keySize {
			return host{}, false
		}
		h.relay = publicKey(b)
	}
	return h, h.String() == text
}

// parsePort reads a port in its shortest decimal form.
func parsePort(text string) (uint16, error) {
	var port uint16
	if _, err := fmt.Sscanf(text, "%d", &port); err != nil {
		return 0, err
	}
	if fmt.Sprint(port) != text {
		return 0, fmt.Errorf("link: port %q", text)
	}
	return port, nil
}

func (h host) String() string {
	if h.relayed() {
		return h.place().String() + relayPart + base64.RawURLEncoding.EncodeToString(h.relay[:])
	}
	family := "ip4"
	if h.at.Addr().Is6() {
		family = "ip6"
	}
	return fmt.Sprintf("/%s/%s/%s/%d%s", family, h.at.Addr(), h.over.network(), h.at.Port(), h.over.tail())
}

// relayed reports whether h is a relay's.
func (h host) relayed() bool { return h.relay != publicKey{} }

// place is h without the relay: where the relay itself is dialled.
func (h host) place() host {
	h.relay = publicKey{}
	return h
}

// via is how another device is called through relay at h.
func (h host) via(relay publicKey) host {
	h.relay = relay
	return h
}

func (h host) kind() string {
	if h.relayed() {
		return "relay"
	}
	return [...]string{overQUIC: "quic", overTCP: "tcp", overWS: "ws"}[h.over]
}

// multiaddr is the place of h as go-libp2p names it.
func (h host) multiaddr() multiaddr.Multiaddr { return multiaddr.StringCast(h.place().String()) }

// notPublic are the networks that nobody reaches over the Internet, beside those
// that package netip knows: behind a provider's own NAT (RFC 6598), examples (RFC
// 5737, 3849), measurements (RFC 2544), reserved (RFC 1112).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001:db8::/32"),
}

// IsPublic reports whether ip is an address of the public Internet.
func IsPublic(ip netip.Addr) bool {
	return ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// isPrivate reports whether ip is of a kind that local networks use.
func isPrivate(ip netip.Addr) bool {
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
}

// onLocalNet reports whether ip is private or on the network of one of this
// machine's interfaces.
func onLocalNet(ip netip.Addr) bool {
	return isPrivate(ip) || slices.ContainsFunc(interfacePrefixes(), func(p netip.Prefix) bool { return p.Contains(ip) })
}

// interfacePrefixes returns the addresses of this machine with their networks,
// without interfaces that are down or unplugged.
func interfacePrefixes() []netip.Prefix {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var out []netip.Prefix
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagRunning == 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// interfaceAddrs returns the addresses of this machine that another could
// dial, the public or the private ones first and the families by turns, so
// that neither crowds out the other. Link-local IPv6 is left out: it means
// nothing without the name of the interface, which differs from machine to
// machine.
func interfaceAddrs(privateFirst bool) []netip.Addr {
	var kinds [2][2][]netip.Addr // first or second; IPv4 or IPv6
	for _, p := range interfacePrefixes() {
		ip := p.Addr().Unmap()
		if !ip.IsGlobalUnicast() && !(ip.Is4() && ip.IsLinkLocalUnicast()) {
			continue
		}
		rank, six := 0, 0
		if !IsPublic(ip) != privateFirst {
			rank = 1
		}
		if ip.Is6() {
			six = 1
		}
		kinds[rank][six] = append(kinds[rank][six], ip)
	}
	var out []netip.Addr
	for _, k := range kinds {
		for i := 0; i < len(k[0]) || i < len(k[1]); i++ {
			for _, ips := range k {
				if i < len(ips) {
					out = append(out, ips[i])
				}
			}
		}
	}
	return out
}

// hostOf is the host in the address of a connection.
func hostOf(a multiaddr.Multiaddr) (host, bool) {
	ip, err := manet.ToIP(a)
	if err != nil {
		return host{}, false
	}
	addr, ok := netip.AddrFromSlice(ip)
	over, protocol := overTCP, multiaddr.P_TCP
	if _, err := a.ValueForProtocol(multiaddr.P_QUIC_V1); err == nil {
		over, protocol = overQUIC, multiaddr.P_UDP
	} else if _, err := a.ValueForProtocol(multiaddr.P_WS); err == nil {
		over = overWS
	}
	text, err := a.ValueForProtocol(protocol)
	if err != nil || !ok {
		return host{}, false
	}
	port, err := parsePort(text)
	return host{at: netip.AddrPortFrom(addr.Unmap(), port), over: over}, err == nil
}
