package portmap

import (
	"context"
	"errors"
	mrand "math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// igdKinds are the services that map ports, the best first (UPnP IGD 1 and 2).
var igdKinds = []string{
	"urn:schemas-upnp-org:service:WANIPConnection:2",
	"urn:schemas-upnp-org:service:WANIPConnection:1",
	"urn:schemas-upnp-org:service:WANPPPConnection:1",
}

// Codes of UPnP (WANIPConnection:2 section 2.5, and Device Architecture section 3.2.2).
const (
	igdNotAuthorised  = 606
	igdNoSuchEntry    = 714
	igdConflict       = 718
	igdSamePort       = 724
	igdOnlyPermanent  = 725
	igdNoMorePorts    = 728
	igdOtherMechanism = 729
)

// igdName is what the router's page shows beside the mapping.
const igdName = "Kith"

// A service is one that maps ports.
type service struct {
	kind    string
	control *url.URL // on the gateway
}

// An igdRouter is a gateway that speaks UPnP IGD.
type igdRouter struct {
	route   Route
	port    uint16
	web     *web
	service service
	address netip.Addr // external, as it said last
}

// findIGD searches for a gateway that speaks UPnP IGD and has an external address.
func findIGD(ctx context.Context, r Route, port uint16) (router, error) {
	why := error(&refusal{reason: NoAnswer})
	var out *igdRouter
	err := findDescriptions(ctx, r, func(at *url.URL) bool {
		w := newWeb(r)
		var services []service
		b, err := w.get(ctx, at)
		if err == nil {
			services, err = parseDescription(b, at, r.Gateway)
		}
		defer w.close()
		for _, s := range services {
			found := &igdRouter{route: r, port: port, web: w, service: s}
			if err = found.learn(ctx); err == nil {
				out = found
				return true
			}
		}
		why = err
		return false
	})
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, why
	}
	return out, nil
}

// A device of a description; devices hold devices.
type device struct {
	Services []struct {
		Type    string `xml:"serviceType"`
		Control string `xml:"controlURL"`
	} `xml:"serviceList>service"`
	Devices []device `xml:"deviceList>device"`
}

// parseDescription reads which services map ports, the best first.
func parseDescription(b []byte, at *url.URL, gateway netip.Addr) ([]service, error) {
	var root struct {
		Base   string `xml:"URLBase"`
		Device device `xml:"device"`
	}
	if err := decodeXML(b, &root); err != nil {
		return nil, &refusal{reason: Nonsense}
	}
	base := at
	if root.Base != "" {
		own, ok := ownURL(at, root.Base, gateway)
		if !ok {
			return nil, &refusal{reason: Nonsense}
		}
		base = own
	}
	var out []service
	var walk func(d device)
	walk = func(d device) {
		for _, s := range d.Services {
			if !slices.Contains(igdKinds, s.Type) || len(out) >= maxServices {
				continue
			}
			if control, ok := ownURL(base, s.Control, gateway); ok {
				out = append(out, service{s.Type, control})
			}
		}
		for _, below := range d.Devices {
			walk(below)
		}
	}
	walk(root.Device)
	if len(out) == 0 {
		return nil, &refusal{reason: Nonsense}
	}
	slices.SortStableFunc(out, func(a, b service) int {
		return slices.Index(igdKinds, a.kind) - slices.Index(igdKinds, b.kind)
	})
	return out, nil
}

// learn asks for the external address.
func (g *igdRouter) learn(ctx context.Context) error {
	answer, err := g.web.call(ctx, g.service, "GetExternalIPAddress")
	if err != nil {
		return igdRefusal(err)
	}
	text := answer["NewExternalIPAddress"]
	if text == "" {
		return &refusal{reason: NoExternalAddress}
	}
	at, err := netip.ParseAddr(text)
	switch {
	case err != nil || !at.Is4():
		return &refusal{reason: Nonsense}
	case at.IsUnspecified():
		return &refusal{reason: NoExternalAddress}
	}
	g.address = at
	return nil
}

func (g *igdRouter) keep(ctx context.Context, was held, lease time.Duration) (held, error) {
	defer g.web.close() // half a lease is longer than a router keeps a connection
	if err := g.learn(ctx); err != nil {
		return held{}, err
	}
	return both(func(protocol int) (netip.AddrPort, time.Duration, error) {
		if at := was.external[protocol]; at.IsValid() {
			if given, err := g.add(ctx, protocol, at.Port(), lease); err == nil {
				return netip.AddrPortFrom(g.address, at.Port()), given, nil
			}
		}
		return g.first(ctx, protocol, lease)
	})
}

