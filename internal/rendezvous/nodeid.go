package rendezvous

import (
	"bytes"
	"hash/crc32"
	"net/netip"

	"kith/internal/wire"
)

// A nodeID is the id of a node or of an item: a point of the DHT.
type nodeID [idSize]byte

// freshID draws the id that one lookup shows. Nobody keeps it, since we answer
// nothing; one that stayed would join our lookups.
func freshID() nodeID { return nodeID(wire.Random(idSize)) }

// nearer reports whether a is nearer to target than b (BEP 5: XOR).
func nearer(target, a, b nodeID) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// secure reports whether the first 21 bits of id follow from the address, as BEP 42
// wants it: an address has eight such beginnings, so that whoever wants to stand
// near a place needs an address for it.
func secure(id nodeID, addr netip.Addr) bool {
	var ip []byte
	if addr.Is4() {
		a := addr.As4()
		ip = a[:]
		mask(ip, 0x03, 0x0f, 0x3f, 0xff)
	} else {
		a := addr.As16()
		ip = a[:8]
		mask(ip, 0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff)
	}
	ip[0] |= id[idSize-1] & 7 << 5
	sum := crc32.Checksum(ip, castagnoli)
	want := []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8)}
	return bytes.Equal(id[:2], want[:2]) && (id[2]^want[2])&0xf8 == 0
}

func mask(b []byte, m ...byte) {
	for i := range b {
		b[i] &= m[i]
	}
}

// network is what perNetwork counts: IPv4 /24, IPv6 /48.
func network(addr netip.Addr) netip.Prefix {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	p, _ := addr.Prefix(bits)
	return p
}

// callable reports whether a node at to, named by one at from, may be asked: nobody
// out there may have us call machines of our own or of our network.
func callable(from, to netip.AddrPort) bool {
	a := to.Addr()
	switch {
	case to.Port() == 0 || !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" || a.Is4In6():
		return false
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	case a.IsLoopback():
		return from.Addr().IsLoopback()
	case a.IsPrivate() || a.IsLinkLocalUnicast():
		return from.Addr().IsPrivate() || from.Addr().IsLoopback() || from.Addr().IsLinkLocalUnicast()
	}
	return true
}
