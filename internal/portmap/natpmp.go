package portmap

import (
	"encoding/binary"
	"net/netip"
)

// NAT-PMP, RFC 6886 section 3. Numbers are big-endian.
//
//	request for the external address     its response
//	0  1  version, 0                     0  1  version, 0
//	1  1  opcode, 0                      1  1  opcode, 128
//	                                     2  2  result, 0 is success
//	                                     4  4  epoch, seconds since its start
//	                                     8  4  external address
//
//	request to map                       its response
//	0  1  version, 0                     0  1  version, 0
//	1  1  opcode: 1 UDP, 2 TCP           1  1  128 + opcode
//	2  2  reserved, 0                    2  2  result
//	4  2  internal port                  4  4  epoch
//	6  2  external port wished for       8  2  internal port
//	8  4  lifetime, seconds; 0 deletes   10 2  external port
//	                                     12 4  lifetime
const (
	pmpVersion = 0
	pmpAddress = 0
	pmpUDP     = 1
	pmpTCP     = 2

	pmpAddressSize = 12
	pmpMapSize     = 16
)

// Results of NAT-PMP (RFC 6886 section 3.5).
const (
	pmpSuccess       = 0
	pmpNotAuthorised = 2
	pmpNoNetwork     = 3
	pmpNoResources   = 4
)

func pmpAddressRequest() []byte { return []byte{pmpVersion, pmpAddress} }

func pmpMapRequest(opcode byte, internal, external uint16, lifetime uint32) []byte {
	b := []byte{pmpVersion, opcode, 0, 0}
	b = binary.BigEndian.AppendUint16(b, internal)
	b = binary.BigEndian.AppendUint16(b, external)
	return binary.BigEndian.AppendUint32(b, lifetime)
}

// A pmpResponse is an answer; what it has besides result and epoch is as opcode says.
type pmpResponse struct {
	opcode             byte // without the bit of a response
	result             uint16
	epoch              uint32
	address            netip.Addr
	internal, external uint16
	lifetime           uint32
}

// parsePMP reads a response. One that refuses may be cut after the epoch.
func parsePMP(b []byte) (pmpResponse, error) {
	if len(b) < 8 || len(b) > pmpMapSize || b[0] != pmpVersion || b[1]&opResponse == 0 {
		return pmpResponse{}, errMalformed
	}
	r := pmpResponse{opcode: b[1] &^ opResponse, result: binary.BigEndian.Uint16(b[2:]), epoch: binary.BigEndian.Uint32(b[4:])}
	switch {
	case r.opcode > pmpTCP:
		return pmpResponse{}, errMalformed
	case r.result != pmpSuccess:
		return r, nil
	case r.opcode == pmpAddress && len(b) == pmpAddressSize:
		r.address = netip.AddrFrom4([4]byte(b[8:12]))
	case r.opcode != pmpAddress && len(b) == pmpMapSize:
		r.internal = binary.BigEndian.Uint16(b[8:])
		r.external = binary.BigEndian.Uint16(b[10:])
		r.lifetime = binary.BigEndian.Uint32(b[12:])
	default:
		return pmpResponse{}, errMalformed
	}
	return r, nil
}

// pmpRefusal is what a result other than success means.
func pmpRefusal(result uint16) error {
	switch result {
	case pmpNotAuthorised:
		return &refusal{NotAuthorised, int(result)}
	case pmpNoNetwork:
		return &refusal{NoExternalAddress, int(result)}
	case pmpNoResources:
		return &refusal{Full, int(result)}
	}
	return &refusal{Refused, int(result)}
}
