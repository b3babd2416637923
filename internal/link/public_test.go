package link_test

import (
	"net/netip"
	"testing"

	"kith/internal/link"
)

func TestIsPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"9.9.9.9": true, "100.63.255.255": true, "100.128.0.1": true, "2600::1": true, "203.0.114.1": true,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "127.0.0.1": false, "169.254.1.1": false,
		"100.64.0.1": false, "100.127.255.255": false, "192.0.2.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.7": false, "203.0.113.9": false, "240.0.0.1": false, "255.255.255.255": false, "0.0.0.0": false,
		"::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "2001:db8::1": false, "::": false,
	} {
		if got := link.IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v, want %v", text, got, want)
		}
	}
}
