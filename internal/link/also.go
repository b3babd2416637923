package link

import (
	"net/netip"
	"slices"
)

// AlsoAt says at which hosts beside its own addresses others reach this Link: where its router lets
// them in. What it names does not depend on the interfaces, and stands first in Address.
func (d *direct) AlsoAt(hosts []string) {
	hosts = slices.DeleteFunc(slices.Clone(hosts), func(text string) bool {
		h, ok := parseHost(text)
		return !ok || h.relayed()
	})
	hosts = hosts[:min(len(hosts), maxAlso)]
	d.mu.Lock()
	news := !slices.Equal(hosts, d.also)
	d.also = hosts
	d.mu.Unlock()
	if news {
		d.tellChanged()
	}
}

// ownHosts are the places of the router and those of this machine's interfaces.
func (d *direct) ownHosts() []string {
	d.mu.Lock()
	hosts := slices.Clone(d.also)
	d.mu.Unlock()
	for _, h := range d.sockets.hosts() {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// HostText is the text of a place to dial, by QUIC or by TCP.
func HostText(at netip.AddrPort, quic bool) string {
	if quic {
		return host{at: at, over: overQUIC}.String()
	}
	return host{at: at, over: overTCP}.String()
}

// RelayAt returns the place of the relay in a host that goes through one; false for another host.
func RelayAt(text string) (netip.AddrPort, bool) {
	h, ok := parseHost(text)
	return h.at, ok && h.relayed()
}
