package natlab

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// load replaces the rules of the router.
func (r *Router) load() {
	r.net.t.Helper()
	seconds := strconv.Itoa(int(r.cfg.UDPTimeout.Seconds()))
	r.net.nft(r.space, "flush ruleset\n"+r.filter()+r.translation(seconds))
	for _, key := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
		r.net.sysctl(r.space, "netfilter/"+key, seconds)
	}
	r.add(append(r.fixed, r.blocks...)...)
}

// add puts elements into sets and maps of the rules.
func (r *Router) add(elements ...string) {
	r.net.t.Helper()
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("add element " + e + "\n")
	}
	r.net.nft(r.space, b.String())
}

// filter is what passes. To the router itself only its inside may talk; what is
// refused is dropped, so that conntrack does not remember it and a hole can
// still be punched at the same ports.
func (r *Router) filter() string {
	var b strings.Builder
	b.WriteString(`table inet natlab {
	set blocked4 { type ipv4_addr; }
	set blocked6 { type ipv6_addr; }
	chain input { type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname "lo" accept
		meta l4proto ipv6-icmp accept
		icmp type echo-request accept
		iifname "lan" ip daddr ` + r.lan + `1 accept
		iifname "lan" ip daddr { 224.0.0.0/4, 255.255.255.255 } accept
	}
	chain forward { type filter hook forward priority filter; policy drop;
		ip daddr @blocked4 drop
		ip saddr @blocked4 drop
		ip6 daddr @blocked6 drop
		ip6 saddr @blocked6 drop
`)
	switch r.cfg.Firewall {
	case NoUDP:
		b.WriteString("\t\toifname \"wan\" meta l4proto udp drop\n")
	case OnlyTLS:
		// A record of a handshake (22, version 3.x) that begins with a ClientHello
		// (1) marks the flow; any other first bytes are dropped for ever. A packet
		// without bytes has no @ih, and no rule of these matches it.
		b.WriteString(`		oifname "wan" tcp dport 443 ct mark 0 @ih,0,16 & 0xff00 == 0x1600 @ih,8,8 3 @ih,40,8 1 ct mark set 1
		oifname "wan" tcp dport 443 ct mark 0 @ih,0,8 >= 0 drop
`)
		fallthrough
	case Only443:
		b.WriteString("\t\toifname \"wan\" meta l4proto != tcp drop\n\t\toifname \"wan\" tcp dport != 443 drop\n")
	}
	b.WriteString(`		ct state established,related accept
		iifname "wan" ct status dnat accept
		iifname "lan" oifname "wan" accept
	}
}
`)
	return b.String()
}

// translation is the NAT. For the kinds that keep one port per inside socket: the
// first packet of a socket is given a port (masquerade), learn writes that
// down, and packets of the socket to others find it in PROTO_out. What comes in is
// sent to the socket by PROTO_in: from anybody, or from hosts in PROTO_talked.
func (r *Router) translation(seconds string) string {
	if r.cfg.NAT == NoIPv4 {
		return ""
	}
	var sets, inbound, outbound, learn strings.Builder
	draw := " random,fully-random"
	if r.cfg.KeepPorts {
		draw = ""
	}
	for proto, timeout := range map[string]string{"udp": seconds, "tcp": "7200"} {
		fmt.Fprintf(&sets, `	map %[1]s_fixed { type inet_service : ipv4_addr . inet_service; }
	map %[1]s_out { type ipv4_addr . inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout %[2]ss; size 65535; }
	map %[1]s_in { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout %[2]ss; size 65535; }
	set %[1]s_talked { type inet_service . ipv4_addr; flags dynamic,timeout; timeout %[2]ss; size 65535; }
`, proto, timeout)
		fmt.Fprintf(&inbound, "\t\tiifname \"wan\" ip protocol %[1]s dnat ip to %[1]s dport map @%[1]s_fixed\n", proto)
		switch r.cfg.NAT {
		case FullCone:
			fmt.Fprintf(&inbound, "\t\tiifname \"wan\" ip protocol %[1]s dnat ip to %[1]s dport map @%[1]s_in\n", proto)
		case AddressRestricted:
			fmt.Fprintf(&inbound, "\t\tiifname \"wan\" ip protocol %[1]s %[1]s dport . ip saddr @%[1]s_talked dnat ip to %[1]s dport map @%[1]s_in\n", proto)
		}
		if r.cfg.NAT == Symmetric {
			continue
		}
		fmt.Fprintf(&outbound, "\t\toifname \"wan\" ip protocol %[1]s snat ip to ip saddr . %[1]s sport map @%[1]s_out\n", proto)
		fmt.Fprintf(&learn, `		oifname "wan" ip protocol %[1]s ct direction original update @%[1]s_out { ct original ip saddr . ct original proto-src : ip saddr . %[1]s sport }
		oifname "wan" ip protocol %[1]s ct direction original update @%[1]s_in { %[1]s sport : ct original ip saddr . ct original proto-src }
		oifname "wan" ip protocol %[1]s ct direction reply update @%[1]s_out { ct reply ip saddr . ct reply proto-src : ip saddr . %[1]s sport }
		oifname "wan" ip protocol %[1]s ct direction reply update @%[1]s_in { %[1]s sport : ct reply ip saddr . ct reply proto-src }
		oifname "wan" ip protocol %[1]s update @%[1]s_talked { %[1]s sport . ip daddr }
`, proto)
	}
	return fmt.Sprintf(`table ip natlab {
%s	chain zone { type filter hook prerouting priority raw; ct zone set %d; }
	chain ownzone { type filter hook output priority raw; ct zone set %[2]d; }
	chain inbound { type nat hook prerouting priority dstnat;
%[3]s	}
	chain outbound { type nat hook postrouting priority srcnat;
%[4]s		oifname "wan" masquerade%[6]s
	}
	chain learn { type filter hook postrouting priority 110;
%[5]s	}
}
`, sets.String(), r.lives+1, inbound.String(), outbound.String(), learn.String(), draw)
}

// interfaceIndex is the number of an interface of the namespace it is called in.
func interfaceIndex(name string) (int, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return i.Index, nil
}
