package rendezvous

import (
	"net/netip"
	"slices"
	"testing"
)

// TestOutside: what a few nodes of one network say counts once, and the newest that most say wins.
func TestOutside(t *testing.T) {
	ip := netip.MustParseAddr
	at := func(text string) netip.AddrPort { return netip.AddrPortFrom(ip(text), 0) }
	var o outside
	for _, by := range []string{"5.1.1.1", "5.1.1.2", "5.1.1.3", "5.1.1.4"} {
		o.said(ip(by), at("6.6.6.6"))
	}
	o.said(ip("5.2.1.1"), at("6.6.6.6"))
	if got := o.agreed(); got != nil {
		t.Errorf("two networks are believed: %v", got)
	}
	o.said(ip("5.3.1.1"), at("6.6.6.6"))
	o.said(ip("5.4.1.1"), at("10.0.0.1")) // no address of the Internet
	o.said(ip("2a00:1::1"), at("2a00:2::2"))
	if got, want := o.agreed(), []netip.AddrPort{at("6.6.6.6")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, by := range []string{"5.1.1.1", "5.2.1.1", "5.3.1.1"} { // the address is another since
		o.said(ip(by), at("7.7.7.7"))
	}
	if got, want := o.agreed(), []netip.AddrPort{at("7.7.7.7")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range 200 {
		o.said(netip.AddrFrom4([4]byte{9, byte(i), 1, 1}), at("7.7.7.7"))
	}
	if len(o.words) > maxWords {
		t.Errorf("%d words are kept", len(o.words))
	}
	for text, want := range map[string]netip.AddrPort{
		"\x05\x06\x07\x08\x1a\xe1": netip.MustParseAddrPort("5.6.7.8:6881"), "\x05\x06\x07\x08\x00\x00": {}, "\x05\x06\x07\x08": {}, "": {},
	} {
		if got := readSeen([]byte(text)); got != want {
			t.Errorf("%x is read as %v, want %v", text, got, want)
		}
	}
}

// TestOutsidePort: a port is known where a router shows one to all, and not where it shows each another.
func TestOutsidePort(t *testing.T) {
	ip := netip.MustParseAddr
	var steady, changing outside
	for i := range byte(5) {
		by := netip.AddrFrom4([4]byte{5, i, 1, 1})
		steady.said(by, netip.MustParseAddrPort("6.6.6.6:50100"))
		changing.said(by, netip.AddrPortFrom(ip("6.6.6.6"), 50100+uint16(i)))
	}
	if got, want := steady.agreed(), []netip.AddrPort{netip.MustParseAddrPort("6.6.6.6:50100")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := changing.agreed(), []netip.AddrPort{netip.AddrPortFrom(ip("6.6.6.6"), 0)}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range byte(5) { // the router has begun anew
		steady.said(netip.AddrFrom4([4]byte{5, i, 1, 1}), netip.MustParseAddrPort("6.6.6.6:50200"))
	}
	if got, want := steady.agreed(), []netip.AddrPort{netip.MustParseAddrPort("6.6.6.6:50200")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
