package natlab

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// NAT says how a router translates addresses.
type NAT int

// The kinds, with the behaviour RFC 4787 names. "Restricted" ones and the full
// cone keep one outside port for one inside socket, drawn at random unless KeepPorts is
// set, whoever it talks to (endpoint-independent mapping, kept in a map of nftables); they differ
// in whom they let answer. None sends a packet back to its own inside (no
// hairpinning), and TCP is treated as UDP is.
const (
	PortRestricted    NAT = iota // mapping endpoint-independent, filtering address and port-dependent: most homes
	FullCone                     // mapping endpoint-independent, filtering endpoint-independent
	AddressRestricted            // mapping endpoint-independent, filtering address-dependent
	Symmetric                    // mapping and filtering address and port-dependent: a random port for each receiver
	NoIPv4                       // IPv6 alone
)

func (k NAT) String() string {
	return [...]string{"port-restricted", "full cone", "address-restricted", "symmetric", "IPv6 alone"}[k]
}

// A Firewall says what a router lets out, beside what its NAT does.
type Firewall int

const (
	AllOut  Firewall = iota
	NoUDP            // drops UDP
	Only443          // lets out TCP to port 443 alone
	OnlyTLS          // and of that only what begins with a ClientHello of TLS
)

func (f Firewall) String() string {
	return [...]string{"all out", "no UDP", "TCP 443 alone", "TLS on TCP 443 alone"}[f]
}

// A RouterConfig says what a router is; the zero value is a usual home.
type RouterConfig struct {
	NAT        NAT
	Firewall   Firewall
	IPv6       bool          // a prefix of its own without NAT; answers come in alone
	UDPTimeout time.Duration // after which a silent mapping is gone, whole seconds; zero: 2 minutes (RFC 4787 REQ-5)
	KeepPorts  bool          // shows a socket at the port it has inside where that is free, as most routers do; not of use with Symmetric
	LAN        string        // the inside network, /24, as 192.168.1.0 which it is if empty
}

// A Router stands between a home, or other routers, and the Internet.
type Router struct {
	net    *Internet
	cfg    RouterConfig
	space  string
	site   *site   // of one on the Internet
	behind *Router // of one behind another
	index  int     // in the network of that
	lan    string  // the first three bytes of inside addresses, as text
	homes  int
	lives  int      // how often it forgot everything; the conntrack zone
	fixed  []string // elements for port mappings
	blocks []string // and for blocked hosts
}

// Router adds a router to the Internet.
func (n *Internet) Router(name string, cfg RouterConfig) *Router {
	n.t.Helper()
	r := n.newRouter(name, cfg)
	r.site = n.plug(r.space, "wan", cfg.IPv6)
	if cfg.NAT == NoIPv4 {
		n.ip("-n "+r.space+" -4 addr flush dev wan", "-n "+r.space+" -4 route flush default")
	}
	if r.six() {
		n.ip("-n " + r.space + " addr add " + r.site.prefix() + ":1/64 nodad dev lan")
	}
	r.load()
	return r
}

// Behind adds a router to the inside of r, as providers do who share an address
// among homes.
func (r *Router) Behind(name string, cfg RouterConfig) *Router {
	r.net.t.Helper()
	inner := r.net.newRouter(name, cfg)
	r.homes++
	inner.behind, inner.index = r, 9+r.homes
	r.lanCable(inner.space, "wan", fmt.Sprintf("home%d", r.homes))
	at := "-n " + inner.space + " "
	r.net.ip(at+"addr add "+inner.Outside().String()+"/24 dev wan", at+"route replace default via "+r.lan+"1")
	inner.load()
	return inner
}

func (n *Internet) newRouter(name string, cfg RouterConfig) *Router {
	n.t.Helper()
	if cfg.LAN == "" {
		cfg.LAN = "192.168.1.0"
	}
	if cfg.UDPTimeout == 0 {
		cfg.UDPTimeout = 2 * time.Minute
	}
	four := netip.MustParseAddr(cfg.LAN).As4()
	r := &Router{net: n, cfg: cfg, space: n.newSpace(name), lan: fmt.Sprintf("%d.%d.%d.", four[0], four[1], four[2])}
	n.forwards(r.space)
	at := "-n " + r.space + " "
	n.ip(at+"link add lan type bridge mcast_snooping 0", at+"addr add "+r.lan+"1/24 dev lan", at+"link set lan up")
	return r
}