// first maps a protocol that was not mapped: at our own port, or where somebody else
// has that, at others.
func (g *igdRouter) first(ctx context.Context, protocol int, lease time.Duration) (netip.AddrPort, time.Duration, error) {
	last := error(&refusal{reason: Full})
	for i, port := 0, g.port; i < portTries; i, port = i+1, 1024+mrand.N[uint16](64000) {
		if owner, known := g.owner(ctx, protocol, port); known && owner.IsValid() && owner != g.ours() {
			continue // some routers would give it to us, and take it from them
		}
		given, err := g.add(ctx, protocol, port, lease)
		if fault, ok := errors.AsType[*soapFault](err); ok && (fault.code == igdConflict || fault.code == igdOtherMechanism) {
			last = &refusal{Full, fault.code}
			continue
		}
		if err != nil {
			return netip.AddrPort{}, 0, igdRefusal(err)
		}
		if owner, known := g.owner(ctx, protocol, port); known && owner != g.ours() { // it said yes, and did nothing
			return netip.AddrPort{}, 0, &refusal{reason: Refused}
		}
		return netip.AddrPortFrom(g.address, port), given, nil
	}
	return netip.AddrPort{}, 0, last
}

// add asks for one mapping.
func (g *igdRouter) add(ctx context.Context, protocol int, external uint16, lease time.Duration) (time.Duration, error) {
	ask := func(lease time.Duration) error {
		_, err := g.web.call(ctx, g.service, "AddPortMapping", append(which(protocol, external),
			argument{"NewInternalPort", strconv.Itoa(int(g.port))},
			argument{"NewInternalClient", g.route.Local.String()},
			argument{"NewEnabled", "1"},
			argument{"NewPortMappingDescription", igdName},
			argument{"NewLeaseDuration", strconv.Itoa(int(lease / time.Second))})...)
		return err
	}
	err := ask(lease)
	if fault, ok := errors.AsType[*soapFault](err); ok && fault.code == igdOnlyPermanent {
		lease, err = 0, ask(0)
	}
	return lease, err
}

func (g *igdRouter) release(ctx context.Context, was held) {
	for protocol, at := range was.external {
		if !at.IsValid() {
			continue
		}
		if owner, known := g.owner(ctx, protocol, at.Port()); !known || owner == g.ours() {
			_, _ = g.web.call(ctx, g.service, "DeletePortMapping", which(protocol, at.Port())...)
		}
	}
	g.web.close()
}

// ours is where our mappings lead.
func (g *igdRouter) ours() netip.AddrPort { return netip.AddrPortFrom(g.route.Local, g.port) }

// owner is to whom the router forwards a port, not valid: to nobody. Some routers do
// not say; then it is not known.
func (g *igdRouter) owner(ctx context.Context, protocol int, external uint16) (to netip.AddrPort, known bool) {
	answer, err := g.web.call(ctx, g.service, "GetSpecificPortMappingEntry", which(protocol, external)...)
	if fault, ok := errors.AsType[*soapFault](err); ok && fault.code == igdNoSuchEntry {
		return netip.AddrPort{}, true
	}
	if err != nil {
		return netip.AddrPort{}, false
	}
	at, err := netip.ParseAddr(answer["NewInternalClient"])
	port, bad := strconv.ParseUint(answer["NewInternalPort"], 10, 16)
	if err != nil || bad != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(at, uint16(port)), true
}

// restarted is never told: UPnP gateways announce themselves to all every few
// minutes, and to listen to that would wake us for every device in the home.
func (g *igdRouter) restarted(announcement) bool { return false }

// which names a mapping.
func which(protocol int, external uint16) []argument {
	return []argument{
		{"NewRemoteHost", ""},
		{"NewExternalPort", strconv.Itoa(int(external))},
		{"NewProtocol", [...]string{udp: "UDP", tcp: "TCP"}[protocol]},
	}
}

// igdRefusal is what a fault means.
func igdRefusal(err error) error {
	fault, ok := errors.AsType[*soapFault](err)
	if !ok {
		return err
	}
	switch fault.code {
	case igdNotAuthorised:
		return &refusal{NotAuthorised, fault.code}
	case igdNoMorePorts, igdSamePort:
		return &refusal{Full, fault.code}
	}
	return &refusal{Refused, fault.code}
}
