package natlab

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Kinds says what the frames of a stopped capture are, the most first: protocol and the lower of
// both ports, packets, and bytes.
func (c *Capture) Kinds() string {
	type sum struct {
		kind           string
		packets, bytes int
	}
	var list []sum
	for _, f := range c.frames {
		kind := kindOf(f.bytes)
		i := slices.IndexFunc(list, func(s sum) bool { return s.kind == kind })
		if i < 0 {
			i, list = len(list), append(list, sum{kind: kind})
		}
		list[i].packets++
		list[i].bytes += len(f.bytes)
	}
	slices.SortFunc(list, func(a, b sum) int { return b.bytes - a.bytes })
	var out strings.Builder
	for _, s := range list {
		fmt.Fprintf(&out, "%8d bytes, %5d packets  %s\n", s.bytes, s.packets, s.kind)
	}
	return out.String()
}

// kindOf names what an Ethernet frame carries.
func kindOf(frame []byte) string {
	const head = 14
	if len(frame) < head {
		return "short"
	}
	family, packet := binary.BigEndian.Uint16(frame[12:]), frame[head:]
	version, proto, body := "IPv4", byte(0), []byte(nil)
	switch {
	case family == 0x0800 && len(packet) >= 20:
		proto, body = packet[9], packet[min(int(packet[0]&15)*4, len(packet)):]
	case family == 0x86dd && len(packet) >= 40:
		version, proto, body = "IPv6", packet[6], packet[40:]
	default:
		return fmt.Sprintf("type %04x", family)
	}
	name, ports := map[byte]string{1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}[proto], ""
	if (proto == 6 || proto == 17) && len(body) >= 4 {
		ports = fmt.Sprintf(" port %d", min(binary.BigEndian.Uint16(body), binary.BigEndian.Uint16(body[2:])))
	}
	if name == "" {
		name = fmt.Sprintf("protocol %d", proto)
	}
	return version + " " + name + ports
}
