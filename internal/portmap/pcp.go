package portmap

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
)

// PCP, RFC 6887 sections 7 and 11. Numbers are big-endian.
//
//	request                                  response
//	offset size field                        offset size field
//	0      1    version, 2                   0      1    version, 2
//	1      1    opcode: 0 ANNOUNCE, 1 MAP    1      1    0x80 | opcode
//	2      2    reserved, 0                  2      1    reserved
//	4      4    lifetime, seconds; 0 deletes 3      1    result, 0 is success
//	8      16   this machine's address       4      4    lifetime, seconds
//	                                         8      4    epoch, seconds since its start
//	                                         12     12   reserved
//
//	of MAP, in both
//	24     12   nonce
//	36     1    protocol, 6 TCP, 17 UDP
//	37     3    reserved
//	40     2    internal port
//	42     2    external port; in a request the one wished for, 0: any
//	44     16   external address; in a request the one wished for, zeros: any
//
// Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d. Options follow in a response;
// none is asked for, and none is read.
const (
	pcpVersion  = 2
	opAnnounce  = 0
	opMap       = 1
	opResponse  = 0x80
	pcpHeader   = 24
	pcpMap      = pcpHeader + 36
	pcpNonce    = 12
	protocolTCP = 6
	protocolUDP = 17
)

// Results of PCP (RFC 6887 section 7.4).
const (
	pcpSuccess         = 0
	pcpNotAuthorised   = 2
	pcpNoResources     = 8
	pcpOverQuota       = 10
	pcpAddressMismatch = 12
)

// errMalformed: the bytes are no message of the protocol.
var errMalformed = errors.New("portmap: malformed")

// A pcpRequest asks for a mapping, or with zero lifetime takes it back.
type pcpRequest struct {
	lifetime uint32
	client   netip.Addr
	nonce    [pcpNonce]byte
	protocol byte
	internal uint16
	external netip.AddrPort // wished for
}

// bytes is the request to map.
func (r pcpRequest) bytes() []byte {
	b := make([]byte, 0, pcpMap)
	b = append(b, pcpVersion, opMap, 0, 0)
	b = binary.BigEndian.AppendUint32(b, r.lifetime)
	b = append16(b, r.client)
	b = append(b, r.nonce[:]...)
	b = append(b, r.protocol, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, r.internal)
	b = binary.BigEndian.AppendUint16(b, r.external.Port())
	wished := r.external.Addr()
	if !wished.IsValid() {
		wished = anyOf(r.client)
	}
	return append16(b, wished)
}

// anyOf is the address that says "any" in the family of a (RFC 6887 section 11.1).
func anyOf(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func append16(b []byte, a netip.Addr) []byte {
	wide := a.As16()
	return append(b, wide[:]...)
}

// announceRequest asks whether somebody there speaks PCP (RFC 6887 section 14.1).
func announceRequest(client netip.Addr) []byte {
	b := []byte{pcpVersion, opAnnounce, 0, 0, 0, 0, 0, 0}
	return append16(b, client)
}

// A pcpResponse is the answer to either.
type pcpResponse struct {
	opcode, result byte
	lifetime       uint32
	epoch          uint32
	// Of MAP alone.
	nonce    [pcpNonce]byte
	protocol byte
	internal uint16
	external netip.AddrPort
}

// parsePCP reads a response. Reserved bytes and options are passed over, as RFC
// 6887 section 7.2 wants.
func parsePCP(b []byte) (pcpResponse, error) {
	if len(b) < pcpHeader || len(b) > maxPCP || len(b)%4 != 0 || b[0] != pcpVersion || b[1]&opResponse == 0 {
		return pcpResponse{}, errMalformed
	}
	r := pcpResponse{
		opcode: b[1] &^ opResponse, result: b[3],
		lifetime: binary.BigEndian.Uint32(b[4:]), epoch: binary.BigEndian.Uint32(b[8:]),
	}
	switch r.opcode {
	case opAnnounce:
		return r, nil
	case opMap:
	default:
		return pcpResponse{}, errMalformed
	}
	if len(b) < pcpMap {
		return pcpResponse{}, errMalformed
	}
	copy(r.nonce[:], b[24:])
	r.protocol = b[36]
	r.internal = binary.BigEndian.Uint16(b[40:])
	at := netip.AddrFrom16([16]byte(b[44:60])).Unmap()
	r.external = netip.AddrPortFrom(at, binary.BigEndian.Uint16(b[42:]))
	return r, nil
}

// pcpRefusal is what a result other than success means.
func pcpRefusal(result byte) error {
	switch result {
	case pcpNotAuthorised:
		return &refusal{NotAuthorised, int(result)}
	case pcpNoResources, pcpOverQuota:
		return &refusal{Full, int(result)}
	case pcpAddressMismatch: // somebody between us and it translates addresses
		return &refusal{DoubleNAT, int(result)}
	}
	return &refusal{Refused, int(result)}
}

// An epochClock tells a router that started again by its count of seconds (RFC 6887
// section 8.5, and with other bounds RFC 6886 section 3.6).
type epochClock struct {
	seen  bool
	epoch uint32
	at    time.Time
}

// restarted takes the next count, and reports whether the router lost what it knew.
func (c *epochClock) restarted(epoch uint32, now time.Time) bool {
	was := *c
	*c = epochClock{true, epoch, now}
	if !was.seen {
		return false
	}
	if int64(epoch) < int64(was.epoch)-1 {
		return true
	}
	ours, theirs := int64(now.Sub(was.at)/time.Second), int64(epoch)-int64(was.epoch)
	return ours+2 < theirs-theirs/16 || theirs+2 < ours-ours/16
}