// lanCable plugs dev of a namespace into the router's inside.
func (r *Router) lanCable(space, dev, port string) {
	r.net.t.Helper()
	r.net.ip("link add "+dev+" netns "+space+" type veth peer name "+port+" netns "+r.space,
		"-n "+r.space+" link set "+port+" master lan up", "-n "+space+" link set "+dev+" up")
}

// Home adds a machine behind the router.
func (r *Router) Home(name string) *Host {
	r.net.t.Helper()
	h := &Host{net: r.net, space: r.net.newSpace(name)}
	r.take(h)
	return h
}

// Outside is the address that the router's outside has: public, or of the network
// of the router it is behind.
func (r *Router) Outside() netip.Addr {
	if r.behind != nil {
		return netip.MustParseAddr(r.behind.lan + strconv.Itoa(r.index))
	}
	return netip.MustParseAddr(r.site.address())
}

// Space is the name of its namespace; wan and lan are its sides there.
func (r *Router) Space() string { return r.space }

// In calls f on a thread in the router's namespace, as Host.In does.
func (r *Router) In(f func() error) error { return in(r.space, f) }

func (r *Router) six() bool { return r.cfg.IPv6 && r.site != nil }

// Forward sends what arrives at an outside port to a socket inside, as a port
// mapping does, until the router loses its power.
func (r *Router) Forward(proto string, port uint16, inside netip.AddrPort) {
	r.net.t.Helper()
	e := fmt.Sprintf("ip natlab %s_fixed { %d : %s . %d }", proto, port, inside.Addr(), inside.Port())
	r.fixed = append(r.fixed, e)
	r.add(e)
}

// Block drops what goes to these hosts or comes from them.
func (r *Router) Block(hosts ...netip.Addr) {
	r.net.t.Helper()
	for _, h := range hosts {
		e := fmt.Sprintf("inet natlab blocked4 { %s }", h)
		if h.Is6() {
			e = fmt.Sprintf("inet natlab blocked6 { %s }", h)
		}
		r.blocks = append(r.blocks, e)
		r.add(e)
	}
}

// Down pulls the cable to the Internet, and those of the homes, as a router does
// that loses its power.
func (r *Router) Down() { r.power("down") }

// Up starts a router that was down: it has forgotten who talked to whom.
func (r *Router) Up() {
	r.power("up")
	r.fixed = nil
	r.forget()
}

func (r *Router) power(to string) {
	r.net.t.Helper()
	for i := 1; i <= r.homes; i++ {
		if r.has(fmt.Sprintf("home%d", i)) {
			r.net.ip(fmt.Sprintf("-n %s link set home%d %s", r.space, i, to))
		}
	}
	switch {
	case r.behind != nil:
		r.net.ip(fmt.Sprintf("-n %s link set home%d %s", r.behind.space, r.index-9, to))
	case to == "up":
		r.site.heal()
	default:
		r.site.cut()
	}
}

// Renumber gives the router another outside address, as many providers do every
// night, and another prefix; what it translated is forgotten.
func (r *Router) Renumber() {
	r.net.t.Helper()
	if r.site == nil {
		r.net.t.Fatal("only a router on the Internet gets another address")
	}
	at := "-n " + r.space + " "
	if r.six() {
		r.net.ip(at + "addr del " + r.site.prefix() + ":1/64 dev lan")
	}
	r.site.renumber()
	if r.six() {
		r.net.ip(at + "addr add " + r.site.prefix() + ":1/64 nodad dev lan")
	}
	r.forget()
}

// forget drops every mapping and every flow: what comes next is of another zone
// of conntrack, where nothing is known.
func (r *Router) forget() {
	r.lives++
	r.load()
}

func (r *Router) has(port string) bool {
	return in(r.space, func() error { _, err := interfaceIndex(port); return err }) == nil
}
