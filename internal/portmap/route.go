package portmap

import (
	"net"
	"net/netip"
	"time"

	"github.com/libp2p/go-netroute"
)

// A Route is the way out of this machine in one IP family.
type Route struct {
	Gateway netip.Addr // with its zone if it is link-local
	Local   netip.Addr // this machine's address towards it
	Device  string     // interface; empty: not known

	patience time.Duration // with the gateway
}

// Somewhere outside, of each family: an address of a root name server. Nothing is
// sent there; the system is asked which way it would be.
var (
	outside4 = net.IPv4(198, 41, 0, 4)
	outside6 = net.ParseIP("2001:503:ba3e::2:30")
)

// systemRoute asks the system's routing table.
func systemRoute(six bool) (Route, error) {
	router, err := netroute.New()
	if err != nil {
		return Route{}, &refusal{reason: NoGateway}
	}
	to := outside4
	if six {
		to = outside6
	}
	device, gateway, local, err := router.Route(to)
	if err != nil {
		return Route{}, &refusal{reason: NoGateway}
	}
	at, ok := netip.AddrFromSlice(gateway)
	own, fine := netip.AddrFromSlice(local)
	if !ok || !fine || at.IsUnspecified() {
		return Route{}, &refusal{reason: NoGateway}
	}
	r := Route{Gateway: at.Unmap(), Local: own.Unmap()}
	if device != nil {
		r.Device = device.Name
	}
	if r.Gateway.Is6() && r.Gateway.IsLinkLocalUnicast() {
		r.Gateway = r.Gateway.WithZone(r.Device)
	}
	return r, nil
}

// needed says why no router is to be asked, if so.
func (r Route) needed() Reason {
	switch public := outside(r.Local) == Works; {
	case r.Local.Is4() && public:
		return NotNeeded
	case r.Local.Is6() && !public:
		return NoPublicAddress
	}
	return Works
}
