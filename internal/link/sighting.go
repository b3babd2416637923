package link

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"strings"
)

// A Sighting is a device heard on the local network. Whose it is, only those
// can tell who know the key behind Mac; to all others it is a random name.
type Sighting struct {
	Address Address
	Nonce   [16]byte
	Mac     [8]byte
}

// The announcement of a device is one string in the TXT record of its mDNS
// service: "k=" and, in base64url without padding,
//
//	offset size field
//	0      1    version, 0x01
//	1      38   link peer id: 00 24 08 01 12 20, then the Ed25519 public key
//	39     16   nonce, random per start
//	55     8    mac of the nonce (LANConfig.Mac)
const (
	sightingSize = 1 + peerSize + 16 + 8
	peerSize     = 38
	textKey      = "k="
)

// edPeer begins the id of an Ed25519 key: identity multihash of 36 bytes,
// protobuf field 1 (type) = 1, field 2 (key) of 32 bytes.
var edPeer = []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}

var errSighting = errors.New("link: not the announcement of a device")

// text returns the announcement in the TXT record.
func (s Sighting) text() string {
	b := make([]byte, 0, sightingSize)
	b = append(b, 0x01)
	b = append(b, s.Address.Peer...)
	b = append(b, s.Nonce[:]...)
	b = append(b, s.Mac[:]...)
	return textKey + base64.RawURLEncoding.EncodeToString(b)
}

// parseText reads what text wrote; Address.Hosts stays empty.
func parseText(text string) (Sighting, error) {
	var s Sighting
	code, ok := strings.CutPrefix(text, textKey)
	if !ok || len(code) != base64.RawURLEncoding.EncodedLen(sightingSize) {
		return s, errSighting
	}
	// The decoder skips line breaks; then too few bytes come out.
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(b) != sightingSize || b[0] != 0x01 || !bytes.HasPrefix(b[1:], edPeer) {
		return s, errSighting
	}
	s.Address.Peer = b[1 : 1+peerSize]
	copy(s.Nonce[:], b[1+peerSize:])
	copy(s.Mac[:], b[1+peerSize+16:])
	return s, nil
}

// sightingHosts are the hosts of a device that announced port and ips.
func sightingHosts(ips []net.IP, port int) []string {
	if port < 1 || port > 0xffff {
		return nil
	}
	var hosts []string
	for _, raw := range ips {
		ip, ok := netip.AddrFromSlice(raw)
		ip = ip.Unmap()
		if !ok || ip.Is6() && ip.IsLinkLocalUnicast() || !onLocalNet(ip) {
			continue
		}
		at := netip.AddrPortFrom(ip, uint16(port))
		hosts = append(hosts, host{at: at, over: overQUIC}.String(), host{at: at, over: overTCP}.String())
		if len(hosts) == MaxHosts {
			break
		}
	}
	return hosts
}
